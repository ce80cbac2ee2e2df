"""A service on a real Neo4j: the same question, of a snapshot and of the database, has the same answer."""

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from structmem import AsyncClient, CypherDuration, CypherPoint, CypherRefusedError, CypherTime, NewMessage

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


READ = """RETURN date('2024-03-09') AS d, localtime('14:30:00.5') AS l, time('14:30:00+01:00') AS t, time('14:30:00.000000001Z') AS n,
    localdatetime('2024-03-09T14:30') AS w, datetime('2024-03-09T14:30:00.123456789Z') AS i,
    datetime('2050-07-01T14:30[Europe/Lisbon]') AS z, duration('P1M2DT-3.5S') AS u, point({longitude: -9.1, latitude: 38.7}) AS p"""


async def test_values_of_the_database_are_the_same_when_given_back(neo4j: Database, running: Callable[..., Any], tmp_path: Path) -> None:
    async with running(tmp_path, **neo4j.settings) as service, AsyncClient(service.application.address) as client:
        await client.create_namespace("home")
        read = await client.run_cypher("home", READ, scope="database")
        assert read.rows[0] == (
            date(2024, 3, 9),
            time(14, 30, 0, 500_000),
            time(14, 30, tzinfo=timezone(timedelta(hours=1))),
            CypherTime("time", "14:30:00.000000001+00:00"),
            datetime(2024, 3, 9, 14, 30),
            CypherTime("datetime", "2024-03-09T14:30:00.123456789+00:00"),
            CypherTime("datetime", "2050-07-01T14:30:00+01:00", "Europe/Lisbon"),
            CypherDuration(1, 2, -4, 500_000_000),
            CypherPoint(4326, (-9.1, 38.7)),
        )
        given = dict(zip(read.columns, read.rows[0], strict=True))
        same = f"WITH $given AS g CALL () {{ {READ} }} RETURN {', '.join(f'{name} = g.{name}' for name in given)}"
        assert (await client.run_cypher("home", same, {"given": given}, scope="database")).rows == ((True,) * len(given),)
        # Python's own zones go along by their name.
        lisbon = datetime(2024, 7, 1, 14, 30, tzinfo=ZoneInfo("Europe/Lisbon"))
        named = "RETURN datetime('2024-07-01T14:30[Europe/Lisbon]') = $at, toString($at)"
        [[same_zone, text]] = (await client.run_cypher("home", named, {"at": lisbon}, scope="database")).rows
        assert (same_zone, text) == (True, "2024-07-01T14:30:00+01:00[Europe/Lisbon]")
