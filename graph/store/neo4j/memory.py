"""`Neo4jMemory`: the port's handle of one namespace. Each intent is a call into the module that knows it."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta

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
from graph.store.neo4j import deletion as deletions
from graph.store.neo4j import (
    description,
    exporting,
    extraction,
    generations,
    links,
    listings,
    namespaces,
    scope,
    walk,
)
from graph.store.neo4j.append import append
from graph.store.neo4j.checking import namespace_check as checks
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.jobs import job_control, leases, pending_work, waiting
from graph.store.neo4j.rows import node_edges, node_reading, usage_rows, vector_rows
from graph.store.neo4j.searching import Searcher
from graph.store.port import (
    PAGE_BYTES,
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


class Neo4jMemory:
    """One namespace of a Neo4j database. Implements `graph.store.port.Memory`."""

    def __init__(self, handle: Handle, searcher: Searcher, watch: waiting.JobWatch) -> None:
        self._handle = handle
        self._searcher = searcher
        self._watch = watch

    @property
    def name(self) -> str:
        """See `Memory.name`."""
        return self._handle.name

    async def settings(self) -> Namespace:
        """See `Memory.settings`."""
        return await self._handle.settings()

    async def update(self, change: NamespaceChange) -> Namespace:
        """See `Memory.update`."""
        return await self._handle.write(lambda tx: namespaces.update(tx, change))

    def position(self) -> tuple[str, ...]:
        """See `Memory.position`."""
        return tuple(sorted(self._handle.connection.positions.of(self.name)))

    async def append(self, command: AppendCommand) -> AppendOutcome:
        """See `Memory.append`. Answered within three times the store's patience, whatever becomes of the server."""
        async with self._handle.connection.answered():
            return await append(self._handle, command)

    async def flush(self, session: str) -> tuple[str, ...]:
        """See `Memory.flush`."""
        return await self._handle.write(lambda tx: job_control.flush(tx, self._handle.database.ids, session))

    async def begin_generation(self, start: GenerationStart) -> int:
        """See `Memory.begin_generation`."""
        return await generations.begin_generation(self._handle, start)

    async def pending(self, lease: Lease, limit: int) -> PendingWork:
        """See `Memory.pending`."""
        return await pending_work.pending(self._handle, lease, limit)

    async def commit_extraction(self, lease: Lease, write: ExtractionWrite) -> int:
        """See `Memory.commit_extraction`."""
        return await extraction.commit_extraction(self._handle, lease, write)

    async def missing_vectors(self, session: str, limit: int) -> list[PassageText]:
        """See `Memory.missing_vectors`."""
        return await pending_work.missing_vectors(self._handle, session, limit)

    async def put_vectors(self, fingerprint: str, vectors: Sequence[PassageVector], usage: Sequence[UsageEntry] = ()) -> int:
        """See `Memory.put_vectors`."""
        return await vector_rows.put_vectors(self._handle, fingerprint, vectors, usage)

    async def add_usage(self, usage: Sequence[UsageEntry]) -> None:
        """See `Memory.add_usage`."""
        if usage:
            await self._handle.write(lambda tx: usage_rows.add_usage(tx, usage))

    async def usage(self) -> list[UsageEntry]:
        """See `Memory.usage`."""
        return await description.usage(self._handle)

    async def renew(self, lease: Lease, duration: timedelta) -> Lease:
        """See `Memory.renew`."""
        return await self._handle.write(lambda tx: leases.renew(tx, lease, duration))

    async def finish_job(self, lease: Lease, outcome: JobOutcome) -> Job:
        """See `Memory.finish_job`."""
        return await self._handle.write(lambda tx: leases.finish_job(tx, lease, outcome))

    async def get_job(self, job_id: str) -> Job:
        """See `Memory.get_job`."""
        return await job_control.get_job(self._handle, job_id)

    async def list_jobs(self, states: Collection[JobState], kinds: Collection[JobKind], cursor: Cursor | None, limit: int) -> Page[Job]:
        """See `Memory.list_jobs`."""
        return await job_control.list_jobs(self._handle, states, kinds, cursor, limit)

    async def wait_for_job_change(self, job_id: str, seen: datetime, timeout: timedelta) -> Job:
        """See `Memory.wait_for_job_change`."""
        return await self._watch.wait(lambda: self.get_job(job_id), self.name, job_id, seen, timeout)

    async def expedite_job(self, job_id: str) -> Job:
        """See `Memory.expedite_job`."""
        return await self._handle.write(lambda tx: job_control.expedite_job(tx, self._handle.database.ids, job_id))

    async def cancel_job(self, job_id: str) -> Job:
        """See `Memory.cancel_job`."""
        return await self._handle.write(lambda tx: job_control.cancel_job(tx, job_id))

    async def retry_job(self, job_id: str) -> Job:
        """See `Memory.retry_job`."""
        return await self._handle.write(lambda tx: job_control.retry_job(tx, job_id))

    async def delete(self, deletion: Deletion) -> DeletionReceipt:
        """See `Memory.delete`."""
        return await deletions.delete(self._handle, deletion)

    async def decide_link(self, decision: LinkDecision) -> LinkDecided:
        """See `Memory.decide_link`."""
        return await self._handle.write(lambda tx: links.decide_link(tx, decision))

    async def get_nodes(self, ids: Sequence[str]) -> Mapping[str, Node]:
        """See `Memory.get_nodes`."""
        return await node_reading.get_nodes(self._handle, ids)

    async def get_nodes_within(self, ids: Sequence[str], max_bytes: int) -> NodesWithin:
        """See `Memory.get_nodes_within`."""
        return await node_reading.get_nodes_within(self._handle, ids, max_bytes)

    async def get_node_edges(self, node_id: str, limit: int) -> NodeEdges:
        """See `Memory.get_node_edges`."""
        return await node_edges.get_node_edges(self._handle, node_id, limit)

    async def get_session(self, name: str) -> Session | None:
        """See `Memory.get_session`."""
        return await node_reading.get_session(self._handle, name)

    async def list_sessions(self, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Session]:
        """See `Memory.list_sessions`."""
        return await listings.list_sessions(self._handle, cursor, limit, max_bytes)

    async def list_messages(self, query: MessageQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Message]:
        """See `Memory.list_messages`."""
        return await listings.list_messages(self._handle, query, cursor, limit, max_bytes)

    async def list_events(self, query: EventQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Event]:
        """See `Memory.list_events`."""
        return await listings.list_events(self._handle, query, cursor, limit, max_bytes)

    async def list_statements(
        self, query: StatementQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES
    ) -> Page[Statement]:
        """See `Memory.list_statements`."""
        return await listings.list_statements(self._handle, query, cursor, limit, max_bytes)

    async def list_entities(self, query: EntityQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Entity]:
        """See `Memory.list_entities`."""
        return await listings.list_entities(self._handle, query, cursor, limit, max_bytes)

    async def describe(self) -> GraphDescription:
        """See `Memory.describe`."""
        return await description.describe(self._handle)

    async def query_scope(self, names: Sequence[str]) -> QueryScope:
        """See `Memory.query_scope`."""
        return await scope.query_scope(self._handle, names)

    async def candidates(self, query: CandidateQuery) -> Candidates:
        """See `Memory.candidates`."""
        uid, found = await self._handle.ask(self._searcher.candidates(self.name, query))
        self._handle.found(uid, found.revision)
        return found

    async def neighbourhood(
        self, seeds: Sequence[str], kinds: Collection[EdgeKind], hops: int, max_nodes: int, max_degree: int
    ) -> Subgraph:
        """See `Memory.neighbourhood`."""
        return await walk.neighbourhood(self._handle, seeds, kinds, hops, max_nodes, max_degree)

    def export(self, with_vectors: bool = True) -> AsyncIterator[Sequence[ExportRecord]]:
        """See `Memory.export`. Raises StaleWrite when something is deleted or extracted anew meanwhile."""
        return exporting.export(self._handle, with_vectors)

    async def check(self) -> list[Finding]:
        """See `Memory.check`."""
        return await checks.check(self._handle)
