"""Hostile queries on snapshots: none writes, reads a file, sees another namespace, or goes on without end."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from graph.cypher.snapshots import SnapshotCypher
from graph.errors import CypherInvalid, CypherLimit, CypherRefused, CypherTimeout
from graph.store.embedded.store import EmbeddedStore
from graph.store.port import MessageQuery
from tests.graph.cypher.conftest import LIMITS, SECRET, ask, fill
from tests.graph.cypher.hostile_queries import HOSTILE, Aim, Hostile

in_module = pytest.mark.asyncio(loop_scope="module")
_MARK = "contents of a file"
_SHORT = replace(LIMITS, timeout=1.0, bytes=1 << 20, rows=1_000)
_STOPPED = (CypherTimeout, CypherLimit, CypherInvalid)


class Place:
    """A store with two namespaces, queries on snapshots of it, and a file that they should not read."""

    def __init__(self, store: EmbeddedStore, cypher: SnapshotCypher, file: Path, other_id: str) -> None:
        self.store, self.cypher, self.file, self.other_id = store, cypher, file, other_id

    async def try_out(self, hostile: Hostile) -> tuple[list[Any], bool]:
        """What the query gives, and whether that is all of it; ends in any case."""
        query = hostile.query.replace("FILE", str(self.file)).replace("OTHER", self.other_id)
        async with asyncio.timeout(30):
            answer = await ask(self.cypher, "home", query, timeout=_SHORT.timeout, url=f"file://{self.file}")
        return answer.rows, not answer.summary.truncated

    async def contents(self) -> tuple[Any, ...]:
        """All that is stored, and all that a query sees."""
        stored = [record async for batch in self.store.namespace("home").export() for record in batch]
        seen = await ask(self.cypher, "home", "MATCH (n) OPTIONAL MATCH (n)-[r]->() RETURN n, r ORDER BY n.id, id(r)")
        return ((await self.store.namespace("home").settings()).revision, repr(stored), repr(seen.rows))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Place]:
    directory = tmp_path_factory.mktemp("hostile")
    file = directory / "private.csv"
    file.write_text(f"{_MARK},1\n")
    store = EmbeddedStore(directory / "store")
    await store.open()
    await fill(store)
    [message] = (await store.namespace("other").list_messages(MessageQuery(), None, 10)).items
    cypher = SnapshotCypher(store, _SHORT)
    yield Place(store, cypher, file, message.id)
    await cypher.close()
    await store.close()


def of(*aims: Aim) -> list[Any]:
    return [pytest.param(one, id=f"{one.aim.name.lower()}: {one.query}"[:90]) for one in HOSTILE if one.aim in aims]


def test_there_are_enough_of_them() -> None:
    assert len({one.query for one in HOSTILE}) == len(HOSTILE) >= 60


@in_module
@pytest.mark.parametrize("hostile", of(Aim.WRITE, Aim.CALL, Aim.READ_FILE, Aim.ADMINISTER, Aim.HIDE))
async def test_what_does_not_only_read_is_refused(place: Place, hostile: Hostile) -> None:
    before = await place.contents()
    with pytest.raises((CypherRefused, CypherInvalid)) as raised:
        await place.try_out(hostile)
    assert str(raised.value)
    assert _MARK not in str(raised.value)
    assert await place.contents() == before


@in_module
@pytest.mark.parametrize("hostile", of(Aim.EXHAUST))
async def test_what_takes_too_much_is_stopped_and_the_next_query_is_answered(place: Place, hostile: Hostile) -> None:
    with pytest.raises(_STOPPED):
        await place.try_out(hostile)
    assert (await ask(place.cypher, "home", "MATCH (m:Message) RETURN count(m)")).rows == [[3]]


@in_module
@pytest.mark.parametrize("hostile", of(Aim.FLOOD))
async def test_a_flood_ends_at_the_limits(place: Place, hostile: Hostile) -> None:
    try:
        rows, whole = await place.try_out(hostile)
    except _STOPPED:
        return
    assert not whole
    assert len(rows) <= _SHORT.rows
    assert len(repr(rows)) < 2 * _SHORT.bytes


@in_module
@pytest.mark.parametrize("hostile", of(Aim.TRESPASS))
async def test_another_namespace_is_not_there(place: Place, hostile: Hostile) -> None:
    rows, _ = await place.try_out(hostile)
    shown = repr(rows)
    assert SECRET not in shown
    assert place.other_id not in shown
    assert "'other'" not in shown
