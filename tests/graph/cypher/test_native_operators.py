"""Ways to read a graph, each planned and run by a real Neo4j: what only reads is let through, however the server does it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from graph.errors import CypherInvalid
from graph.store.neo4j.admin_cypher.runner import NativeCypher
from graph.store.neo4j.driver.connection import Connection
from tests.graph.cypher.conftest import LIMITS
from tests.neo4j_databases import Database

pytestmark = pytest.mark.neo4j
Ask = Callable[..., Any]
_VECTOR = "OPTIONS {indexConfig: {`vector.dimensions`: 2, `vector.similarity_function`: 'cosine'}}"
_INDEXES = {
    "kept_text": "CREATE FULLTEXT INDEX kept_text FOR (n:Kept) ON EACH [n.text]",
    "near_text": "CREATE FULLTEXT INDEX near_text FOR ()-[r:NEAR]-() ON EACH [r.text]",
    "kept_vector": f"CREATE VECTOR INDEX kept_vector FOR (n:Kept) ON n.vector {_VECTOR}",
    "near_vector": f"CREATE VECTOR INDEX near_vector FOR ()-[r:NEAR]-() ON r.vector {_VECTOR}",
}
# Each with what it finds of two nodes, "a" and "b", and the relationship from the one to the other, "r".
QUERIES = {
    "CYPHER 25 MATCH (n) SEARCH n IN (FULLTEXT INDEX kept_text FOR 'tea' LIMIT 5) RETURN n.id": ["a"],
    "CYPHER 25 MATCH (n:Kept) SEARCH n IN (FULLTEXT INDEX kept_text FOR $word LIMIT $limit) SCORE AS s WITH n, s WHERE s > 0 RETURN n.id": [
        "a"
    ],
    "CYPHER 25 MATCH ()-[r]->() SEARCH r IN (FULLTEXT INDEX near_text FOR 'tea' LIMIT 5) RETURN r.id": ["r"],
    "CYPHER 25 MATCH ()-[r]-() SEARCH r IN (FULLTEXT INDEX near_text FOR 'tea' LIMIT 5) RETURN DISTINCT r.id": ["r"],
    "CYPHER 25 MATCH (n) SEARCH n IN (VECTOR INDEX kept_vector FOR $vector LIMIT 1) RETURN n.id": ["a"],
    "CYPHER 25 MATCH ()-[r]->() SEARCH r IN (VECTOR INDEX near_vector FOR $vector LIMIT $limit) RETURN r.id": ["r"],
    "CYPHER 25 MATCH ()-[r]-() SEARCH r IN (VECTOR INDEX near_vector FOR $vector LIMIT 1) RETURN DISTINCT r.id": ["r"],
    "MATCH (n:Kept&!Other) RETURN n.id ORDER BY n.id": ["a", "b"],
    "MATCH (n:Kept|Other) RETURN n.id ORDER BY n.id LIMIT 1": ["a"],
    "MATCH p = ANY SHORTEST (:Kept {id: 'a'})-[:NEAR]-+(b:Kept {id: 'b'}) RETURN b.id": ["b"],
    "MATCH (:Kept {id: 'a'})(()-[:NEAR]->(:Kept)){1,3}(b) RETURN b.id": ["b"],
    "MATCH (a:Kept)-[*1..2]->(b) WHERE a.id = 'a' RETURN DISTINCT b.id": ["b"],
    "MATCH p = allShortestPaths((:Kept {id: 'a'})-[*]-(b:Kept {id: 'b'})) RETURN b.id": ["b"],
    "MATCH (a:Kept), (b:Kept) WHERE a.id = b.id AND NOT EXISTS { (a)-->() } RETURN b.id": ["b"],
    "CYPHER 25 LET x = 'a' FILTER x <> 'b' RETURN x": ["a"],
    "CYPHER 25 FOR x IN ['b'] RETURN x": ["b"],
    "CYPHER 25 WHEN $limit > 1 THEN RETURN 'a' AS x ELSE RETURN 'b' AS x": ["a"],
    "CYPHER 25 MATCH (n:Kept) RETURN n.id AS id NEXT FILTER id = 'b' RETURN id": ["b"],
    "MATCH (n:Kept) CALL (n) { MATCH (n)-->(m) RETURN m LIMIT 1 } RETURN m.id": ["b"],
    "MATCH (n:Kept) RETURN n.id ORDER BY n.id SKIP 1 LIMIT 1": ["b"],
    "MATCH (n:Kept) FINISH": [],
}


@pytest.fixture
async def native(neo4j: Database) -> AsyncIterator[NativeCypher]:
    for query in _INDEXES.values():
        neo4j.run(query)
    neo4j.run("""CREATE (:Kept {id: 'a', text: 'green tea', vector: [1.0, 0.0]})
        -[:NEAR {id: 'r', text: 'tea', vector: [1.0, 0.0]}]->(:Kept {id: 'b', text: 'coffee', vector: [0.0, 1.0]})""")
    neo4j.run("CALL db.awaitIndexes()")
    connection = Connection(neo4j.address, timedelta(seconds=5))
    await connection.open()
    yield NativeCypher(connection, replace(LIMITS, timeout=60.0))
    await connection.close()
    for name in _INDEXES:
        neo4j.run(f"DROP INDEX {name}")


async def test_whatever_reads_the_graph_is_let_through(native: NativeCypher, asked: Ask) -> None:
    given = {"word": "tea", "limit": 3, "vector": [1.0, 0.1]}
    found = {query: (await asked(native, "home", query, timeout=60.0, **given)).rows for query in QUERIES}
    assert found == {query: [[id_] for id_ in ids] for query, ids in QUERIES.items()}


async def test_an_index_that_is_not_there_or_still_being_filled_is_told_as_that(native: NativeCypher, neo4j: Database, asked: Ask) -> None:
    unknown = "CYPHER 25 MATCH (n) SEARCH n IN (VECTOR INDEX nowhere FOR $vector LIMIT 1) RETURN n.id"
    with pytest.raises(CypherInvalid, match="an index that is not there"):
        await asked(native, "home", unknown, timeout=60.0, vector=[1.0, 0.1])
    neo4j.run("DROP INDEX kept_vector")
    neo4j.run("UNWIND range(1, 20000) AS i CREATE (:Kept {id: 'more', vector: [rand(), 1.0]})")
    neo4j.run(_INDEXES["kept_vector"])
    nearest = "CYPHER 25 MATCH (n) SEARCH n IN (VECTOR INDEX kept_vector FOR $vector LIMIT 1) RETURN count(*)"
    told, rows = [], []
    async with asyncio.timeout(60):
        while not rows:
            try:
                rows = (await asked(native, "home", nearest, timeout=60.0, vector=[1.0, 0.0])).rows
            except CypherInvalid as error:
                told.append(str(error))
    assert rows == [[1]]
    assert set(told) == {"the query names an index that is not there, or is still being filled"}
