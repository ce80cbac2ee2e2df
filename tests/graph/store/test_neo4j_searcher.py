"""Which way a namespace in Neo4j is searched: a large one by Neo4j's indexes until it has been read, and in this process from then on."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from graph.errors import StoreUnavailable
from graph.model import EmbeddingSpec, ExtractionMode, Granularity, MemoryFilter, Role, TimeRange, TimeSpan, to_micros
from graph.store.candidates import CandidateQuery, Candidates
from graph.store.neo4j import Neo4jStore
from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.searching import channels, searcher
from graph.store.neo4j.searching.changes import Head
from graph.store.neo4j.searching.local import LocalIndex
from graph.store.port import AppendCommand, MessageDraft, NamespaceSpec
from graph.store.search import SearchIndex
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
    await store.namespace("large").append(AppendCommand("s", tuple(map(draft, texts)), timedelta(0)))


async def ask(store: Neo4jStore, times: int = 1) -> Candidates:
    for _ in range(times):
        found = await store.namespace("large").candidates(QUESTION)
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


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """What reading a large namespace begins with waits for it."""
    go = asyncio.Event()
    read_head = searcher.read_head

    async def waits(*given: Any) -> Head:
        await go.wait()
        return await read_head(*given)

    monkeypatch.setattr(searcher, "read_head", waits)
    return go


async def test_what_is_written_before_and_after_it_was_read_is_found(neo4j: Database, held: asyncio.Event) -> None:
    async with opened(neo4j) as store:
        await store.create_namespace(SPEC)
        await say(store, *(f"turn {number}" for number in range(60)))
        await ask(store, searcher._SEARCHES_BEFORE_READING)
        await say(store, "a turn said meanwhile")
        held.set()
        await read(store)
        assert here(store)
        assert len(await ask(store)) == 61
        await say(store, "a turn said after it")
        assert len(await ask(store)) == 62


async def test_a_namespace_that_is_made_anew_shows_nothing_of_the_old_one(neo4j: Database, held: asyncio.Event) -> None:
    async with opened(neo4j) as store:
        await store.create_namespace(SPEC)
        for number in range(60):
            await say(store, f"turn {number}")
        await ask(store, searcher._SEARCHES_BEFORE_READING)
        await store.delete_namespace("large")
        await store.create_namespace(SPEC)
        await say(store, "a turn of the new one")
        held.set()
        await read(store)
        assert len(await ask(store)) == 1
        await say(store, "its second turn")
        assert len(await ask(store)) == 2


async def test_a_search_that_was_cancelled_loses_no_change(neo4j: Database) -> None:
    async with opened(neo4j) as store:
        await store.create_namespace(SPEC)
        await say(store, "turn 0")
        await ask(store)
        for number in range(1, 6):
            await say(store, f"turn {number}")
            asking = asyncio.create_task(ask(store))
            await asyncio.sleep(0.002 * number)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        assert len(await ask(store)) == 6


async def test_a_reading_that_failed_is_not_begun_again_at_once(neo4j: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: Any) -> Head:
        raise StoreUnavailable("away")

    async with opened(neo4j) as store:
        await store.create_namespace(SPEC)
        await say(store, *(f"turn {number}" for number in range(60)))
        monkeypatch.setattr(searcher, "read_head", fails)
        await ask(store, searcher._SEARCHES_BEFORE_READING)
        await read(store)
        assert len(await ask(store, 2 * searcher._SEARCHES_BEFORE_READING)) == 60
        assert not store._searcher._reading
        assert not here(store)


async def test_an_index_that_has_outgrown_its_memory_is_let_go(neo4j: Database) -> None:
    async with opened(neo4j, index_memory_bytes=200_000) as store:
        await store.create_namespace(SPEC)
        await say(store, *(f"turn {number}" for number in range(20)))
        await ask(store)
        assert here(store)
        store._searcher._memory = 1_000
        await say(store, *(f"another turn {number}" for number in range(20)))
        assert len(await ask(store, 2)) == 40
        assert not here(store)


@pytest.mark.parametrize("options", [{"index_memory_bytes": 1_000}, {"search_in_process_passages": 59}])
async def test_what_has_no_room_stays_with_the_indexes(neo4j: Database, options: dict[str, int]) -> None:
    async with opened(neo4j, **options) as store:
        await store.create_namespace(SPEC)
        await say(store, *(f"turn {number}" for number in range(60)))
        assert len(await ask(store, 2 * searcher._SEARCHES_BEFORE_READING)) == 60
        assert not store._searcher._reading
        assert not here(store)


async def test_a_cancelled_search_holds_its_place_until_its_thread_is_done(neo4j: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    go = threading.Event()
    search = SearchIndex.search

    def waits(index: SearchIndex, *given: Any) -> Candidates:
        go.wait(30)
        return search(index, *given)

    async with opened(neo4j) as store:
        await store.create_namespace(SPEC)
        await say(store, "turn 0")
        await ask(store)
        store._searcher._searching = asyncio.Semaphore(1)
        with monkeypatch.context() as patch:
            patch.setattr(SearchIndex, "search", waits)
            asking = asyncio.create_task(ask(store))
            while not store._searcher._searching.locked():  # noqa: ASYNC110 - it is a thread's
                await asyncio.sleep(0.01)
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
            assert store._searcher._searching.locked()
            go.set()
        assert len(await ask(store)) == 1


async def test_what_is_idle_makes_room_before_another_namespace_is_read(
    neo4j: Database, held: asyncio.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(neo4j) as store:
        await store.create_namespace(SPEC)
        await say(store, *(f"turn {number}" for number in range(60)))
        await ask(store)
        needed = searcher._bytes_of_index(store._searcher._kept["large"].way)
        for name in ("idle", "used"):
            store._searcher._kept[name] = searcher._Kept(SimpleNamespace(nbytes=needed), time.monotonic())
        store._searcher._kept["idle"].used_at -= 2 * searcher._IDLE_SECONDS
        store._searcher._memory = 5 * needed // 2
        await ask(store, searcher._SEARCHES_BEFORE_READING)
        assert set(store._searcher._reading) == {"large"}
        assert list(store._searcher._kept) == ["used", "large"]
        held.set()
        await read(store)
        assert here(store)


async def test_nothing_is_read_once_the_store_is_closed(neo4j: Database) -> None:
    async with opened(neo4j) as store:
        await store.create_namespace(SPEC)
        await say(store, *(f"turn {number}" for number in range(60)))
        await store._searcher.close()
        assert len(await ask(store, 2 * searcher._SEARCHES_BEFORE_READING)) == 60
        assert not store._searcher._reading


async def test_closing_ends_what_is_being_read(neo4j: Database, held: asyncio.Event) -> None:
    async with opened(neo4j) as store:
        await store.create_namespace(SPEC)
        await say(store, *(f"turn {number}" for number in range(60)))
        await ask(store, searcher._SEARCHES_BEFORE_READING)
        [reading] = store._searcher._reading.values()
        await asyncio.sleep(0.05)
    assert not held.is_set()
    assert reading.cancelled()


async def test_dates_are_those_of_the_microseconds(neo4j: Database) -> None:
    times = [datetime(year, 3, 4, 5, 6, 7, 123457, UTC) for year in (2, 1492, 1969, 2024, 9998)]
    async with opened(neo4j) as store:
        await store.create_namespace(SPEC)
        drafts = tuple(MessageDraft("Ana", Role.USER, str(at.year), at) for at in times)
        await store.namespace("large").append(AppendCommand("s", drafts, timedelta(0)))
    found = neo4j.run("MATCH (m:Message) RETURN m.said_on AS at, m.said_at AS micros ORDER BY m.seq")
    assert [row["at"].to_native() for row in found] == times
    assert [row["micros"] for row in found] == list(map(to_micros, times))


async def test_a_search_says_the_same_to_neo4j_whatever_its_numbers_are(neo4j: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neo4j plans each text once, for some 180 ms: a number that stands in the text costs that again for every number."""
    texts: set[str] = set()
    run = Connection._run

    async def noted(link: Connection, query: str, *given: Any, **more: Any) -> Any:
        texts.add(query)
        return await run(link, query, *given, **more)

    monkeypatch.setattr(Connection, "_run", noted)
    monkeypatch.setattr(searcher, "_SEARCHES_BEFORE_READING", 1_000)
    start, end = datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)
    happened, spans = MemoryFilter(happened=TimeRange(start, end)), (TimeSpan(start, end, Granularity.YEAR, "2024"),)
    seen = []
    async with opened(neo4j) as store:
        await store.create_namespace(SPEC)
        await say(store, *(f"turn {number}" for number in range(60)))
        for number in (1, 7, 60, 200):
            texts.clear()
            for chosen in (MemoryFilter(), happened):
                wanted = replace(
                    QUESTION,
                    filter=chosen,
                    spans=spans,
                    lexical_limit=number,
                    dense_limit=number,
                    temporal_limit=number,
                    instruction_limit=number,
                )
                await store.namespace("large").candidates(wanted)
            seen.append(set(texts))
    assert all(any("SEARCH m IN (VECTOR INDEX" in text for text in one) for one in seen)
    assert [text for one in seen for text in one - seen[0]] == []


