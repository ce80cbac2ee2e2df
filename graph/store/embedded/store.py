"""`EmbeddedStore`: the store port on one SQLite file a namespace. Each intent is a call into the module that knows it."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from apsw import Connection

from graph.errors import InvalidArgument
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
from graph.store.embedded import deletion as deletions
from graph.store.embedded import extraction, generations, links, listings, namespaces, walk
from graph.store.embedded.append import append
from graph.store.embedded.checks import check, check_directory
from graph.store.embedded.description import describe, speakers, usage
from graph.store.embedded.exporting import export
from graph.store.embedded.files.engine import Engine
from graph.store.embedded.importing.namespace_import import import_namespace
from graph.store.embedded.jobs import job_control, leases, pending_work, waiting
from graph.store.embedded.jobs.job_rows import job_of, job_row
from graph.store.embedded.rows import edge_rows as edges
from graph.store.embedded.rows import node_rows, usage_rows, vector_rows
from graph.store.embedded.rows.entity_rows import entity_keys_named
from graph.store.embedded.rows.node_keys import keys_of
from graph.store.embedded.rows.session_rows import session_row
from graph.store.port import Clock
from graph.store.rules.vector_checks import checked_vector


class SystemClock:
    """The time of this machine."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        return datetime.now(UTC)


class EmbeddedStore:
    """A store in a directory of its own, owned by this process while it is open. Implements `graph.store.port.Store`."""

    def __init__(
        self,
        directory: Path,
        *,
        clock: Clock | None = None,
        ids: IdSource | None = None,
        max_open_namespaces: int = 1_200,
        index_memory_bytes: int = 1 << 30,
        threads: int = 6,
        vfs: str | None = None,
    ) -> None:
        """Nothing happens until `open`.

        Args:
            directory: made when it is not there.
            clock: where times and leases come from.
            ids: mints the ids of sessions, messages, jobs and receipts.
            max_open_namespaces: files held open at once; fewer when the process may not have so many descriptors.
            index_memory_bytes: what the search indexes of all namespaces may take; the least recently used are let go.
            threads: that block on files and search.
            vfs: SQLite's file layer, for tests of faults.
        """
        self._engine = Engine(directory, clock or SystemClock(), ids or UuidSource(), vfs, max_open_namespaces, threads, index_memory_bytes)

    # The life of the store

    async def open(self) -> None:
        """See `Store.open`."""
        await self._engine.workers.run(self._engine.open)

    async def close(self) -> None:
        """See `Store.close`."""
        await self._engine.close()

    async def ping(self) -> None:
        """See `Store.ping`."""
        await self._engine.workers.run(self._engine.catalog.probe)

    async def secret(self) -> bytes:
        """See `Store.secret`."""
        return await self._engine.workers.run(lambda: self._engine.catalog.secret("service"))

    # Namespaces

    async def create_namespace(self, spec: NamespaceSpec) -> Namespace:
        """See `Store.create_namespace`."""
        return await self._engine.workers.run(lambda: namespaces.create(self._engine, spec))

    async def get_namespace(self, name: str) -> Namespace:
        """See `Store.get_namespace`."""
        return await self._engine.read(name, namespaces.complete)

    async def list_namespaces(self, prefix: str, after: str, limit: int) -> list[Namespace]:
        """See `Store.list_namespaces`."""
        return await self._engine.workers.run(lambda: namespaces.listed(self._engine, prefix, after, limit))

    async def update_namespace(self, name: str, change: NamespaceChange) -> Namespace:
        """See `Store.update_namespace`."""
        return await self._engine.workers.run(lambda: namespaces.update(self._engine, name, change))

    async def delete_namespace(self, name: str) -> None:
        """See `Store.delete_namespace`."""
        await self._engine.workers.run(lambda: namespaces.delete(self._engine, name))

    # Writing

    async def append(self, namespace: str, command: AppendCommand) -> AppendOutcome:
        """See `Store.append`."""
        return await self._engine.call(namespace, lambda file, settings: append(file, settings, self._engine.ids, command))

    async def flush(self, namespace: str, session: str) -> tuple[str, ...]:
        """See `Store.flush`."""
        return await self._engine.write(namespace, lambda tx, settings: job_control.flush(tx, settings, self._engine.ids, session))

    async def begin_generation(self, namespace: str, start: GenerationStart) -> int:
        """See `Store.begin_generation`."""
        return await self._engine.write(namespace, lambda tx, settings: generations.begin_generation(tx, settings, self._engine.ids, start))

    async def commit_extraction(self, lease: Lease, write: ExtractionWrite) -> int:
        """See `Store.commit_extraction`."""
        return await self._engine.call(
            lease.job.namespace, lambda file, settings: extraction.commit_extraction(file, settings, lease, write)
        )

    async def missing_vectors(self, namespace: str, session: str, limit: int) -> list[PassageText]:
        """See `Store.missing_vectors`."""
        return await self._engine.read(namespace, lambda db, _: pending_work.missing_vectors(db, session, limit))

    async def put_vectors(
        self, namespace: str, fingerprint: str, vectors: Sequence[PassageVector], usage: Sequence[UsageEntry] = ()
    ) -> int:
        """See `Store.put_vectors`."""
        spec = self._engine.catalog.get(namespace).settings.embedding
        if fingerprint != spec.fingerprint:
            raise InvalidArgument.of("fingerprint", "is not that of the namespace's embedding model")
        checked = [checked_vector(v.vector, spec.dimension, f"vectors[{i}]") for i, v in enumerate(vectors)]
        return await self._engine.write(namespace, lambda tx, _: vector_rows.put_vectors(tx, vectors, checked, usage))

    async def delete(self, namespace: str, deletion: Deletion) -> DeletionReceipt:
        """See `Store.delete`."""
        return await self._engine.write(namespace, lambda tx, _: deletions.delete(tx, self._engine.ids, deletion))

    async def decide_link(self, namespace: str, decision: LinkDecision) -> LinkDecided:
        """See `Store.decide_link`."""
        return await self._engine.write(namespace, lambda tx, _: links.decide_link(tx, decision))

    # Jobs

    async def lease_job(self, worker: str, duration: timedelta, kinds: Collection[JobKind]) -> Lease | None:
        """See `Store.lease_job`."""
        return await self._engine.workers.run(lambda: leases.lease_job(self._engine, worker, duration, kinds))

    async def wait_for_work(self, timeout: timedelta) -> None:
        """See `Store.wait_for_work`."""
        await waiting.wait_for_work(self._engine.jobs, self._engine.clock, timeout)

    async def renew(self, lease: Lease, duration: timedelta) -> Lease:
        """See `Store.renew`."""
        return await self._engine.write(lease.job.namespace, lambda tx, _: leases.renew(tx, lease, duration))

    async def pending(self, lease: Lease, limit: int) -> PendingWork:
        """See `Store.pending`."""
        now = self._engine.clock.now
        return await self._engine.read(lease.job.namespace, lambda db, _: pending_work.pending(db, now(), lease, limit))

    async def finish_job(self, lease: Lease, outcome: JobOutcome) -> Job:
        """See `Store.finish_job`."""
        return await self._engine.write(lease.job.namespace, lambda tx, settings: leases.finish_job(tx, settings, lease, outcome))

    async def get_job(self, namespace: str, job_id: str) -> Job:
        """See `Store.get_job`."""
        return await self._engine.read(namespace, lambda db, _: job_of(namespace, job_row(db, job_id)))

    async def list_jobs(
        self, namespace: str, states: Collection[JobState], kinds: Collection[JobKind], cursor: Cursor | None, limit: int
    ) -> Page[Job]:
        """See `Store.list_jobs`."""
        return await self._engine.read(namespace, lambda db, _: job_control.list_jobs(db, namespace, states, kinds, cursor, limit))

    async def wait_for_job_change(self, namespace: str, job_id: str, seen: datetime, timeout: timedelta) -> Job:
        """See `Store.wait_for_job_change`."""
        keys = (job_id, self._engine.catalog.get(namespace).uid)
        return await waiting.wait_for_job_change(self._engine.jobs.changed, keys, lambda: self.get_job(namespace, job_id), seen, timeout)

    async def expedite_job(self, namespace: str, job_id: str) -> Job:
        """See `Store.expedite_job`."""
        return await self._engine.write(namespace, lambda tx, settings: job_control.expedite_job(tx, settings, self._engine.ids, job_id))

    async def cancel_job(self, namespace: str, job_id: str) -> Job:
        """See `Store.cancel_job`."""
        return await self._engine.write(namespace, lambda tx, settings: job_control.cancel_job(tx, settings, job_id))

    async def retry_job(self, namespace: str, job_id: str) -> Job:
        """See `Store.retry_job`."""
        return await self._engine.write(namespace, lambda tx, settings: job_control.retry_job(tx, settings, job_id))

    # Reading

    async def get_session(self, namespace: str, name: str) -> Session | None:
        """See `Store.get_session`."""

        def found(db: Connection, _: Namespace) -> Session | None:
            row = session_row(db, name)
            return None if row is None else node_rows.read_session(db, row.key)

        return await self._engine.read(namespace, found)

    async def get_nodes(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Node]:
        """See `Store.get_nodes`."""
        return await self._engine.read(
            namespace, lambda db, _: {node.id: node for node in node_rows.read_nodes(db, list(keys_of(db, ids).values())).values()}
        )

    async def get_node_edges(self, namespace: str, node_id: str, limit: int) -> NodeEdges:
        """See `Store.get_node_edges`."""
        return await self._engine.read(namespace, lambda db, _: edges.node_edges(db, node_id, limit))

    async def list_sessions(self, namespace: str, cursor: Cursor | None, limit: int) -> Page[Session]:
        """See `Store.list_sessions`."""
        return await self._engine.read(namespace, lambda db, _: listings.list_sessions(db, cursor, limit))

    async def list_messages(self, namespace: str, query: MessageQuery, cursor: Cursor | None, limit: int) -> Page[Message]:
        """See `Store.list_messages`."""
        return await self._engine.read(namespace, lambda db, _: listings.list_messages(db, query, cursor, limit))

    async def list_events(self, namespace: str, query: EventQuery, cursor: Cursor | None, limit: int) -> Page[Event]:
        """See `Store.list_events`."""
        return await self._engine.read(namespace, lambda db, _: listings.list_events(db, query, cursor, limit))

    async def list_statements(self, namespace: str, query: StatementQuery, cursor: Cursor | None, limit: int) -> Page[Statement]:
        """See `Store.list_statements`."""
        return await self._engine.read(namespace, lambda db, _: listings.list_statements(db, query, cursor, limit))

    async def list_entities(self, namespace: str, query: EntityQuery, cursor: Cursor | None, limit: int) -> Page[Entity]:
        """See `Store.list_entities`."""
        return await self._engine.read(namespace, lambda db, _: listings.list_entities(db, query, cursor, limit))

    async def query_scope(self, namespace: str, names: Sequence[str]) -> QueryScope:
        """See `Store.query_scope`."""

        def scope(db: Connection, settings: Namespace) -> QueryScope:
            entities = node_rows.read_nodes(db, entity_keys_named(db, names)).values() if names else ()
            return QueryScope(namespaces.complete(db, settings), speakers(db), tuple(e for e in entities if isinstance(e, Entity)))

        return await self._engine.read(namespace, scope)

    async def candidates(self, namespace: str, query: CandidateQuery) -> Candidates:
        """See `Store.candidates`."""
        return await self._engine.call(namespace, lambda file, settings: self._engine.search(file, settings, query))

    async def neighbourhood(
        self, namespace: str, seeds: Sequence[str], kinds: Collection[EdgeKind], hops: int, max_nodes: int, max_degree: int
    ) -> Subgraph:
        """See `Store.neighbourhood`."""
        return await self._engine.read(namespace, lambda db, _: walk.neighbourhood(db, seeds, kinds, hops, max_nodes, max_degree))

    async def revision(self, namespace: str) -> int:
        """See `Store.revision`."""
        return await self._engine.read(namespace, lambda db, _: int(db.execute("SELECT revision FROM state").get))

    def position(self, namespace: str) -> tuple[str, ...]:
        """See `Store.position`. There is one copy: a revision says it all."""
        return ()

    async def reach(self, namespace: str, position: Sequence[str]) -> None:
        """See `Store.reach`."""
        if position:
            raise InvalidArgument.of("at_least", "is of another store")

    async def describe(self, namespace: str) -> GraphDescription:
        """See `Store.describe`."""
        return await self._engine.call(namespace, lambda file, _: describe(file))

    async def add_usage(self, namespace: str, usage: Sequence[UsageEntry]) -> None:
        """See `Store.add_usage`."""
        if usage:
            await self._engine.write(namespace, lambda tx, _: usage_rows.add_usage(tx, usage))

    async def usage(self, namespace: str) -> list[UsageEntry]:
        """See `Store.usage`."""
        return await self._engine.read(namespace, lambda db, _: usage(db))

    # Moving and checking

    def export(self, namespace: str, with_vectors: bool = True) -> AsyncIterator[Sequence[ExportRecord]]:
        """See `Store.export`."""
        return export(self._engine, namespace, with_vectors)

    async def import_namespace(self, namespace: Namespace, records: AsyncIterator[Sequence[ExportRecord]]) -> Namespace:
        """See `Store.import_namespace`."""
        return await import_namespace(self._engine, namespace, records)

    async def check(self, namespace: str) -> list[Finding]:
        """See `Store.check`."""
        return await self._engine.call(namespace, check)

    async def check_store(self) -> list[Finding]:
        """See `Store.check_store`."""
        return await self._engine.workers.run(lambda: check_directory(self._engine))
