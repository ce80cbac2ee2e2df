"""`Neo4jStore`: the store port on a Neo4j database. Each intent is a call into the module that knows it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from graph.cypher import CypherLimits, CypherRunner
from graph.model import IdSource, UuidSource
from graph.store.neo4j import migrations, namespaces, reanalysis, sweeping
from graph.store.neo4j.admin_cypher.runner import NativeCypher
from graph.store.neo4j.checking.store_check import check_store
from graph.store.neo4j.driver.connection import Address, Connection
from graph.store.neo4j.driver.database import Database
from graph.store.neo4j.importing import namespace_import
from graph.store.neo4j.jobs import leases, waiting
from graph.store.neo4j.memory import Neo4jMemory
from graph.store.neo4j.searching import Searcher
from graph.store.port import Clock, ConsistencyPoint, Finding, Memory, Missing

# How long a call is tried again while the server is away or busy. Less than what most callers wait for an answer.
PATIENCE = timedelta(seconds=10)

P = ParamSpec("P")
T = TypeVar("T")


def _on_database(work: Callable[Concatenate[Database, P], Awaitable[T]]) -> Callable[Concatenate["Neo4jStore", P], Coroutine[Any, Any, T]]:
    """The method of stores that does this work on the database."""

    @wraps(work)
    async def method(store: "Neo4jStore", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await work(store._database, *args, **kwargs)

    return method


class Neo4jStore:
    """A store in one Neo4j database, which other processes may use at the same time. Implements `graph.store.port.Store`."""

    def __init__(
        self,
        address: Address,
        *,
        clock: Clock | None = None,
        ids: IdSource | None = None,
        patience: timedelta = PATIENCE,
        search_in_process_passages: int = 400_000,
        index_memory_bytes: int = 1 << 30,
    ) -> None:
        """Nothing happens until `open`.

        Args:
            address: where the database is, and who asks.
            clock: replaces the server's clock, by which times are recorded and leases end.
            ids: mints the ids of sessions, messages, jobs and receipts.
            patience: how long a call is tried again while the server is away or busy.
            search_in_process_passages: namespaces of at most so many passages may be searched in this process; see `Searcher`.
            index_memory_bytes: what this process keeps for searching may take; the least recently used is let go.
        """
        self._connection = Connection(address, patience)
        self._database = Database(self._connection, clock, ids or UuidSource())
        self._searcher = Searcher(self._connection, search_in_process_passages, index_memory_bytes)
        self._watch = waiting.JobWatch(self._database)
        self._reanalysis: asyncio.Task[None] | None = None

    # The life of the store

    async def open(self) -> None:
        """See `Store.open`. Namespaces whose texts an older analyser read are brought to the present one meanwhile.

        Raises:
            StoreUnavailable: it says what is wrong with the server, its settings or its indexes.
            Conflict: a newer version of StructMem has written here.
        """
        await self._connection.open()
        try:
            await migrations.migrate(self._connection)
            outdated = await reanalysis.outdated_namespaces(self._database)
            await sweeping.sweep(self._database)
        except BaseException:
            await self._connection.close()
            raise
        if outdated:
            self._reanalysis = asyncio.create_task(reanalysis.keep_analysed(self._database, outdated))

    async def close(self) -> None:
        """See `Store.close`."""
        if self._reanalysis is not None:
            self._reanalysis.cancel()
            await asyncio.gather(self._reanalysis, return_exceptions=True)
        await self._watch.close()
        await self._searcher.close()
        await self._database.close()
        await self._connection.close()

    ping = _on_database(namespaces.ping)
    secret = _on_database(namespaces.secret)

    def native_cypher(self, limits: CypherLimits) -> CypherRunner:
        """See `graph.cypher.SpeaksCypher`."""
        return NativeCypher(self._connection, limits)

    # Namespaces

    def namespace(self, name: str, at_least: ConsistencyPoint | None = None, *, missing: Missing | None = None) -> Memory:
        """See `Store.namespace`."""
        return Neo4jMemory(self._database, self._searcher, self._watch, name, at_least, missing)

    create_namespace = _on_database(namespaces.create)
    list_namespaces = _on_database(namespaces.listed)
    delete_namespace = _on_database(namespaces.delete)
    import_namespace = _on_database(namespace_import.import_namespace)

    # Work

    lease_job = _on_database(leases.lease_job)
    wait_for_work = _on_database(waiting.wait_for_work)

    # Integrity

    async def check(self) -> list[Finding]:
        """See `Store.check`."""
        return await check_store(self._connection)
