"""What one process has written, another one's reads can be brought to see."""

import pytest

from graph.errors import InvalidArgument
from graph.store.commands import MessageQuery
from graph.store.neo4j import Neo4jStore
from graph.store.neo4j.driver.positions import Positions
from tests.graph.store.conftest import Bench, CountingIds, ManualClock
from tests.neo4j_databases import Database


async def test_a_position_can_be_reached_by_the_store_that_gave_it(bench: Bench) -> None:
    await bench.say("Hello")
    await bench.store.reach(bench.namespace, bench.store.position(bench.namespace))

    assert await bench.texts() == ["Hello"]


async def test_the_embedded_store_needs_none_and_takes_none_of_others(bench: Bench) -> None:
    if isinstance(bench.store, Neo4jStore):
        return
    await bench.say("Hello")
    assert bench.store.position(bench.namespace) == ()
    with pytest.raises(InvalidArgument, match="another store"):
        await bench.store.reach(bench.namespace, ["FB:kcwQ"])


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
        position = writer.position(bench.namespace)
        assert len(position) == 1
        await reader.reach(bench.namespace, position)
        page = await reader.list_messages(bench.namespace, MessageQuery(sessions=(f"s{number}",)), None, 10)
        assert [message.text for message in page.items] == [f"message {number}"]
        # What a reader waits for does not pile up.
        assert len(reader.position(bench.namespace)) == 1
    assert reader.position("another") == ()


async def test_a_position_of_another_database_is_refused(two, clock: ManualClock, ids: CountingIds) -> None:
    await Bench(two[0], clock, ids).create()
    with pytest.raises(InvalidArgument, match="at_least"):
        await two[1].reach("acme/ana", ["FB:nonsense"])
    # It leaves nothing behind.
    assert (await two[1].get_namespace("acme/ana")).name == "acme/ana"


def test_positions_of_writers_at_once_are_all_kept() -> None:
    known = Positions()
    known.passed("ana", (), ["1"])
    began = known.of("ana")
    known.passed("ana", began, ["3"])
    known.passed("ana", began, ["2"])  # a write that began beside the other one, and whose answer came later

    assert known.of("ana") == {"2", "3"}
    known.passed("ana", known.of("ana"), ["4"])
    assert known.of("ana") == {"4"}
