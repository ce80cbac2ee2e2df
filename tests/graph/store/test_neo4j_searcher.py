"""Which way a namespace in Neo4j is searched: a large one by Neo4j's indexes until it has been read, and in this process from then on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import numpy as np
import pytest

from graph.model import EmbeddingSpec, ExtractionMode, MemoryFilter
from graph.store.candidates import CandidateQuery, Candidates
from graph.store.commands import AppendCommand, NamespaceSpec
from graph.store.neo4j import Neo4jStore
from graph.store.neo4j.searching import searcher
from graph.store.neo4j.searching.local import LocalIndex
from tests.graph.store.conftest import draft
from tests.neo4j_databases import Database

SPEC = NamespaceSpec("large", EmbeddingSpec("test", "f", 8), ExtractionMode.OFF)
QUESTION = CandidateQuery(("turn",), np.eye(8, dtype=np.float32)[0], MemoryFilter())


@pytest.fixture(autouse=True)
def large_from_twenty_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searcher, "_AT_ONCE_PASSAGES", 20)


@asynccontextmanager
async def opened(neo4j: Database, **options: int) -> AsyncIterator[Neo4jStore]:
    store = Neo4jStore(neo4j.address, **options)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def say(store: Neo4jStore, *texts: str) -> None:
    await store.append("large", AppendCommand("s", tuple(map(draft, texts)), timedelta(0)))


async def ask(store: Neo4jStore, times: int = 1) -> Candidates:
    for _ in range(times):
        found = await store.candidates("large", QUESTION)
    return found


async def read(store: Neo4jStore) -> None:
    """Waits until nothing is being read any more."""
    async with asyncio.timeout(30):
        await asyncio.gather(*store._searcher._reading.values())


def here(store: Neo4jStore) -> bool:
    return isinstance(store._searcher._kept["large"].way, LocalIndex)


async def test_a_large_namespace_that_is_asked_again_and_again_is_read_and_finds_the_same(neo4j: Database) -> None:
    async with opened(neo4j) as store:
        await store.create_namespace(SPEC)
        await say(store, *(f"turn {number}" for number in range(60)))
        by_indexes = await ask(store, searcher._SEARCHES_BEFORE_READING)
        assert not here(store)
        await read(store)
        assert here(store)
        in_process = await ask(store)
        assert (in_process.ids, in_process.revision) == (by_indexes.ids, by_indexes.revision)
        assert np.array_equal(in_process.term_counts, by_indexes.term_counts)


async def test_what_is_written_while_it_is_read_and_after_is_found(neo4j: Database) -> None:
    async with opened(neo4j) as store:
        await store.create_namespace(SPEC)
        await say(store, *(f"turn {number}" for number in range(60)))
        await ask(store, searcher._SEARCHES_BEFORE_READING)
        await say(store, "a turn said meanwhile")
        await read(store)
        assert here(store)
        assert len(await ask(store)) == 61
        await say(store, "a turn said after it")
        assert len(await ask(store)) == 62


async def test_a_namespace_that_is_made_anew_shows_nothing_of_the_old_one(neo4j: Database) -> None:
    async with opened(neo4j) as store:
        await store.create_namespace(SPEC)
        await say(store, *(f"turn {number}" for number in range(60)))
        await ask(store, searcher._SEARCHES_BEFORE_READING)
        await store.delete_namespace("large")
        await store.create_namespace(SPEC)
        await say(store, "a turn of the new one")
        await read(store)
        assert len(await ask(store)) == 1


@pytest.mark.parametrize("options", [{"index_memory_bytes": 1_000}, {"search_in_process_passages": 59}])
async def test_what_has_no_room_stays_with_the_indexes(neo4j: Database, options: dict[str, int]) -> None:
    async with opened(neo4j, **options) as store:
        await store.create_namespace(SPEC)
        await say(store, *(f"turn {number}" for number in range(60)))
        assert len(await ask(store, 2 * searcher._SEARCHES_BEFORE_READING)) == 60
        assert not store._searcher._reading
        assert not here(store)


async def test_closing_ends_what_is_being_read(neo4j: Database) -> None:
    async with opened(neo4j) as store:
        await store.create_namespace(SPEC)
        await say(store, *(f"turn {number}" for number in range(60)))
        await ask(store, searcher._SEARCHES_BEFORE_READING)
        [reading] = store._searcher._reading.values()
    assert reading.done()
