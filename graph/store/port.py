"""The store port: what the service and the pipeline ask of a store, as intents, each atomic.

Two stores implement it and one contract suite (`tests/graph/store`) holds for both. Every intent that names a namespace raises NotFound
when there is none, NamespaceCorrupt when its data is damaged, StoreUnavailable or StorageFull when it cannot be read or written now;
nothing is acknowledged that is not durable.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from graph.model import EdgeKind, Entity, Event, Job, JobKind, JobState, Lease, Message, Namespace, Node, Session, Statement
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


class Clock(Protocol):
    """Where a store takes the time from."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...


class Store(Protocol):
    """A memory graph that lasts."""

    # The life of a store

    async def open(self) -> None:
        """Makes the store ready, migrating it forward if needed. Raises StoreBusy when another process owns it."""
        ...

    async def close(self) -> None:
        """Ends what is under way and lets go of everything."""
        ...

    async def ping(self) -> None:
        """Reads and makes a tiny durable write, of no namespace. Raises StoreUnavailable, StorageFull or NamespaceCorrupt."""
        ...

    async def secret(self) -> bytes:
        """A random key of 32 bytes that lasts as long as the store: the service signs page tokens with it."""
        ...

    # Namespaces

    async def create_namespace(self, spec: NamespaceSpec) -> Namespace:
        """Creates a namespace. Raises AlreadyExists."""
        ...

    async def get_namespace(self, name: str) -> Namespace:
        """One namespace with its revision and generation."""
        ...

    async def list_namespaces(self, prefix: str, after: str, limit: int) -> list[Namespace]:
        """Namespaces at or below the path `prefix` ("" for all), by name, with a name greater than `after`."""
        ...

    async def update_namespace(self, name: str, change: NamespaceChange) -> Namespace:
        """Changes settings."""
        ...

    async def delete_namespace(self, name: str) -> None:
        """Deletes a namespace with all that is in it."""
        ...

    # Writing

    async def append(self, namespace: str, command: AppendCommand) -> AppendOutcome:
        """Stores messages, their passages and edges and the extraction work, in one transaction.

        The session is created when it is not there. A message whose client_id is known with the same content is answered as a duplicate.
        The session's job that nobody has leased yet is used, or one is created. It is due at once, for the vectors' sake, unless
        its attempts have failed; now + idle is until when its half-full buffer waits for more messages (`PendingWork.idle_until`).
        A repeat of a request_id within 24 hours returns the first answer.

        Raises:
            RequestReused, DuplicateMessage: the same id with other content. Nothing is stored then.
            InvalidArgument: the session has another time zone, or a vector has another dimension.
        """
        ...

    async def flush(self, namespace: str, session: str) -> tuple[str, ...]:
        """Marks the end of each session's messages as a durable segment boundary and makes their jobs due; "" means every session.

        Returns the ids of the jobs that cover what was waiting. Raises NotFound for an unknown session.
        """
        ...

    async def begin_generation(self, namespace: str, start: GenerationStart) -> int:
        """Makes this extractor's generation the current one and returns its number.

        Changes nothing when it is the current one already. Otherwise what was extracted before is retired, watermarks go back to 0 and
        every session with messages gets a job.
        """
        ...

    async def commit_extraction(self, lease: Lease, write: ExtractionWrite) -> int:
        """Writes events, statements, entities, edges and vectors and moves the watermark, in one transaction; returns the revision.

        Raises LeaseLost, StaleWrite.
        """
        ...

    async def missing_vectors(self, namespace: str, session: str, limit: int) -> list[PassageText]:
        """Passages of current messages of the session that wait for a vector, oldest first; none where the client gives vectors."""
        ...

    async def put_vectors(
        self, namespace: str, fingerprint: str, vectors: Sequence[PassageVector], usage: Sequence[UsageEntry] = ()
    ) -> int:
        """Stores vectors of passages that still exist and lack one; returns how many.

        Raises InvalidArgument when the model's fingerprint or the dimension is not the namespace's.
        """
        ...

    async def delete(self, namespace: str, deletion: Deletion) -> DeletionReceipt:
        """Deletes memories and the closure of what rests on them, for good, in one transaction; of a long session a store may make several.

        With a message go the statements and events that rest on it alone or in part; with an event its statements; with the last
        statement of an event the event; entities that nothing names any more go too. NEXT is closed over the gap; seqs stay.
        """
        ...

    async def decide_link(self, namespace: str, decision: LinkDecision) -> LinkDecided:
        """Keeps what somebody decided of two entities, in one transaction; in whichever direction they are given, it is one decision.

        SAME: an edge SAME_AS from the one to the other, with confidence 1. DIFFERENT: an edge DIFFERENT_FROM, and every SAME_AS between
        them that an extraction proposes, now or later, is kept as DIFFERENT_FROM. UNDECIDED: what is proposed stands as it was. The edge of
        the decision has the properties `decided_at` and `decided_by`; another generation leaves it, a deletion of either entity takes it.
        What is so already changes nothing and makes no revision.

        Raises:
            NotFound: there is no such entity.     InvalidArgument: the two are one id, or no entities.
        """
        ...

    # Jobs

    async def lease_job(self, worker: str, duration: timedelta, kinds: Collection[JobKind]) -> Lease | None:
        """The job that has been due longest, of any namespace, leased to this worker; None when nothing is due.

        A job whose lease has passed is due again. One session's jobs never run at once.
        """
        ...

    async def wait_for_work(self, timeout: timedelta) -> None:
        """Returns when a job may have become due, or at the timeout."""
        ...

    async def renew(self, lease: Lease, duration: timedelta) -> Lease:
        """Prolongs a lease. Raises LeaseLost."""
        ...

    async def pending(self, lease: Lease, limit: int) -> PendingWork:
        """What the leased extraction has before it. Raises LeaseLost."""
        ...

    async def finish_job(self, lease: Lease, outcome: JobOutcome) -> Job:
        """Ends or hands back a leased job.

        JobSucceeded while unextracted messages up to the job's target remain leaves it queued. Raises LeaseLost.
        """
        ...

    async def get_job(self, namespace: str, job_id: str) -> Job:
        """One job."""
        ...

    async def list_jobs(
        self, namespace: str, states: Collection[JobState], kinds: Collection[JobKind], cursor: Cursor | None, limit: int
    ) -> Page[Job]:
        """Jobs, newest first; empty collections accept all."""
        ...

    async def wait_for_job_change(self, namespace: str, job_id: str, seen: datetime, timeout: timedelta) -> Job:
        """The job as soon as its `updated_at` is later than `seen`, or as it is at the timeout."""
        ...

    async def expedite_job(self, namespace: str, job_id: str) -> Job:
        """Flushes the job's session, so that the job does not wait for more messages."""
        ...

    async def cancel_job(self, namespace: str, job_id: str) -> Job:
        """Cancels a job; its lease, if any, is lost. Raises Conflict when it has ended."""
        ...

    async def retry_job(self, namespace: str, job_id: str) -> Job:
        """Queues a failed or cancelled job again. Raises Conflict when it is neither."""
        ...

    # Reading

    async def get_nodes(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Node]:
        """The nodes that exist among these ids, retired ones too."""
        ...

    async def get_node_edges(self, namespace: str, node_id: str, limit: int) -> NodeEdges:
        """A node with at most `limit` edges in each direction."""
        ...

    async def get_session(self, namespace: str, name: str) -> Session | None:
        """The session of this name, or None: its writer may be about to create it."""
        ...

    async def list_sessions(self, namespace: str, cursor: Cursor | None, limit: int) -> Page[Session]:
        """Sessions in the order of their creation."""
        ...

    async def list_messages(self, namespace: str, query: MessageQuery, cursor: Cursor | None, limit: int) -> Page[Message]:
        """Messages."""
        ...

    async def list_events(self, namespace: str, query: EventQuery, cursor: Cursor | None, limit: int) -> Page[Event]:
        """Current events in order of when they happened or were said."""
        ...

    async def list_statements(self, namespace: str, query: StatementQuery, cursor: Cursor | None, limit: int) -> Page[Statement]:
        """Facts and relations in order of when they were said."""
        ...

    async def list_entities(self, namespace: str, query: EntityQuery, cursor: Cursor | None, limit: int) -> Page[Entity]:
        """Entities in the order in which they were first seen."""
        ...

    async def query_scope(self, namespace: str, names: Sequence[str]) -> QueryScope:
        """The namespace, its speakers, and its entities among these names, in one read."""
        ...

    async def candidates(self, namespace: str, query: CandidateQuery) -> Candidates:
        """Finds and measures candidates at the newest revision. Raises InvalidArgument for a vector of another dimension."""
        ...

    async def neighbourhood(
        self, namespace: str, seeds: Sequence[str], kinds: Collection[EdgeKind], hops: int, max_nodes: int, max_degree: int
    ) -> Subgraph:
        """Walks edges of these kinds in both directions, breadth first; of a node with more than `max_degree` edges only that many.

        Retired nodes and those of older generations are not entered.
        """
        ...

    async def revision(self, namespace: str) -> int:
        """The newest revision."""
        ...

    def position(self, namespace: str) -> tuple[str, ...]:
        """What a reader needs beside the revision to see all that this object has written to the namespace; () where that says it all.

        Opaque. Where several servers hold copies of one database, a revision alone does not say which of them have it.
        """
        ...

    async def reach(self, namespace: str, position: Sequence[str]) -> None:
        """Lets reads of the namespace, from now on, see what a position stands for, which another process may have given.

        Raises InvalidArgument when the position is of another database, StoreUnavailable when it was not reached in time.
        """
        ...

    async def describe(self, namespace: str) -> GraphDescription:
        """Counts."""
        ...

    async def add_usage(self, namespace: str, usage: Sequence[UsageEntry]) -> None:
        """Adds model calls that no other write tells of, such as those of an extraction that failed."""
        ...

    async def usage(self, namespace: str) -> list[UsageEntry]:
        """Sums of model calls by step and model."""
        ...

    # Moving and checking

    def export(self, namespace: str, with_vectors: bool = True) -> AsyncIterator[Sequence[ExportRecord]]:
        """Everything of one revision, in batches.

        Sessions, messages, entities, statements, events, edges that no node implies, progress, vectors.
        """
        ...

    async def import_namespace(self, namespace: Namespace, records: AsyncIterator[Sequence[ExportRecord]]) -> Namespace:
        """Creates a namespace from the records of an export, in batches of any size; ids and times are kept.

        What was not yet extracted or embedded is queued.

        Seen by nobody until the iterator has ended; when it or the store raises, nothing of it remains. Raises AlreadyExists.
        """
        ...

    async def check(self, namespace: str) -> list[Finding]:
        """Integrity: the file itself, orphans, dangling edges and evidence, vectors that do not match their text, indexes out of step."""
        ...

    async def check_store(self) -> list[Finding]:
        """Integrity of what belongs to no one namespace: the list of namespaces itself, and what is left over of none."""
        ...