@pytest.mark.parametrize("month", [3, 5], ids=["said then", "naming it"])
async def test_memories_to_leave_out_leave_room_for_others_of_their_time(neo4j: Database, month: int) -> None:
    async with opened(neo4j, search_in_process_passages=0) as store:
        await store.create_namespace(SPEC)
        drafts = tuple(draft(f"turn {number} of 4 May 2024", number) for number in range(100))
        said = (await store.namespace("large").append(AppendCommand("s", drafts, timedelta(0)))).messages
        noon = datetime(2024, month, 4, 12, tzinfo=UTC)
        day = TimeSpan(noon - timedelta(hours=12), noon + timedelta(hours=12), Granularity.DAY)
        # Of those said then the latest are nearest to noon; those that name the day are all as near.
        left = {message.id for message in said[:2]}
        chosen = MemoryFilter(not_ids=tuple(message.id for message in said if message.id not in left))
        query = CandidateQuery((), None, chosen, spans=(day,), lexical_limit=0, dense_limit=0, temporal_limit=2, neighbours=0)
        assert set((await store.namespace("large").candidates(query)).ids) == left


@pytest.mark.parametrize(
    ("shares", "asks"),
    [
        # Of what an index knows all about.
        (None, [300]),
        # A turn's own session, of which a fifth of the best is.
        ([0.8], [400]),
        ([0.5, 0.5], [400, 1_600]),
        ([0.1, 0.1, 0.1], [400, 1_600, 6_400]),
        ([0.0] * 4, [400, 1_600, 6_400, 12_000]),
    ],
)
async def test_an_index_is_asked_again_when_too_little_passes(shares: list[float] | None, asks: list[int]) -> None:
    asked: list[int] = []

    async def ask(count: int) -> channels._Found:
        asked.append(count)
        return channels._Found(range(int(count * (shares or [1.0])[0])), exhausted=False)

    rows = await channels._enough(ask, 100, filtered=shares is not None)
    assert asked == asks
    assert not shares or len(rows) == int(asks[-1] * shares[0])
