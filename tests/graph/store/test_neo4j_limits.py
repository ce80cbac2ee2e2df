"""Neo4j's limits of memory, time and locks, met on a real server: each is told apart, and only what may succeed is tried again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from graph.errors import StoreLimit, StoreUnavailable, StructMemError
from graph.store.neo4j.driver.connection import Connection
from tests.neo4j_databases import TRANSACTION_MEMORY, Database

pytestmark = pytest.mark.neo4j
_LONG = "UNWIND range(1, 1000000000) AS x WITH x WHERE x < 0 RETURN x"
_HEAVY = "UNWIND range(1, 5000000) AS x RETURN size(collect([x, x, x, x]))"


@pytest.fixture
async def link(neo4j: Database) -> AsyncIterator[Connection]:
    link = Connection(neo4j.address, timedelta(seconds=20))
    await link.open()
    yield link
    await link.close()


class Tries:
    """A query in transactions that may take so long, or as long as they like, and how often it was tried."""

    def __init__(self, link: Connection, query: str, seconds: float | None = None) -> None:
        self._link, self._query, self._seconds = link, query, seconds
        self.count = 0

    async def __call__(self) -> None:
        self.count += 1
        async with self._link.session(write=True) as session, await session.begin_transaction(timeout=self._seconds) as tx:
            await (await tx.run(self._query)).consume()
            await tx.commit()


async def told(link: Connection, attempt: Callable[[], Awaitable[Any]]) -> StructMemError:
    with pytest.raises(StructMemError) as raised:
        await link.patiently(attempt)
    return raised.value


async def test_beyond_a_transactions_own_memory_is_told_as_that_and_not_repeated(neo4j: Database, link: Connection) -> None:
    if neo4j.server is None:
        pytest.skip(f"a server whose db.memory.transaction.max is not ours to set; here it has to be {TRANSACTION_MEMORY}")
    heavy = Tries(link, _HEAVY)
    error = await told(link, heavy)
    assert type(error) is StoreLimit
    assert "raise its db.memory.transaction.max" in str(error)
    assert (heavy.count, error.retry_after) == (1, None)


async def test_a_transaction_that_takes_too_long_is_told_as_that_and_not_repeated(link: Connection) -> None:
    long = Tries(link, _LONG, 0.5)
    error = await told(link, long)
    assert (type(error), long.count) == (StoreUnavailable, 1)
    assert "longer than Neo4j allows" in str(error)
    assert error.retry_after is not None


async def test_who_waited_too_long_for_a_lock_waits_again(neo4j: Database, link: Connection) -> None:
    neo4j.run("CREATE (:Spare {visits: 0})")
    visiting = Tries(link, "MATCH (s:Spare) SET s.visits = s.visits + 1", 0.5)
    with neo4j.driver.session(database=neo4j.name) as session, session.begin_transaction() as holder:
        holder.run("MATCH (s:Spare) SET s.visits = 10").consume()
        visit = asyncio.create_task(link.patiently(visiting))
        async with asyncio.timeout(60):
            while visiting.count < 2:  # noqa: ASYNC110 - the count is the task's
                await asyncio.sleep(0.01)
        holder.commit()
    await visit
    assert neo4j.run("MATCH (s:Spare) RETURN s.visits AS visits") == [{"visits": 11}]


async def test_what_somebody_ends_is_not_told_as_a_defect(neo4j: Database, link: Connection) -> None:
    long = Tries(link, _LONG, 60)
    running = asyncio.create_task(told(link, long))
    name = "SHOW TRANSACTIONS YIELD transactionId AS id, currentQuery AS query WHERE query = $text RETURN id"
    async with asyncio.timeout(60):
        while not (found := neo4j.run(name, text=_LONG)):  # noqa: ASYNC110 - what runs is the server's to know
            await asyncio.sleep(0.05)
    neo4j.run("TERMINATE TRANSACTION $id", id=found[0]["id"])
    error = await running
    assert type(error) is StoreUnavailable
    assert "somebody ended" in str(error)
    assert long.count == 1
