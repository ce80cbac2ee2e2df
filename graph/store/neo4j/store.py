"""`Neo4jStore`: the store port on a Neo4j database. Each intent is a call into the module that knows it."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import timedelta

from graph.cypher import CypherLimits, CypherRunner
from graph.model import (
    IdSource,
    JobKind,
    Lease,
    Namespace,
    UuidSource,
)
from graph.store.neo4j import (
    migrations,
    namespaces,
    reanalysis,
    sweeping,
)
from graph.store.neo4j.admin_cypher.runner import NativeCypher
from graph.store.neo4j.checking.store_check import check_store
from graph.store.neo4j.driver.connection import Address, Connection
from graph.store.neo4j.driver.database import Database
from graph.store.neo4j.importing import namespace_import
from graph.store.neo4j.jobs import leases, waiting
from graph.store.neo4j.memory import Neo4jMemory
from graph.store.neo4j.searching import Searcher
from graph.store.port import (
    Clock,
    ConsistencyPoint,
    ExportRecord,
    Finding,
    Memory,
    Missing,
    NamespaceSpec,
)

# How long a call is tried again while the server is away or busy. Less than what most callers wait for an answer.
PATIENCE = timedelta(seconds=10)


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

    async def ping(self) -> None:
        """See `Store.ping`."""
        await namespaces.ping(self._database)

    async def secret(self) -> bytes:
        """See `Store.secret`."""
        return await namespaces.secret(self._database)

    def native_cypher(self, limits: CypherLimits) -> CypherRunner:
        """See `graph.cypher.SpeaksCypher`."""
        return NativeCypher(self._connection, limits)

    # Namespaces

    def namespace(self, name: str, at_least: ConsistencyPoint | None = None, *, missing: Missing | None = None) -> Memory:
        """See `Store.namespace`."""
        return Neo4jMemory(self._database, self._searcher, self._watch, name, at_least, missing)

    async def create_namespace(self, spec: NamespaceSpec) -> Namespace:
        """See `Store.create_namespace`."""
        return await namespaces.create(self._database, spec)

    async def list_namespaces(self, prefix: str, after: str, limit: int) -> list[Namespace]:
        """See `Store.list_namespaces`."""
        return await namespaces.listed(self._database, prefix, after, limit)

    async def delete_namespace(self, name: str) -> None:
        """See `Store.delete_namespace`."""
        await namespaces.delete(self._database, name)

    async def import_namespace(self, namespace: Namespace, records: AsyncIterator[Sequence[ExportRecord]]) -> Namespace:
        """See `Store.import_namespace`."""
        return await namespace_import.import_namespace(self._database, namespace, records)

    # Work

    async def lease_job(self, worker: str, duration: timedelta, kinds: Collection[JobKind]) -> Lease | None:
        """See `Store.lease_job`."""
        return await leases.lease_job(self._database, worker, duration, kinds)

    async def wait_for_work(self, timeout: timedelta) -> None:
        """See `Store.wait_for_work`."""
        await waiting.wait_for_work(self._database, timeout)

    # Integrity

    async def check(self) -> list[Finding]:
        """See `Store.check`."""
        return await check_store(self._connection)
