"""`Neo4jStore`: the store port on a Neo4j database. Each intent is a call into the module that knows it."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from graph.cypher import CypherLimits, CypherRunner
from graph.model import (
    EdgeKind,
    Entity,
    Event,
    IdSource,
    Job,
    JobKind,
    JobState,
    Lease,
    Message,
    Namespace,
    Node,
    Session,
    Statement,
    UuidSource,
)
from graph.store.candidates import CandidateQuery, Candidates, Subgraph
from graph.store.commands import (
    AppendCommand,
    AppendOutcome,
    Cursor,
    Deletion,
    DeletionReceipt,
    EntityQuery,
    EventQuery,
    ExportRecord,
    ExtractionWrite,
    Finding,
    GenerationStart,
    GraphDescription,
    JobOutcome,
    LinkDecided,
    LinkDecision,
    MessageQuery,
    NamespaceChange,
    NamespaceSpec,
    NodeEdges,
    Page,
    PassageText,
    PassageVector,
    PendingWork,
    QueryScope,
    StatementQuery,
    UsageEntry,
)
from graph.store.neo4j import deletion as deletions
from graph.store.neo4j import (
    description,
    exporting,
    extraction,
    generations,
    links,
    listings,
    migrations,
    namespaces,
    scope,
    sweeping,
    walk,
)
from graph.store.neo4j.admin_cypher.runner import NativeCypher
from graph.store.neo4j.append import append
from graph.store.neo4j.checking import namespace_check as checks
from graph.store.neo4j.checking.store_check import check_store
from graph.store.neo4j.driver import reading
from graph.store.neo4j.driver.connection import Address, Connection
from graph.store.neo4j.driver.database import Database
from graph.store.neo4j.importing import namespace_import
from graph.store.neo4j.jobs import job_control, leases, pending_work, waiting
from graph.store.neo4j.rows import node_edges, node_reading, usage_rows, vector_rows
from graph.store.neo4j.searching import Searcher
from graph.store.port import Clock

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

    # The life of the store

    async def open(self) -> None:
        """See `Store.open`. Raises StoreUnavailable, which says what is wrong with the server, its settings or its indexes."""
        await self._connection.open()
        try:
            await migrations.migrate(self._connection)
            await sweeping.sweep(self._database)
        except BaseException:
            await self._connection.close()
            raise

    async def close(self) -> None:
        """See `Store.close`."""
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

    async def create_namespace(self, spec: NamespaceSpec) -> Namespace:
        """See `Store.create_namespace`."""
        return await namespaces.create(self._database, spec)

    async def get_namespace(self, name: str) -> Namespace:
        """See `Store.get_namespace`."""
        return await self._database.namespace(name)

    async def list_namespaces(self, prefix: str, after: str, limit: int) -> list[Namespace]:
        """See `Store.list_namespaces`."""
        return await namespaces.listed(self._database, prefix, after, limit)

    async def update_namespace(self, name: str, change: NamespaceChange) -> Namespace:
        """See `Store.update_namespace`."""
        return await self._database.write(name, lambda tx: namespaces.update(tx, change))

    async def delete_namespace(self, name: str) -> None:
        """See `Store.delete_namespace`."""
        await namespaces.delete(self._database, name)

    # Writing

    async def append(self, namespace: str, command: AppendCommand) -> AppendOutcome:
        """See `Store.append`. Answered within three times the store's patience, whatever becomes of the server."""
        async with self._connection.answered():
            return await append(self._database, namespace, command)

    async def flush(self, namespace: str, session: str) -> tuple[str, ...]:
        """See `Store.flush`."""
        return await self._database.write(namespace, lambda tx: job_control.flush(tx, self._database.ids, session))

    async def begin_generation(self, namespace: str, start: GenerationStart) -> int:
        """See `Store.begin_generation`."""
        return await generations.begin_generation(self._database, namespace, start)

    async def commit_extraction(self, lease: Lease, write: ExtractionWrite) -> int:
        """See `Store.commit_extraction`."""
        return await extraction.commit_extraction(self._database, lease, write)

    async def missing_vectors(self, namespace: str, session: str, limit: int) -> list[PassageText]:
        """See `Store.missing_vectors`."""
        return await pending_work.missing_vectors(self._database, namespace, session, limit)

    async def put_vectors(
        self, namespace: str, fingerprint: str, vectors: Sequence[PassageVector], usage: Sequence[UsageEntry] = ()
    ) -> int:
        """See `Store.put_vectors`."""
        return await vector_rows.put_vectors(self._database, namespace, fingerprint, vectors, usage)

    async def delete(self, namespace: str, deletion: Deletion) -> DeletionReceipt:
        """See `Store.delete`."""
        return await deletions.delete(self._database, namespace, deletion)

    async def decide_link(self, namespace: str, decision: LinkDecision) -> LinkDecided:
        """See `Store.decide_link`."""
        return await self._database.write(namespace, lambda tx: links.decide_link(tx, decision))

    async def add_usage(self, namespace: str, usage: Sequence[UsageEntry]) -> None:
        """See `Store.add_usage`."""
        if usage:
            await self._database.write(namespace, lambda tx: usage_rows.add_usage(tx, usage))

    # Jobs

    async def lease_job(self, worker: str, duration: timedelta, kinds: Collection[JobKind]) -> Lease | None:
        """See `Store.lease_job`."""
        return await leases.lease_job(self._database, worker, duration, kinds)

    async def wait_for_work(self, timeout: timedelta) -> None:
        """See `Store.wait_for_work`."""
        await waiting.wait_for_work(self._database, timeout)

    async def renew(self, lease: Lease, duration: timedelta) -> Lease:
        """See `Store.renew`."""
        return await self._database.write(lease.job.namespace, lambda tx: leases.renew(tx, lease, duration))

    async def pending(self, lease: Lease, limit: int) -> PendingWork:
        """See `Store.pending`."""
        return await pending_work.pending(self._database, lease, limit)

    async def finish_job(self, lease: Lease, outcome: JobOutcome) -> Job:
        """See `Store.finish_job`."""
        return await self._database.write(lease.job.namespace, lambda tx: leases.finish_job(tx, lease, outcome))

    async def get_job(self, namespace: str, job_id: str) -> Job:
        """See `Store.get_job`."""
        return await job_control.get_job(self._database, namespace, job_id)

    async def list_jobs(
        self, namespace: str, states: Collection[JobState], kinds: Collection[JobKind], cursor: Cursor | None, limit: int
    ) -> Page[Job]:
        """See `Store.list_jobs`."""
        return await job_control.list_jobs(self._database, namespace, states, kinds, cursor, limit)

    async def wait_for_job_change(self, namespace: str, job_id: str, seen: datetime, timeout: timedelta) -> Job:
        """See `Store.wait_for_job_change`."""
        return await self._watch.wait(lambda: self.get_job(namespace, job_id), namespace, job_id, seen, timeout)

    async def expedite_job(self, namespace: str, job_id: str) -> Job:
        """See `Store.expedite_job`."""
        return await self._database.write(namespace, lambda tx: job_control.expedite_job(tx, self._database.ids, job_id))

    async def cancel_job(self, namespace: str, job_id: str) -> Job:
        """See `Store.cancel_job`."""
        return await self._database.write(namespace, lambda tx: job_control.cancel_job(tx, job_id))

    async def retry_job(self, namespace: str, job_id: str) -> Job:
        """See `Store.retry_job`."""
        return await self._database.write(namespace, lambda tx: job_control.retry_job(tx, job_id))

    # Reading

    async def get_session(self, namespace: str, name: str) -> Session | None:
        """See `Store.get_session`."""
        return await node_reading.get_session(self._connection, namespace, name)

    async def get_nodes(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Node]:
        """See `Store.get_nodes`."""
        return await node_reading.get_nodes(self._connection, namespace, ids)

    async def get_node_edges(self, namespace: str, node_id: str, limit: int) -> NodeEdges:
        """See `Store.get_node_edges`."""
        return await node_edges.get_node_edges(self._connection, namespace, node_id, limit)

    async def list_sessions(self, namespace: str, cursor: Cursor | None, limit: int) -> Page[Session]:
        """See `Store.list_sessions`."""
        return await listings.list_sessions(self._connection, namespace, cursor, limit)

    async def list_messages(self, namespace: str, query: MessageQuery, cursor: Cursor | None, limit: int) -> Page[Message]:
        """See `Store.list_messages`."""
        return await listings.list_messages(self._connection, namespace, query, cursor, limit)

    async def list_events(self, namespace: str, query: EventQuery, cursor: Cursor | None, limit: int) -> Page[Event]:
        """See `Store.list_events`."""
        return await listings.list_events(self._connection, namespace, query, cursor, limit)

    async def list_statements(self, namespace: str, query: StatementQuery, cursor: Cursor | None, limit: int) -> Page[Statement]:
        """See `Store.list_statements`."""
        return await listings.list_statements(self._connection, namespace, query, cursor, limit)

    async def list_entities(self, namespace: str, query: EntityQuery, cursor: Cursor | None, limit: int) -> Page[Entity]:
        """See `Store.list_entities`."""
        return await listings.list_entities(self._connection, namespace, query, cursor, limit)

    async def query_scope(self, namespace: str, names: Sequence[str]) -> QueryScope:
        """See `Store.query_scope`."""
        return await scope.query_scope(self._connection, namespace, names)

    async def candidates(self, namespace: str, query: CandidateQuery) -> Candidates:
        """See `Store.candidates`."""
        return await self._searcher.candidates(namespace, query)

    async def neighbourhood(
        self, namespace: str, seeds: Sequence[str], kinds: Collection[EdgeKind], hops: int, max_nodes: int, max_degree: int
    ) -> Subgraph:
        """See `Store.neighbourhood`."""
        return await walk.neighbourhood(self._connection, namespace, seeds, kinds, hops, max_nodes, max_degree)

    async def revision(self, namespace: str) -> int:
        """See `Store.revision`."""
        return await reading.revision(self._connection, namespace)

    def position(self, namespace: str) -> tuple[str, ...]:
        """See `Store.position`."""
        return tuple(sorted(self._connection.positions.of(namespace)))

    async def reach(self, namespace: str, position: Sequence[str]) -> None:
        """See `Store.reach`."""
        await self._connection.reach(namespace, position)

    async def describe(self, namespace: str) -> GraphDescription:
        """See `Store.describe`."""
        return await description.describe(self._connection, namespace)

    async def usage(self, namespace: str) -> list[UsageEntry]:
        """See `Store.usage`."""
        return await description.usage(self._connection, namespace)

    # Moving and checking

    def export(self, namespace: str, with_vectors: bool = True) -> AsyncIterator[Sequence[ExportRecord]]:
        """See `Store.export`. Raises StaleWrite when something is deleted or extracted anew meanwhile."""
        return exporting.export(self._connection, namespace, with_vectors)

    async def import_namespace(self, namespace: Namespace, records: AsyncIterator[Sequence[ExportRecord]]) -> Namespace:
        """See `Store.import_namespace`."""
        return await namespace_import.import_namespace(self._database, namespace, records)

    async def check(self, namespace: str) -> list[Finding]:
        """See `Store.check`."""
        return await checks.check(self._connection, namespace)

    async def check_store(self) -> list[Finding]:
        """See `Store.check_store`."""
        return await check_store(self._connection)
