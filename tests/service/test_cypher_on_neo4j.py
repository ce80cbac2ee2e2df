"""A service on a real Neo4j: the same question, of a snapshot and of the database, has the same answer."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from structmem import AsyncClient, CypherRefusedError, NewMessage

from tests.neo4j_databases import Database

pytestmark = pytest.mark.neo4j
SAID = datetime(2024, 3, 5, 18, 30, tzinfo=UTC)
QUESTIONS = [
    "MATCH (m:Message {namespace: $namespace}) RETURN m.id, m.seq, m.speaker, m.text, m.role, m.said_at, m.said_on ORDER BY m.seq",
    "MATCH (a:Message {namespace: $namespace})-[:NEXT]->(b:Message) RETURN a.id, b.id ORDER BY a.id",
    "MATCH (m:Message {namespace: $namespace})-[r:IN_SESSION]->(s:Session) RETURN m.id, type(r), s.name, s.message_count ORDER BY m.id",
    "MATCH (f:Fact {namespace: $namespace})-[r:EVIDENCED_BY]->(m) RETURN f.id, f.text, f.kind, f.confidence, r.order, m.id ORDER BY f.id",
    "MATCH (e:Event {namespace: $namespace})-[r:INVOLVES]->(x:Entity) RETURN e.title, r.role, x.name ORDER BY e.title, r.role, x.name",
    "MATCH (f:Fact {namespace: $namespace}) RETURN f.happened_on, f.time_expression, f.starts_at, f.ends_at, f.generation ORDER BY f.id",
]


async def test_a_question_has_one_answer_on_both_ways(neo4j: Database, running: Callable[..., Any], tmp_path: Path) -> None:
    async with (
        running(tmp_path, **neo4j.settings) as service,
        AsyncClient(service.application.address) as client,
    ):
        for namespace in ("home", "other"):
            texts = ["I moved to Lisbon with my brother Tom last Friday.", "Tom bought a blue bicycle in Porto yesterday."]
            messages = [NewMessage("Maria", text, SAID) for text in texts]
            await client.wait_for(await client.append(namespace, "spring", messages, create_namespace=True))
        for question in QUESTIONS:
            seen = await client.run_cypher("home", question, {"namespace": "home"})
            whole = await client.run_cypher("home", question, scope="database")
            assert seen.rows
            assert whole.rows == seen.rows
            assert (seen.revision, whole.revision) == ((await client.get_namespace("home")).revision, 0)
        count = "MATCH (m:Message) RETURN count(m)"
        assert (await client.run_cypher("home", count)).rows == ((2,),)
        assert (await client.run_cypher("home", count, scope="database")).rows == ((4,),)
        with pytest.raises(CypherRefusedError):
            await client.run_cypher("home", "MATCH (n) SET n.x = 1", scope="database")
