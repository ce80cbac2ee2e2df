"""What one process has written, another one's reads can be brought to see."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from graph.errors import InvalidArgument, NamespaceNotFound, RevisionNotReached
from graph.model import EdgeKind, MemoryFilter
from graph.store.candidates import CandidateQuery
from graph.store.neo4j import Neo4jStore
from graph.store.neo4j.driver.positions import Positions
from graph.store.port import AppendCommand, ConsistencyPoint, EntityQuery, EventQuery, JobQuery, Memory, MessageQuery, StatementQuery
from tests.graph.store.conftest import Bench, CountingIds, ManualClock
from tests.neo4j_databases import Database


async def test_a_position_can_be_reached_by_the_store_that_gave_it(bench: Bench) -> None:
    await bench.say("Hello")
    memory = bench.store.namespace(bench.namespace)
    settings = await memory.settings()
    at_least = ConsistencyPoint(settings.uid, settings.revision, memory.position())

    found = await bench.store.namespace(bench.namespace, at_least).list_messages(MessageQuery(), None, 10)
    assert [message.text for message in found.items] == ["Hello"]


LATER = datetime(2100, 1, 1, tzinfo=UTC)
READS: dict[str, Callable[[Memory], Awaitable[object]]] = {
    "settings": lambda memory: memory.settings(),
    "get_nodes": lambda memory: memory.get_nodes([]),
    "get_session": lambda memory: memory.get_session("s1"),
    "list_sessions": lambda memory: memory.list_sessions(None, 10),
    "list_messages": lambda memory: memory.list_messages(MessageQuery(), None, 10),
    "list_events": lambda memory: memory.list_events(EventQuery(), None, 10),
    "list_statements": lambda memory: memory.list_statements(StatementQuery(), None, 10),
    "list_entities": lambda memory: memory.list_entities(EntityQuery(), None, 10),
    "list_jobs": lambda memory: memory.list_jobs(JobQuery(), None, 10),
    "describe": lambda memory: memory.describe(),
    "usage": lambda memory: memory.usage(),
    "last_messages": lambda memory: memory.last_messages("s1", LATER, 4),
    "query_scope": lambda memory: memory.query_scope([]),
    "candidates": lambda memory: memory.candidates(CandidateQuery(("hello",), None, MemoryFilter())),
    "neighbourhood": lambda memory: memory.neighbourhood([], [EdgeKind.NEXT], 1, 10, 10),
    "check": lambda memory: memory.check(),
    "export": lambda memory: anext(aiter(memory.export())),
    "missing_vectors": lambda memory: memory.missing_vectors("s1", 10),
}


@pytest.mark.parametrize("read", READS)
async def test_every_read_sees_what_it_has_to_or_fails(bench: Bench, read: str) -> None:
    await bench.say("Hello")
    settings = await bench.store.namespace(bench.namespace).settings()
    here = ConsistencyPoint(settings.uid, settings.revision)
    await READS[read](bench.store.namespace(bench.namespace, here))
    with pytest.raises(RevisionNotReached):
        await READS[read](bench.store.namespace(bench.namespace, replace(here, revision=settings.revision + 1)))


@pytest.mark.parametrize("read", READS)
async def test_a_handle_stays_with_the_namespace_that_it_found(bench: Bench, read: str) -> None:
    await bench.say("Hello")
    memory = bench.store.namespace(bench.namespace)
    old = await memory.settings()
    await bench.store.delete_namespace(bench.namespace)
    with pytest.raises(NamespaceNotFound):
        await READS[read](memory)
    await bench.create()
    with pytest.raises(NamespaceNotFound):
        await READS[read](memory)
    with pytest.raises(NamespaceNotFound):
        await memory.append(AppendCommand("s1", (bench.draft("late"),), timedelta(0)))
    # A new handle is of the new one, of which the old one's writes ask nothing.
    await bench.say("Hello again")
    await READS[read](bench.store.namespace(bench.namespace, ConsistencyPoint(old.uid, old.revision + 100)))


async def test_the_embedded_store_needs_none_and_takes_none_of_others(bench: Bench) -> None:
    if isinstance(bench.store, Neo4jStore):
        return
    await bench.say("Hello")
    assert bench.store.namespace(bench.namespace).position() == ()
    with pytest.raises(InvalidArgument, match="another store"):
        await bench.store.namespace(bench.namespace, ConsistencyPoint("", 0, ("FB:kcwQ",))).settings()


@pytest.fixture
async def two(neo4j: Database, clock: ManualClock, ids: CountingIds):
    """The stores of two processes on one database."""
    stores = [Neo4jStore(neo4j.address, clock=clock, ids=ids) for _ in range(2)]
    for store in stores:
        await store.open()
    yield stores
    for store in stores:
        await store.close()


async def test_another_process_reads_what_the_position_stands_for(two, clock: ManualClock, ids: CountingIds) -> None:
    writer, reader = two
    bench = Bench(writer, clock, ids)
    await bench.create()
    for number in range(5):
        await bench.say(f"message {number}", session=f"s{number}")
        position = writer.namespace(bench.namespace).position()
        assert len(position) == 1
        page = await reader.namespace(bench.namespace, ConsistencyPoint("", 0, position)).list_messages(
            MessageQuery(sessions=(f"s{number}",)), None, 10
        )
        assert [message.text for message in page.items] == [f"message {number}"]
        # What a reader waits for does not pile up.
        assert len(reader.namespace(bench.namespace).position()) == 1
    assert reader.namespace("another").position() == ()


@pytest.fixture
def brought(two, monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The bookmarks that each session of the second process brings along."""
    driver = two[1]._connection._driver
    opened, seen = driver.session, []

    def session(**options):
        seen.append(set(options["bookmarks"].raw_values if options["bookmarks"] else ()))
        return opened(**options)

    monkeypatch.setattr(driver, "session", session)
    return seen


