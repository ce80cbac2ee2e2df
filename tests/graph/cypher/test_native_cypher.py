"""Cypher on a real Neo4j: typed values, places of errors, limits, and what its rules let through."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from graph.cypher import CypherDuration, CypherElided, CypherNode, CypherPath, CypherPoint, CypherRelationship, CypherTime
from graph.errors import CypherInvalid, CypherLimit, CypherRefused, CypherTimeout
from graph.store.neo4j.admin_cypher.plan_rules import check_plan
from graph.store.neo4j.admin_cypher.runner import NativeCypher
from graph.store.neo4j.admin_cypher.text_rules import check_text
from graph.store.neo4j.driver.connection import Connection
from tests.graph.cypher.conftest import LIMITS, Answer
from tests.neo4j_databases import Database

Ask = Callable[..., Any]
on_neo4j = pytest.mark.neo4j


@pytest.fixture
async def native(neo4j: Database) -> AsyncIterator[NativeCypher]:
    neo4j.run("CREATE (:Message {namespace: 'home', id: 'm1', text: 'x'})-[:NEXT {order: 1}]->(:Message {namespace: 'home', id: 'm2'})")
    connection = Connection(neo4j.address, timedelta(seconds=5))
    await connection.open()
    yield NativeCypher(connection, replace(LIMITS, timeout=20.0, row_bytes=1 << 16))
    await connection.close()


@on_neo4j
async def test_nodes_relationships_and_paths(native: NativeCypher, asked: Ask) -> None:
    query = "MATCH p = (a:Message {namespace: $namespace})-[r:NEXT]->(b) RETURN a, r, p"
    [[node, relation, path]] = (await asked(native, "home", query, timeout=20.0)).rows
    assert node == CypherNode("m1", ("Message",), {"namespace": "home", "id": "m1", "text": "x"})
    assert isinstance(relation, CypherRelationship)
    assert (relation.type, relation.source_id, relation.target_id, relation.properties) == ("NEXT", "m1", "m2", {"order": 1})
    assert isinstance(path, CypherPath)
    assert [one.id for one in path.nodes] == ["m1", "m2"]


@on_neo4j
async def test_times_points_and_what_is_left_out(native: NativeCypher, neo4j: Database, asked: Ask) -> None:
    neo4j.driver.execute_query("CREATE (:Kept {vector: $v, bytes: $b})", {"v": [0.5] * 384, "b": b"abc"}, database_=neo4j.name)
    query = """MATCH (k:Kept)
        RETURN date('2024-03-09') AS d, datetime('2024-03-09T14:30:00.123456789Z') AS n, datetime('2024-03-09T14:30Z') AS z,
        datetime('2024-03-09T14:30[Europe/Lisbon]') AS zoned, duration('P1M2DT3.5S') AS u, point({longitude: 1, latitude: 2}) AS p,
        k, [1, null, {a: 1}] AS m"""
    [[d, n, z, zoned, u, p, kept, m]] = (await asked(native, "home", query, timeout=20.0)).rows
    assert (d, z) == (date(2024, 3, 9), datetime(2024, 3, 9, 14, 30, tzinfo=UTC))
    assert (u, m) == (CypherDuration(1, 2, 3, 500_000_000), [1, None, {"a": 1}])
    assert isinstance(n, CypherTime)
    assert n.text.startswith("2024-03-09T14:30:00.123456789")
    assert isinstance(zoned, CypherTime)
    assert (zoned.type, zoned.zone) == ("datetime", "Europe/Lisbon")
    assert p == CypherPoint(4326, (1.0, 2.0))
    assert kept.properties == {"vector": CypherElided("vector", 384), "bytes": CypherElided("bytes", 3)}


@on_neo4j
async def test_a_syntax_error_points_into_the_callers_text(native: NativeCypher, asked: Ask) -> None:
    with pytest.raises(CypherInvalid, match=r"line 1, column 20"):
        await asked(native, "home", "MATCH (n) RETURN n,", timeout=20.0)
    with pytest.raises(CypherInvalid, match=r"column 8: the query names \$missing, which was not given"):
        await asked(native, "home", "RETURN $missing", timeout=20.0)
    with pytest.raises(CypherInvalid):
        await asked(native, "home", "RETURN 1 / 0", timeout=20.0)


@on_neo4j
async def test_limits_of_rows_and_of_a_row(native: NativeCypher, asked: Ask) -> None:
    answer: Answer = await asked(native, "home", "UNWIND range(1, 100000) AS n RETURN n", max_rows=450, timeout=20.0)
    assert answer.rows == [[n] for n in range(1, 451)]
    assert answer.summary.truncated
    with pytest.raises(CypherLimit):
        await asked(native, "home", "UNWIND range(1, 100000) AS n RETURN collect(n)", timeout=20.0)


@on_neo4j
async def test_a_query_beyond_its_memory_names_the_setting(native: NativeCypher, neo4j: Database, asked: Ask) -> None:
    if neo4j.server is None:
        pytest.skip("a server whose db.memory.transaction.max is not ours to set")
    with pytest.raises(CypherLimit, match=r"db\.memory\.transaction\.max"):
        await asked(native, "home", "UNWIND range(1, 5000000) AS x WITH x ORDER BY -x RETURN collect(x)[0]", timeout=20.0)


@on_neo4j
async def test_a_query_beyond_its_time_is_told_as_that(native: NativeCypher, asked: Ask) -> None:
    with pytest.raises(CypherTimeout):
        await asked(native, "home", "UNWIND range(1, 1000000000) AS x WITH x WHERE x < 0 RETURN x", timeout=0.5)


@pytest.mark.parametrize(
    "query",
    [
        "MATCH (n {use: 1}) RETURN n.use, n.reduce, n.`x`",
        "CYPHER 25 MATCH (n) RETURN n",
        "MATCH p = (a)-[*1..3]-(b) RETURN [i IN range(0, size(nodes(p)) - 1) | i] AS l",
        "UNWIND range(1, 1000000) AS x RETURN x",
        "MATCH (n) WHERE any(x IN n.labels WHERE x = 'a') RETURN [y IN n.l | y]",
        "RETURN date.truncate('day', date()), vector.similarity.cosine([1.0], [1.0])",
        "MATCH (n) WHERE n.id IN ['a', 'b'] RETURN n",
        " UNION ALL ".join(["MATCH (a)-[r]->(b) RETURN a.id + ' -> ' + b.name + ' (' + type(r) + ')' AS s"] * 4),
        "MATCH (n) WHERE n.said_on > date($d) + duration('P1D') " * 10 + "RETURN n",
        "MATCH (m) RETURN replace(m.text, 'a', 'b', 1), m{.id, .text}, {a: m.id, b: m.text, c: m.id}",
        "MATCH (n) RETURN [x IN n.l WHERE x <> n.id AND size(x) >= 3 | x], n.l[0..2]",
        "MATCH (a:Range)-[:REPLACE]->(b:Reduce) RETURN a.range, b.reduce",
    ],
)
def test_these_texts_pass(query: str) -> None:
    check_text(query)


@pytest.mark.parametrize(
    ("query", "clause"),
    [
        ("USE other MATCH (n) RETURN n", "USE"),
        ("MATCH (n) CALL { USE graph.byName('x') RETURN 1 AS x } RETURN x", "USE"),
        ("PROFILE MATCH (n) RETURN n", "PROFILE"),
        ("CYPHER runtime=parallel MATCH (n) RETURN n", "CYPHER"),
        ("RETURN apoc.cypher.runFirstColumnSingle('RETURN 1', {})", "APOC.CYPHER.RUNFIRSTCOLUMNSINGLE"),
        ("RETURN `apoc`.text.join(['a'], '')", "`APOC`.TEXT.JOIN"),
        ("MATCH (n) WHERE n.text =~ '(a+)+b' RETURN n", "=~"),
        ("RETURN reduce(s = 0, x IN [1] | s + x)", "REDUCE"),
        ("RETURN [x IN [1] | [y IN [1] | x + y]]", "IN"),
        ("RETURN all(x IN [1] WHERE any(y IN [1] WHERE y = x))", "IN"),
        ("RETURN [x IN range(1, 10001) | x]", "RANGE"),
        ("RETURN [x IN range(1, $n) | x]", "RANGE"),
        ("WITH 1000000000 AS big RETURN size(range(1, big))", "RANGE"),
        ("UNWIND range(1, 20000) + range(1, 20000) AS x RETURN x", "RANGE"),
        ("RETURN `range`(1, 1000000)", "`RANGE`"),
        ("WITH 'ha' AS s " + "RETURN s + s AS s UNION ALL RETURN 'a' AS s NEXT " * 40 + "RETURN size(s) AS n", "+"),
        ("WITH $l AS s " + "WITH [s, s] AS s " * 40 + "RETURN s", "S"),
        ("MATCH (n) WITH collect(n) AS l RETURN [x IN l WHERE l = l]", "="),
    ],
)
def test_these_texts_are_refused(query: str, clause: str) -> None:
    with pytest.raises(CypherRefused) as raised:
        check_text(query)
    assert raised.value.metadata["clause"] == clause


def plan(*operators: str) -> dict[str, Any]:
    first, *others = operators
    return {"operatorType": f"{first}@neo4j", "children": [plan(*others)] if others else []}


def test_a_plan_runs_only_if_all_of_it_reads() -> None:
    check_plan("r", plan("ProduceResults", "Expand(All)", "DirectedRelationshipTypeScan", "NodeIndexSeek"))
    for operators in (("ProduceResults", "LoadCSV"), ("ProduceResults", "Apply", "ProcedureCall"), ("ProduceResults", "SomethingNew(All)")):
        with pytest.raises(CypherRefused) as raised:
            check_plan("r", plan(*operators))
        assert raised.value.metadata["clause"] == operators[-1].partition("(")[0]
    for query_type in ("rw", "w", "s", None):
        with pytest.raises(CypherRefused):
            check_plan(query_type, plan("ProduceResults"))
    with pytest.raises(CypherRefused):
        check_plan("r", None)
