"""The client for asyncio. `_client.py` is made from this file by `make_sync_client.py`; change this one."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

from structmem import _calls as calls
from structmem import _deletion_calls as deletion_calls
from structmem import _service_calls as service_calls
from structmem._answers import (
    Appended,
    Context,
    DecisionReverted,
    DeletionCheck,
    DeletionReceipt,
    EventView,
    Flushed,
    GraphStats,
    Imported,
    ImportedNamespace,
    Job,
    LinkDecided,
    Miss,
    Namespace,
    NodeView,
    Retrieval,
    ServerInfo,
    UsageEntry,
)
from structmem._async_answering import AsyncAnswering
from structmem._async_transport import AsyncTransport
from structmem._cypher import CypherAnswer, CypherValue
from structmem._cypher_values import Collected
from structmem._errors import JobFailedError
from structmem._exchange import ExportWriter, FileLike, read_export
from structmem._inputs import (
    AsOf,
    ConsistencyTokens,
    EmbeddingSpec,
    ExtractionProfile,
    LabelFilter,
    MemoryFilter,
    NewMessage,
    RetentionRule,
    TimeRange,
)
from structmem._kinds import CypherScope, ExtractionMode, JobKind, JobState, LinkVerdict
from structmem._options import Options
from structmem._waiting import Deadline
from structmem.v1.memory_service_pb2 import ExportNamespaceResponse


class AsyncClient(AsyncAnswering):
    """A connection to a StructMem service.

    Every call takes a `timeout` in seconds and raises a StructMemError; docs/python-client.md shows each in use.

    Args:
        target: host:port; by default STRUCTMEM_TARGET, or 127.0.0.1:7600.
        token: sent with every call; by default STRUCTMEM_TOKEN.
        tls: connect with TLS; implied by `root_certificates` (PEM), which otherwise are the system's.
        timeout: seconds for calls that name none. Streams (imports, exports, watching) have no limit by themselves.
        retries: how often a call that met a transient failure is tried again.
    """

    def __init__(
        self,
        target: str | None = None,
        *,
        token: str | None = None,
        tls: bool = False,
        root_certificates: bytes | None = None,
        timeout: float | None = 30.0,
        retries: int = 4,
    ) -> None:
        super().__init__(AsyncTransport(Options.of(target, token, tls, root_certificates, timeout, retries)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connection."""
        await self._transport.close()

    # Writing

    async def append(
        self,
        namespace: str,
        session: str,
        messages: Iterable[NewMessage],
        *,
        time_zone: str = "",
        create_namespace: bool = False,
        request_id: str = "",
        timeout: float | None = None,
    ) -> Appended:
        """Stores 1 to 1,000 messages at the end of a session. When it returns they are durable.

        A `request_id` is made up where none is given, so that the client may repeat the call safely.
        """
        call = calls.append(namespace, session, messages, time_zone, request_id, create_namespace)
        return await self._transport.unary(call, timeout)

    async def import_messages(
        self,
        namespace: str,
        messages: Iterable[tuple[str, NewMessage]],
        *,
        time_zone: str = "",
        create_namespace: bool = False,
        timeout: float | None = None,
    ) -> Imported:
        """Stores any number of messages, each with the name of its session, in their order.

        When it fails, what was sent before may be stored: give the messages client ids, and send them all again.
        """
        call = calls.import_messages(namespace, messages, time_zone, create_namespace)
        return await self._transport.upload(call, timeout)

    async def flush(self, namespace: str, session: str = "", *, timeout: float | None = None) -> Flushed:
        """Extracts what waits in the buffer of a session, or of all, without waiting for more messages."""
        return await self._transport.unary(calls.flush(namespace, session), timeout)

    async def delete_memories(
        self, namespace: str, ids: Sequence[str], *, dry_run: bool = False, request_id: str = "", timeout: float | None = None
    ) -> DeletionReceipt:
        """Deletes messages, events, facts or relations, and what was derived from them, for good; with `dry_run` says what would go."""
        return await self._transport.unary(deletion_calls.delete_memories(namespace, ids, dry_run, request_id), timeout)

    async def delete_session(
        self, namespace: str, session: str, *, dry_run: bool = False, request_id: str = "", timeout: float | None = None
    ) -> DeletionReceipt:
        """Deletes a session with its messages and what was derived from them, for good; with `dry_run` says what would go."""
        return await self._transport.unary(deletion_calls.delete_session(namespace, session, dry_run, request_id), timeout)

    async def delete_messages(
        self,
        namespace: str,
        *,
        sessions: Sequence[str] = (),
        speakers: Sequence[str] = (),
        said: TimeRange | None = None,
        labels: LabelFilter | None = None,
        dry_run: bool = False,
        request_id: str = "",
        timeout: float | None = None,
    ) -> DeletionReceipt:
        """Deletes all messages for which everything given holds, and what was derived from them, for good.

        With `dry_run` nothing is deleted, and the receipt says what would go.
        """
        call = deletion_calls.delete_messages(namespace, sessions, speakers, said, labels, dry_run, request_id)
        return await self._transport.unary(call, timeout)

    async def check_deletion(
        self, namespace: str, receipt: DeletionReceipt, *, at_least: ConsistencyTokens = (), timeout: float | None = None
    ) -> DeletionCheck:
        """Whether the service gave this receipt, and whether what it lists is still gone."""
        return await self._transport.unary(deletion_calls.check_deletion(namespace, receipt, at_least), timeout)

    async def decide_entity_link(
        self, namespace: str, entity_id: str, other_id: str, verdict: LinkVerdict | str, *, timeout: float | None = None
    ) -> LinkDecided:
        """Decides whether two entities are the same: "same", "different", or "undecided" to take a decision back."""
        return await self._transport.unary(calls.decide_entity_link(namespace, entity_id, other_id, verdict), timeout)

    async def revert_decision(
        self, namespace: str, newer_id: str, older_id: str, *, restore: bool = False, timeout: float | None = None
    ) -> DecisionReverted:
        """Takes back that one memory replaces, or repeats, the other one, which then stands again. `restore`: puts it back.

        Raises NotFoundError where nothing says that it does.
        """
        return await self._transport.unary(calls.revert_decision(namespace, newer_id, older_id, restore), timeout)

    # Remembering

    async def retrieve(
        self,
        query: str,
        namespaces: str | Sequence[str],
        *,
        k: int | None = None,
        recipe: str = "",
        filter: MemoryFilter | None = None,
        at_least: ConsistencyTokens = (),
        asked_at: datetime | None = None,
        time_zone: str = "",
        explain: bool = False,
        embedding: Sequence[float] = (),
        min_relevance: float = 0.0,
        session: str = "",
        turns: Sequence[str] = (),
        as_asked: bool = False,
        as_of: AsOf | datetime | None = None,
        summaries: int = 0,
        timeout: float | None = None,
    ) -> Retrieval:
        """Finds the `k` (10) memories that fit a query best, in one namespace or several.

        `at_least` is the consistency token of a write that the answer must show, or several of them, as on every other read;
        `asked_at` is "now" for words such as "last week".
        What is less relevant than `min_relevance` (0 to 1) is no hit; `nothing_relevant` of the answer says when that leaves none.
        With `session`, the name of the running session, the query is a turn of it; nothing of that session is returned. It is for one
        namespace alone. `turns` are the texts of its last turns, oldest first; without them the messages stored last count.
        With `as_asked` only what was said before `asked_at` is seen. `as_of`: what held at a moment, as it was known then.
        `summaries`: at most so many summaries beside the memories.
        """
        asked = calls.query(
            namespaces,
            query,
            k,
            recipe,
            filter,
            at_least,
            asked_at,
            time_zone,
            embedding,
            min_relevance,
            session,
            turns,
            as_asked,
            summaries,
            as_of,
        )
        return await self._transport.unary(calls.retrieve(asked, explain), timeout)

    async def explain_miss(
        self,
        namespace: str,
        node_id: str,
        query: str,
        *,
        k: int | None = None,
        recipe: str = "",
        filter: MemoryFilter | None = None,
        at_least: ConsistencyTokens = (),
        asked_at: datetime | None = None,
        time_zone: str = "",
        embedding: Sequence[float] = (),
        min_relevance: float = 0.0,
        session: str = "",
        turns: Sequence[str] = (),
        as_asked: bool = False,
        as_of: AsOf | datetime | None = None,
        timeout: float | None = None,
    ) -> Miss:
        """Says why a memory is not among the hits of a query, or that it is; the other arguments are those of `retrieve`."""
        asked = calls.query(
            namespace,
            query,
            k,
            recipe,
            filter,
            at_least,
            asked_at,
            time_zone,
            embedding,
            min_relevance,
            session,
            turns,
            as_asked,
            as_of=as_of,
        )
        return await self._transport.unary(calls.explain_miss(asked, node_id), timeout)

    async def build_context(
        self,
        query: str,
        namespaces: str | Sequence[str],
        *,
        token_budget: int | None = None,
        k: int | None = None,
        recipe: str = "",
        filter: MemoryFilter | None = None,
        at_least: ConsistencyTokens = (),
        asked_at: datetime | None = None,
        time_zone: str = "",
        embedding: Sequence[float] = (),
        min_relevance: float = 0.0,
        session: str = "",
        turns: Sequence[str] = (),
        as_asked: bool = False,
        as_of: AsOf | datetime | None = None,
        summaries: int = 0,
        profile: bool = False,
        timeout: float | None = None,
    ) -> Context:
        """Finds memories, at most `k` if that is given, and writes them out in order of time within `token_budget` (1,500) tokens.

        With `profile` the text begins with the profile of each namespace; at most `summaries` summaries follow, and then the memories.
        """
        asked = calls.query(
            namespaces,
            query,
            k,
            recipe,
            filter,
            at_least,
            asked_at,
            time_zone,
            embedding,
            min_relevance,
            session,
            turns,
            as_asked,
            summaries,
            as_of,
        )
        return await self._transport.unary(calls.build_context(asked, token_budget, profile), timeout)

    # Looking

    async def get_node(
        self, namespace: str, node_id: str, *, max_edges: int | None = None, at_least: ConsistencyTokens = (), timeout: float | None = None
    ) -> NodeView:
        """Any node with at most `max_edges` (100) edges in each direction."""
        return await self._transport.unary(calls.get_node(namespace, node_id, max_edges, at_least), timeout)

    async def get_event(
        self,
        namespace: str,
        event_id: str,
        *,
        as_of: AsOf | datetime | None = None,
        at_least: ConsistencyTokens = (),
        timeout: float | None = None,
    ) -> EventView:
        """An event with its facts and relations and the messages it rests on. `as_of`: without what was told later or replaced by then."""
        return await self._transport.unary(calls.get_event(namespace, event_id, as_of, at_least), timeout)

    # Jobs

    async def get_job(self, namespace: str, job_id: str, *, at_least: ConsistencyTokens = (), timeout: float | None = None) -> Job:
        """One job."""
        return await self._transport.unary(calls.get_job(namespace, job_id, at_least), timeout)

    async def watch_job(
        self, namespace: str, job_id: str, *, at_least: ConsistencyTokens = (), timeout: float | None = None
    ) -> AsyncIterator[Job]:
        """The job after each change, until it ends."""
        async for job in self._transport.stream(calls.watch_job(namespace, job_id, at_least), timeout):
            yield job

    async def expedite_job(self, namespace: str, job_id: str, *, timeout: float | None = None) -> Job:
        """Lets a job begin that waits for more messages."""
        return await self._transport.unary(calls.expedite_job(namespace, job_id), timeout)

    async def wait_for(
        self, work: Appended | Imported | Flushed | Job, *, flush: bool = True, timeout: float | None = None
    ) -> tuple[Job, ...]:
        """Waits until the jobs of a write have ended, and returns them. `flush`: they do not wait for more messages.

        Where a write has more jobs than its answer names (the first 1,000 of `job_count`), it is waited for those that it names and for all
        extractions that are open there when the wait begins, whoever began them. Of the others, one that had failed before is not seen:
        `list_jobs(namespace, states=["failed"])` shows it.

        Raises:
            JobFailedError: a job failed or was canceled.
            DeadlineExceededError: `timeout` seconds passed; the jobs go on.
        """
        deadline = Deadline(timeout)
        ended = []
        for job_id in await self._jobs_of(work, deadline):
            job = await self.expedite_job(work.namespace, job_id, timeout=deadline.left()) if flush else None
            while job is None or not job.state.ended:
                async for job in self.watch_job(work.namespace, job_id, timeout=deadline.left()):  # noqa: B007
                    pass
            if job.state != JobState.SUCCEEDED:
                raise JobFailedError(job)
            ended.append(job)
        return tuple(ended)

    async def _jobs_of(self, work: Appended | Imported | Flushed | Job, deadline: Deadline) -> list[str]:
        """The jobs of a write; of one that has more than its answer names, also all other extractions that are open in the namespace."""
        job_ids = dict.fromkeys(work.job_ids)
        if isinstance(work, Imported | Flushed) and work.job_count > len(job_ids):
            states = (JobState.QUEUED, JobState.RUNNING)
            at_least = work.consistency_token
            kinds = (JobKind.EXTRACTION,)
            timeout = deadline.left()
            listed = self.list_jobs(work.namespace, states=states, kinds=kinds, at_least=at_least, page_size=500, timeout=timeout)
            job_ids |= {job.id: None async for job in listed}
        return list(job_ids)

    async def cancel_job(self, namespace: str, job_id: str, *, timeout: float | None = None) -> Job:
        """Stops a job. The messages are kept."""
        return await self._transport.unary(calls.cancel_job(namespace, job_id), timeout)

    async def retry_job(self, namespace: str, job_id: str, *, timeout: float | None = None) -> Job:
        """Starts a failed or canceled job again."""
        return await self._transport.unary(calls.retry_job(namespace, job_id), timeout)

    # Exports

    async def export_namespace(
        self,
        namespace: str,
        destination: FileLike,
        *,
        with_vectors: bool = True,
        at_least: ConsistencyTokens = (),
        timeout: float | None = None,
    ) -> int:
        """Writes all of a namespace to a file (compressed when its name ends in ".gz") or an open text file; returns the records."""
        writer = await self._transport.run_blocking(ExportWriter, destination)
        try:
            async for part in self._transport.stream(calls.export_namespace(namespace, with_vectors, at_least), timeout):
                await self._transport.run_blocking(writer.write, part)
            return await self._transport.run_blocking(writer.finish)
        finally:
            await self._transport.run_blocking(writer.abandon)

    async def import_namespace(self, source: FileLike, *, namespace: str = "", timeout: float | None = None) -> ImportedNamespace:
        """Creates a namespace from the file of an export, under its own name or another."""
        return await self._transport.upload(calls.import_namespace(namespace, read_export(source)), timeout)

    async def export_parts(
        self, namespace: str, *, with_vectors: bool = True, at_least: ConsistencyTokens = (), timeout: float | None = None
    ) -> AsyncIterator[ExportNamespaceResponse]:
        """All of a namespace as parts of the contract: header, batches of records, trailer. What broke off raises."""
        async for part in self._transport.stream(calls.export_namespace(namespace, with_vectors, at_least), timeout):
            yield part

    async def import_parts(
        self, parts: Iterable[ExportNamespaceResponse], *, namespace: str = "", timeout: float | None = None
    ) -> ImportedNamespace:
        """Creates a namespace from the parts of an export, all of them or, when their iterator raises, nothing."""
        return await self._transport.upload(calls.import_namespace(namespace, parts), timeout)

    # Namespaces

    async def create_namespace(
        self,
        namespace: str,
        *,
        embedding: EmbeddingSpec | None = None,
        extraction_mode: ExtractionMode | str = ExtractionMode.UNSPECIFIED,
        time_zone: str = "",
        description: str = "",
        profile: ExtractionProfile | None = None,
        retention: Sequence[RetentionRule] | None = None,
        timeout: float | None = None,
    ) -> Namespace:
        """Creates a namespace. `time_zone` (IANA) is for sessions that name none; `profile` says what is looked for.

        `retention` says for how long messages are kept; without it they are kept for good.
        """
        call = service_calls.create_namespace(namespace, embedding, extraction_mode, time_zone, description, profile, retention)
        return await self._transport.unary(call, timeout)

    async def get_namespace(self, namespace: str, *, at_least: ConsistencyTokens = (), timeout: float | None = None) -> Namespace:
        """One namespace."""
        return await self._transport.unary(service_calls.get_namespace(namespace, at_least), timeout)

    async def update_namespace(
        self,
        namespace: str,
        *,
        extraction_mode: ExtractionMode | str | None = None,
        time_zone: str | None = None,
        description: str | None = None,
        profile: ExtractionProfile | None = None,
        retention: Sequence[RetentionRule] | None = None,
        timeout: float | None = None,
    ) -> Namespace:
        """Changes what is given. Another mode retires what was extracted, and extracts anew; `retention=()` keeps all."""
        call = service_calls.update_namespace(namespace, extraction_mode, time_zone, description, profile, retention)
        return await self._transport.unary(call, timeout)

    async def delete_namespace(self, namespace: str, *, timeout: float | None = None) -> None:
        """Deletes a namespace with all that is in it, for good."""
        await self._transport.unary(service_calls.delete_namespace(namespace), timeout)

    # The service

    async def graph_stats(self, namespace: str, *, at_least: ConsistencyTokens = (), timeout: float | None = None) -> GraphStats:
        """Counts of nodes, edges and vectors."""
        return await self._transport.unary(service_calls.graph_stats(namespace, at_least), timeout)

    async def usage(self, namespace: str, *, at_least: ConsistencyTokens = (), timeout: float | None = None) -> tuple[UsageEntry, ...]:
        """What models were called for a namespace."""
        return await self._transport.unary(service_calls.usage(namespace, at_least), timeout)

    async def run_cypher(
        self,
        namespace: str,
        query: str,
        parameters: Mapping[str, CypherValue] | None = None,
        *,
        scope: CypherScope | str = CypherScope.NAMESPACE,
        at_least: ConsistencyTokens = (),
        max_rows: int | None = None,
        timeout: float | None = None,
    ) -> CypherAnswer:
        """Asks a question of the graph in Cypher; docs/cypher.md describes what may be asked.

        With `scope="database"` an administrator asks the Neo4j that holds the namespace; `$namespace` is its name.

        Raises:
            CypherRefusedError: the query asks for more than to read.
            CypherLimitError: it wants more memory than it may take, or the namespace is too large.
            DeadlineExceededError: it took longer than it may.
        """
        call = service_calls.run_cypher(namespace, query, parameters, scope, at_least, max_rows)
        collected = Collected()
        async for part in self._transport.stream(call, timeout):
            collected.add(part)
        return collected.answer()

    async def server_info(self, *, timeout: float | None = None) -> ServerInfo:
        """What the service is: version, store, extractor, embedder, recipes."""
        return await self._transport.unary(service_calls.server_info(), timeout)
