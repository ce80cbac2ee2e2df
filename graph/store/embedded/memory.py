"""`EmbeddedMemory`: the port's handle of one namespace. Each intent is a call into the module that knows it."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta

from apsw import Connection

from graph.model import (
    EdgeKind,
    Entity,
    Event,
    Job,
    JobKind,
    JobState,
    Lease,
    Message,
    Namespace,
    Node,
    Session,
    Statement,
)
from graph.store.candidates import CandidateQuery, Candidates, Subgraph
from graph.store.embedded import deletion as deletions
from graph.store.embedded import extraction, generations, links, listings, namespaces, walk
from graph.store.embedded.append import append
from graph.store.embedded.checks import check
from graph.store.embedded.description import describe, speakers, usage
from graph.store.embedded.exporting import export
from graph.store.embedded.files.engine import Engine
from graph.store.embedded.files.handle import Handle
from graph.store.embedded.files.namespace_file import NamespaceFile
from graph.store.embedded.jobs import job_control, leases, pending_work, waiting
from graph.store.embedded.jobs.job_rows import job_row
from graph.store.embedded.rows import edge_rows, node_rows, usage_rows, vector_rows
from graph.store.embedded.rows.entity_rows import entity_keys_named
from graph.store.embedded.rows.node_keys import keys_of
from graph.store.embedded.rows.session_rows import session_row
from graph.store.port import (
    PAGE_BYTES,
    AppendCommand,
    AppendOutcome,
    ConsistencyPoint,
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
    Missing,
    NamespaceChange,
    NodeEdges,
    NodesWithin,
    Page,
    PassageText,
    PassageVector,
    PendingWork,
    QueryScope,
    StatementQuery,
    UsageEntry,
)
from graph.store.rules.jobs import job_of


class EmbeddedMemory:
    """One namespace of a data directory. Implements `graph.store.port.Memory`."""

    def __init__(self, engine: Engine, name: str, at_least: ConsistencyPoint | None, missing: Missing | None) -> None:
        self._engine = engine
        self._ids = engine.ids
        self._handle = Handle(engine, name, at_least, missing)

    @property
    def name(self) -> str:
        """See `Memory.name`."""
        return self._handle.name

    async def settings(self) -> Namespace:
        """See `Memory.settings`."""
        return await self._handle.read(namespaces.complete)

    async def update(self, change: NamespaceChange) -> Namespace:
        """See `Memory.update`."""
        return await self._handle.call(lambda file, _: namespaces.update(self._engine, file, change))

    def position(self) -> tuple[str, ...]:
        """See `Memory.position`. There is one copy: a revision says it all."""
        return ()

    async def append(self, command: AppendCommand) -> AppendOutcome:
        """See `Memory.append`."""
        return await self._handle.call(lambda file, settings: append(file, settings, self._ids, command))

    async def flush(self, session: str) -> tuple[str, ...]:
        """See `Memory.flush`."""
        return await self._handle.write(lambda tx, settings: job_control.flush(tx, settings, self._ids, session))

    async def begin_generation(self, start: GenerationStart) -> int:
        """See `Memory.begin_generation`."""
        return await self._handle.write(lambda tx, settings: generations.begin_generation(tx, settings, self._ids, start))

    async def pending(self, lease: Lease, limit: int) -> PendingWork:
        """See `Memory.pending`."""
        now = self._engine.clock.now
        return await self._handle.read(lambda db, _: pending_work.pending(db, now(), lease, limit))

    async def commit_extraction(self, lease: Lease, write: ExtractionWrite) -> int:
        """See `Memory.commit_extraction`."""
        return await self._handle.call(lambda file, settings: extraction.commit_extraction(file, settings, lease, write))

    async def missing_vectors(self, session: str, limit: int) -> list[PassageText]:
        """See `Memory.missing_vectors`."""
        return await self._handle.read(lambda db, _: pending_work.missing_vectors(db, session, limit))

    async def put_vectors(self, fingerprint: str, vectors: Sequence[PassageVector], usage: Sequence[UsageEntry] = ()) -> int:
        """See `Memory.put_vectors`."""
        return await self._handle.write(lambda tx, settings: vector_rows.put_vectors(tx, settings.embedding, fingerprint, vectors, usage))

    async def add_usage(self, usage: Sequence[UsageEntry]) -> None:
        """See `Memory.add_usage`."""
        if usage:
            await self._handle.write(lambda tx, _: usage_rows.add_usage(tx, usage))

    async def usage(self) -> list[UsageEntry]:
        """See `Memory.usage`."""
        return await self._handle.read(lambda db, _: usage(db))

    async def renew(self, lease: Lease, duration: timedelta) -> Lease:
        """See `Memory.renew`."""
        return await self._handle.write(lambda tx, _: leases.renew(tx, lease, duration))

    async def finish_job(self, lease: Lease, outcome: JobOutcome) -> Job:
        """See `Memory.finish_job`."""
        return await self._handle.write(lambda tx, settings: leases.finish_job(tx, settings, lease, outcome))

    async def get_job(self, job_id: str) -> Job:
        """See `Memory.get_job`."""
        return await self._handle.read(lambda db, settings: job_of(settings.name, job_row(db, job_id)))

    async def list_jobs(self, states: Collection[JobState], kinds: Collection[JobKind], cursor: Cursor | None, limit: int) -> Page[Job]:
        """See `Memory.list_jobs`."""
        return await self._handle.read(lambda db, settings: job_control.list_jobs(db, settings.name, states, kinds, cursor, limit))

    async def wait_for_job_change(self, job_id: str, seen: datetime, timeout: timedelta) -> Job:
        """See `Memory.wait_for_job_change`."""
        uid = await self._handle.call(lambda _, settings: settings.uid)
        return await waiting.wait_for_job_change(self._engine.jobs.changed, (job_id, uid), lambda: self.get_job(job_id), seen, timeout)

    async def expedite_job(self, job_id: str) -> Job:
        """See `Memory.expedite_job`."""
        return await self._handle.write(lambda tx, settings: job_control.expedite_job(tx, settings, self._ids, job_id))

    async def cancel_job(self, job_id: str) -> Job:
        """See `Memory.cancel_job`."""
        return await self._handle.write(lambda tx, settings: job_control.cancel_job(tx, settings, job_id))

    async def retry_job(self, job_id: str) -> Job:
        """See `Memory.retry_job`."""
        return await self._handle.write(lambda tx, settings: job_control.retry_job(tx, settings, job_id))

    async def delete(self, deletion: Deletion) -> DeletionReceipt:
        """See `Memory.delete`."""
        return await self._handle.write(lambda tx, _: deletions.delete(tx, self._ids, deletion))

    async def decide_link(self, decision: LinkDecision) -> LinkDecided:
        """See `Memory.decide_link`."""
        return await self._handle.write(lambda tx, _: links.decide_link(tx, decision))

    async def get_nodes(self, ids: Sequence[str]) -> Mapping[str, Node]:
        """See `Memory.get_nodes`."""
        return await self._handle.read(
            lambda db, _: {node.id: node for node in node_rows.read_nodes(db, list(keys_of(db, ids).values())).values()}
        )

    async def get_nodes_within(self, ids: Sequence[str], max_bytes: int) -> NodesWithin:
        """See `Memory.get_nodes_within`."""
        return await self._handle.read(lambda db, _: node_rows.read_within(db, ids, max_bytes))

    async def get_node_edges(self, node_id: str, limit: int) -> NodeEdges:
        """See `Memory.get_node_edges`."""
        return await self._handle.read(lambda db, _: edge_rows.node_edges(db, node_id, limit))

    async def get_session(self, name: str) -> Session | None:
        """See `Memory.get_session`."""

        def found(db: Connection, _: Namespace) -> Session | None:
            row = session_row(db, name)
            return None if row is None else node_rows.read_session(db, row.key)

        return await self._handle.read(found)

    async def list_sessions(self, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Session]:
        """See `Memory.list_sessions`."""
        return await self._handle.read(lambda db, _: listings.list_sessions(db, cursor, limit, max_bytes))

    async def list_messages(self, query: MessageQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Message]:
        """See `Memory.list_messages`."""
        return await self._handle.read(lambda db, _: listings.list_messages(db, query, cursor, limit, max_bytes))

    async def list_events(self, query: EventQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Event]:
        """See `Memory.list_events`."""
        return await self._handle.read(lambda db, _: listings.list_events(db, query, cursor, limit, max_bytes))

    async def list_statements(
        self, query: StatementQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES
    ) -> Page[Statement]:
        """See `Memory.list_statements`."""
        return await self._handle.read(lambda db, _: listings.list_statements(db, query, cursor, limit, max_bytes))

    async def list_entities(self, query: EntityQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Entity]:
        """See `Memory.list_entities`."""
        return await self._handle.read(lambda db, _: listings.list_entities(db, query, cursor, limit, max_bytes))

    async def describe(self) -> GraphDescription:
        """See `Memory.describe`."""
        return await self._handle.call(lambda file, settings: self._described(file, settings))

    def _described(self, file: NamespaceFile, settings: Namespace) -> GraphDescription:
        described = describe(file)
        self._handle.require(settings.uid, described.revision)
        return described

    async def query_scope(self, names: Sequence[str]) -> QueryScope:
        """See `Memory.query_scope`."""

        def scope(db: Connection, settings: Namespace) -> QueryScope:
            entities = node_rows.read_nodes(db, entity_keys_named(db, names)).values() if names else ()
            return QueryScope(namespaces.complete(db, settings), speakers(db), tuple(e for e in entities if isinstance(e, Entity)))

        return await self._handle.read(scope)

    async def candidates(self, query: CandidateQuery) -> Candidates:
        """See `Memory.candidates`."""
        return await self._handle.call(lambda file, settings: self._search(file, settings, query))

    def _search(self, file: NamespaceFile, settings: Namespace, query: CandidateQuery) -> Candidates:
        found = self._engine.search(file, settings, query)
        self._handle.require(settings.uid, found.revision)
        return found

    async def neighbourhood(
        self, seeds: Sequence[str], kinds: Collection[EdgeKind], hops: int, max_nodes: int, max_degree: int
    ) -> Subgraph:
        """See `Memory.neighbourhood`."""
        return await self._handle.read(lambda db, _: walk.neighbourhood(db, seeds, kinds, hops, max_nodes, max_degree))

    def export(self, with_vectors: bool = True) -> AsyncIterator[Sequence[ExportRecord]]:
        """See `Memory.export`."""
        return export(self._engine, self._handle, with_vectors)

    async def check(self) -> list[Finding]:
        """See `Memory.check`."""
        return await self._handle.call(check)