async def test_what_reads_beyond_one_namespace_waits_for_all_that_this_process_wrote(
    two, brought, clock: ManualClock, ids: CountingIds
) -> None:
    store = two[1]
    for name in ("a", "b", "c"):
        bench = Bench(store, clock, ids, name)
        await bench.create()
        await bench.say("Hello")
        newest = set(store.namespace(name).position())
        assert len(newest) == 1
        for read in (lambda: store.list_namespaces("", "", 10), store.check, lambda: store.wait_for_work(timedelta(0))):
            brought.clear()
            await read()
            assert brought[0] == newest
    await store.delete_namespace("b")
    brought.clear()
    assert [namespace.name for namespace in await store.list_namespaces("", "", 10)] == ["a", "c"]
    assert brought[0] not in (set(), newest)
    # A read of one namespace waits for that one's writes alone, and a write for nothing that would pile up.
    brought.clear()
    await store.namespace("a").settings()
    assert brought == [set(store.namespace("a").position())]
    await asyncio.gather(*(Bench(store, clock, ids, name).say("Hello", session=f"s{n}") for name in ("a", "c") for n in range(20)))
    await store.list_namespaces("", "", 10)
    brought.clear()
    await store.list_namespaces("", "", 10)
    assert len(brought[0]) == 1


async def test_a_listing_waits_for_what_tokens_of_other_processes_named(two, brought, clock: ManualClock, ids: CountingIds) -> None:
    writer, reader = two
    bench = Bench(writer, clock, ids)
    await bench.create()
    await reader.namespace(bench.namespace, ConsistencyPoint("", 0, writer.namespace(bench.namespace).position())).settings()
    reached = set(reader.namespace(bench.namespace).position())
    brought.clear()
    await reader.list_namespaces("", "", 10)
    assert reached <= brought[0]  # what it read when it opened is there as well, until now
    # Of many, of which no listing made one, all are waited for once, and what is kept stays short.
    for number in range(60):
        await bench.say(f"message {number}")
        await reader.namespace(bench.namespace, ConsistencyPoint("", 0, writer.namespace(bench.namespace).position())).settings()
    newest = set(reader.namespace(bench.namespace).position())
    brought.clear()
    await reader.list_namespaces("", "", 10)
    assert newest <= brought[0]
    assert len(brought[0]) <= 50


async def test_a_position_of_another_database_is_refused(two, clock: ManualClock, ids: CountingIds) -> None:
    await Bench(two[0], clock, ids).create()
    with pytest.raises(InvalidArgument, match="at_least"):
        await two[1].namespace("acme/ana", ConsistencyPoint("", 0, ("FB:nonsense",))).settings()
    # It leaves nothing behind.
    assert (await two[1].namespace("acme/ana").settings()).name == "acme/ana"


def test_positions_of_writers_at_once_are_all_kept() -> None:
    known = Positions()
    known.passed("ana", (), ["1"])
    began = known.of("ana")
    known.passed("ana", began, ["3"])
    known.passed("ana", began, ["2"])  # a write that began beside the other one, and whose answer came later

    assert known.of("ana") == {"2", "3"}
    known.passed("ana", known.of("ana"), ["4"])
    assert known.of("ana") == {"4"}
