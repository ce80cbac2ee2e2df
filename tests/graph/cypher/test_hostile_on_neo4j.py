"""Hostile queries on a real Neo4j, by an administrator: none writes, reads a file, changes the server, or goes on without end."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from graph.errors import CypherInvalid, CypherLimit, CypherRefused, CypherTimeout
from graph.store.neo4j.admin_cypher.runner import NativeCypher
from graph.store.neo4j.driver.connection import Connection
from tests.graph.cypher.conftest import LIMITS, ask
from tests.graph.cypher.hostile_queries import HOSTILE, Aim, Hostile
from tests.neo4j_databases import Database

pytestmark = pytest.mark.neo4j
_MARK = "contents of a file"
_SHORT = replace(LIMITS, timeout=1.0, bytes=1 << 20, rows=1_000)
_STOPPED = (CypherTimeout, CypherLimit, CypherInvalid, CypherRefused)
# Beyond the time of a query, for the server to notice.
_ENDS_WITHIN = 15.0
_CONTENTS = """MATCH (n) OPTIONAL MATCH (n)-[r]->(m)
    RETURN elementId(n) AS node, labels(n) AS labels, properties(n) AS properties,
        type(r) AS type, properties(r) AS more, elementId(m) AS end
    ORDER BY node, end"""
_SCHEMA = ("SHOW INDEXES YIELD name", "SHOW CONSTRAINTS YIELD name", "SHOW USERS YIELD user", "SHOW DATABASES YIELD name")
_RUNNING = "SHOW TRANSACTIONS YIELD currentQuery WHERE NOT currentQuery STARTS WITH 'SHOW TRANSACTIONS' RETURN currentQuery"


@pytest.fixture
async def cypher(neo4j: Database) -> AsyncIterator[NativeCypher]:
    neo4j.run("CREATE (a:Message {namespace: 'home', id: 'm1', text: 'x'})-[:NEXT]->(b:Message {namespace: 'home', id: 'm2', text: 'y'})")
    neo4j.run("MATCH (b {id: 'm2'}) CREATE (b)-[:MENTIONS]->(:Entity {namespace: 'home', id: 'e1'}), (:Message {namespace: 'other'})")
    connection = Connection(neo4j.address, timedelta(seconds=5))
    await connection.open()
    yield NativeCypher(connection, _SHORT)
    await connection.close()


def contents(neo4j: Database) -> list[Any]:
    return [neo4j.run(_CONTENTS), *(neo4j.run(query) for query in _SCHEMA)]


async def try_out(cypher: NativeCypher, hostile: Hostile, file: Path) -> tuple[list[Any], bool]:
    query = hostile.query.replace("FILE", str(file)).replace("OTHER", "m9")
    async with asyncio.timeout(30):
        answer = await ask(cypher, "home", query, timeout=_SHORT.timeout, url=f"file://{file}")
    return answer.rows, not answer.summary.truncated


def of(*aims: Aim) -> list[Any]:
    return [pytest.param(one, id=f"{one.aim.name.lower()}: {one.query}"[:90]) for one in HOSTILE if one.aim in aims]


@pytest.mark.parametrize("hostile", of(Aim.WRITE, Aim.CALL, Aim.READ_FILE, Aim.ADMINISTER, Aim.HIDE))
async def test_what_does_not_only_read_is_refused(cypher: NativeCypher, neo4j: Database, tmp_path: Path, hostile: Hostile) -> None:
    file = tmp_path / "private.csv"
    file.write_text(f"{_MARK},1\n")
    before = contents(neo4j)
    with pytest.raises((CypherRefused, CypherInvalid)) as raised:
        await try_out(cypher, hostile, file)
    assert str(raised.value)
    assert _MARK not in str(raised.value)
    assert contents(neo4j) == before


@pytest.mark.parametrize("hostile", of(Aim.EXHAUST))
async def test_what_takes_too_much_is_stopped_on_the_server_too(
    cypher: NativeCypher, neo4j: Database, tmp_path: Path, hostile: Hostile
) -> None:
    try:
        rows, _ = await try_out(cypher, hostile, tmp_path)
    except _STOPPED:
        pass
    else:
        # The server counted without looking.
        assert len(rows) == 1
    async with asyncio.timeout(_ENDS_WITHIN):
        while neo4j.run(_RUNNING):  # noqa: ASYNC110 - the condition is the server's
            await asyncio.sleep(0.1)
    assert (await ask(cypher, "home", "MATCH (m:Message) RETURN count(m)")).rows == [[3]]


@pytest.mark.parametrize("hostile", of(Aim.FLOOD))
async def test_a_flood_ends_at_the_limits(cypher: NativeCypher, tmp_path: Path, hostile: Hostile) -> None:
    try:
        rows, whole = await try_out(cypher, hostile, tmp_path)
    except _STOPPED:
        return
    assert not whole
    assert len(rows) <= _SHORT.rows
    assert len(repr(rows)) < 2 * _SHORT.bytes


async def test_an_administrator_sees_every_namespace_and_writes_none(cypher: NativeCypher, neo4j: Database) -> None:
    before = contents(neo4j)
    answer = await ask(cypher, "home", "MATCH (m:Message) RETURN m.namespace, m.namespace = $namespace ORDER BY m.namespace")
    assert answer.rows == [["home", True], ["home", True], ["other", False]]
    assert answer.revision == 0
    assert contents(neo4j) == before
