"""Calls that are given up at any moment: nothing of them stays, in this process or on the server."""

import asyncio
import gc
import random
import threading
from collections.abc import AsyncIterator, Awaitable, Callable

import psutil
import pytest

from graph.cypher import CypherLimits, CypherQuery
from graph.model import MemoryFilter
from graph.store.candidates import CandidateQuery
from graph.store.neo4j import Neo4jStore
from graph.store.port import MessageQuery
from tests.graph.store.conftest import Bench, CountingIds, ManualClock
from tests.neo4j_databases import Database

_OTHERS = """SHOW TRANSACTIONS YIELD transactionId, database, currentQuery WHERE database = $database
    AND NOT currentQuery STARTS WITH 'SHOW TRANSACTIONS' RETURN count(*) AS others"""
_TIMES = 40
# The driver leaves the socket of a connection that was given up while it was made to the garbage collector, which warns; that it is closed
# then is counted below.
pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")]


@pytest.fixture
async def bench(neo4j: Database, clock: ManualClock, ids: CountingIds) -> AsyncIterator[Bench]:
    store = Neo4jStore(neo4j.address, clock=clock, ids=ids)
    await store.open()
    bench = Bench(store, clock, ids)
    await bench.create()
    await bench.say(*(f"message {n} of the ferry" for n in range(500)))
    yield bench
    await store.close()


async def exported(bench: Bench) -> None:
    async for _ in bench.store.namespace(bench.namespace).export():
        pass


async def asked(bench: Bench) -> None:
    runner = bench.store.native_cypher(CypherLimits(timeout=20.0))
    query = "MATCH (m:Message {namespace: $namespace}) MATCH (x:Message {namespace: $namespace}) RETURN m.text, count(x) ORDER BY m.text"
    async for _ in runner.run(bench.namespace, CypherQuery(query, 1_000, 20.0, {})):
        pass


WORK: dict[str, Callable[[Bench], Awaitable[object]]] = {
    "an export": exported,
    "an administrator's Cypher": asked,
    "a listing": lambda bench: bench.store.namespace(bench.namespace).list_messages(MessageQuery(), None, 500),
    "a search": lambda bench: bench.store.namespace(bench.namespace).candidates(CandidateQuery(("ferry",), None, MemoryFilter())),
    "an append": lambda bench: bench.say("and one more", session="s2"),
}


def connections_in_use(store: Neo4jStore) -> int:
    driver = store._connection._driver
    assert driver is not None
    return sum(connection.in_use for some in driver._pool.connections.values() for connection in some)


@pytest.mark.parametrize("work", WORK)
async def test_what_is_given_up_leaves_nothing_behind(bench: Bench, neo4j: Database, work: str) -> None:
    chance = random.Random(work)
    loop = asyncio.get_running_loop()
    await WORK[work](bench)
    began = loop.time()
    await WORK[work](bench)
    longest = 1.2 * (loop.time() - began)
    gc.collect()
    files, tasks, threads, cancelled = psutil.Process().num_fds(), asyncio.all_tasks(), threading.active_count(), 0
    for _ in range(_TIMES):
        task = asyncio.create_task(WORK[work](bench))  # type: ignore[arg-type]
        await asyncio.sleep(chance.uniform(0, longest))
        for _ in range(chance.randint(1, 3)):
            task.cancel()
            await asyncio.sleep(0)
        await asyncio.wait([task])
        cancelled += task.cancelled()
        assert task.cancelled() or task.exception() is None
    assert cancelled > _TIMES // 4
    async with asyncio.timeout(60):
        while connections_in_use(bench.store) or asyncio.all_tasks() - tasks:  # noqa: ASYNC110 - what is left ends by itself
            await asyncio.sleep(0.02)
        while (await asyncio.to_thread(neo4j.run, _OTHERS, database=neo4j.name))[0]["others"]:  # noqa: ASYNC110 - the server's
            await asyncio.sleep(0.02)
    gc.collect()
    assert psutil.Process().num_fds() <= files + 4
    assert threading.active_count() <= threads + 4  # asyncio keeps some for what it is given to do
    await WORK[work](bench)
    messages = await bench.store.namespace(bench.namespace).list_messages(MessageQuery(sessions=("s2",)), None, 1_000)
    assert [message.seq for message in messages.items] == list(range(1, len(messages.items) + 1))
    assert await bench.store.namespace(bench.namespace).check() == []
