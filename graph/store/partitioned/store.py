"""`PartitionedStore`: the store port over several stores. What is of one namespace goes to its store unchanged."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar

from graph.cypher import CypherLimits, CypherRunner
from graph.errors import Conflict, NotFound, StructMemError
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
from graph.store.partitioned.listing import list_namespaces, strays
from graph.store.partitioned.routed_cypher import RoutedCypher
from graph.store.partitioned.routes import Partition, Routes
from graph.store.partitioned.turns import Turns
from graph.store.port import Store

T = TypeVar("T")


class PartitionedStore:
    """Several stores as one. Implements `graph.store.port.Store`.

    The partitions stand on their own: while one is away, namespaces of the others are served. A namespace is never moved: where a changed
    map sends one to another partition than the one that holds it, it is refused with Conflict until it is copied or the map is mended.
    """

    def __init__(self, partitions: Sequence[Partition]) -> None:
        """The first partition keeps what none names, and the key that page tokens are signed with."""
        self._routes = Routes(partitions)
        self._turns = Turns(self._routes)

    # The life of a store

    async def open(self) -> None:
        """See `Store.open`."""
        try:
            async with asyncio.TaskGroup() as group:
                for partition in self._routes.partitions:
                    group.create_task(_opened(partition))
        except* StructMemError as errors:
            await self.close()
            raise _first(errors) from None

    async def close(self) -> None:
        """See `Store.close`."""
        closed = await asyncio.gather(*(partition.store.close() for partition in self._routes.partitions), return_exceptions=True)
        for error in closed:
            if isinstance(error, BaseException):
                raise error

    async def ping(self) -> None:
        """See `Store.ping`."""
        found = await asyncio.gather(*(partition.store.ping() for partition in self._routes.partitions), return_exceptions=True)
        errors = [error for error in found if isinstance(error, BaseException)]
        # While one answers, the service serves: others' health must not take its namespaces along.
        if len(errors) == len(found):
            raise errors[0]

    async def secret(self) -> bytes:
        """See `Store.secret`."""
        return await self._routes.partitions[0].store.secret()

    def native_cypher(self, limits: CypherLimits) -> CypherRunner:
        """See `graph.cypher.SpeaksCypher`."""
        return RoutedCypher(self._routes, limits)

    # Namespaces

    async def create_namespace(self, spec: NamespaceSpec) -> Namespace:
        """See `Store.create_namespace`."""
        await self._refuse_elsewhere(spec.name)
        return await self._ask(spec.name, lambda store: store.create_namespace(spec))

    async def get_namespace(self, name: str) -> Namespace:
        """See `Store.get_namespace`."""
        return await self._ask(name, lambda store: store.get_namespace(name))

    async def list_namespaces(self, prefix: str, after: str, limit: int) -> list[Namespace]:
        """See `Store.list_namespaces`."""
        return await list_namespaces(self._routes, prefix, after, limit)

    async def update_namespace(self, name: str, change: NamespaceChange) -> Namespace:
        """See `Store.update_namespace`."""
        return await self._ask(name, lambda store: store.update_namespace(name, change))

    async def delete_namespace(self, name: str) -> None:
        """See `Store.delete_namespace`."""
        return await self._ask(name, lambda store: store.delete_namespace(name))

    # Writing

    async def append(self, namespace: str, command: AppendCommand) -> AppendOutcome:
        """See `Store.append`."""
        return await self._ask(namespace, lambda store: store.append(namespace, command))

    async def flush(self, namespace: str, session: str) -> tuple[str, ...]:
        """See `Store.flush`."""
        return await self._ask(namespace, lambda store: store.flush(namespace, session))

    async def begin_generation(self, namespace: str, start: GenerationStart) -> int:
        """See `Store.begin_generation`."""
        return await self._ask(namespace, lambda store: store.begin_generation(namespace, start))

    async def commit_extraction(self, lease: Lease, write: ExtractionWrite) -> int:
        """See `Store.commit_extraction`."""
        return await self._ask(lease.job.namespace, lambda store: store.commit_extraction(lease, write))

    async def missing_vectors(self, namespace: str, session: str, limit: int) -> list[PassageText]:
        """See `Store.missing_vectors`."""
        return await self._ask(namespace, lambda store: store.missing_vectors(namespace, session, limit))

    async def put_vectors(
        self, namespace: str, fingerprint: str, vectors: Sequence[PassageVector], usage: Sequence[UsageEntry] = ()
    ) -> int:
        """See `Store.put_vectors`."""
        return await self._ask(namespace, lambda store: store.put_vectors(namespace, fingerprint, vectors, usage))

    async def delete(self, namespace: str, deletion: Deletion) -> DeletionReceipt:
        """See `Store.delete`."""
        return await self._ask(namespace, lambda store: store.delete(namespace, deletion))

    async def decide_link(self, namespace: str, decision: LinkDecision) -> LinkDecided:
        """See `Store.decide_link`."""
        return await self._ask(namespace, lambda store: store.decide_link(namespace, decision))

    # Jobs

    async def lease_job(self, worker: str, duration: timedelta, kinds: Collection[JobKind]) -> Lease | None:
        """See `Store.lease_job`."""
        return await self._turns.lease_job(worker, duration, kinds)

    async def wait_for_work(self, timeout: timedelta) -> None:
        """See `Store.wait_for_work`."""
        await self._turns.wait_for_work(timeout)

    async def renew(self, lease: Lease, duration: timedelta) -> Lease:
        """See `Store.renew`."""
        return await self._ask(lease.job.namespace, lambda store: store.renew(lease, duration))

    async def pending(self, lease: Lease, limit: int) -> PendingWork:
        """See `Store.pending`."""
        return await self._ask(lease.job.namespace, lambda store: store.pending(lease, limit))

    async def finish_job(self, lease: Lease, outcome: JobOutcome) -> Job:
        """See `Store.finish_job`."""
        return await self._ask(lease.job.namespace, lambda store: store.finish_job(lease, outcome))

    async def get_job(self, namespace: str, job_id: str) -> Job:
        """See `Store.get_job`."""
        return await self._ask(namespace, lambda store: store.get_job(namespace, job_id))

    async def list_jobs(
        self, namespace: str, states: Collection[JobState], kinds: Collection[JobKind], cursor: Cursor | None, limit: int
    ) -> Page[Job]:
        """See `Store.list_jobs`."""
        return await self._ask(namespace, lambda store: store.list_jobs(namespace, states, kinds, cursor, limit))

    async def wait_for_job_change(self, namespace: str, job_id: str, seen: datetime, timeout: timedelta) -> Job:
        """See `Store.wait_for_job_change`."""
        return await self._ask(namespace, lambda store: store.wait_for_job_change(namespace, job_id, seen, timeout))

    async def expedite_job(self, namespace: str, job_id: str) -> Job:
        """See `Store.expedite_job`."""
        return await self._ask(namespace, lambda store: store.expedite_job(namespace, job_id))

    async def cancel_job(self, namespace: str, job_id: str) -> Job:
        """See `Store.cancel_job`."""
        return await self._ask(namespace, lambda store: store.cancel_job(namespace, job_id))

    async def retry_job(self, namespace: str, job_id: str) -> Job:
        """See `Store.retry_job`."""
        return await self._ask(namespace, lambda store: store.retry_job(namespace, job_id))

    # Reading

    async def get_nodes(self, namespace: str, ids: Sequence[str]) -> Mapping[str, Node]:
        """See `Store.get_nodes`."""
        return await self._ask(namespace, lambda store: store.get_nodes(namespace, ids))

    async def get_node_edges(self, namespace: str, node_id: str, limit: int) -> NodeEdges:
        """See `Store.get_node_edges`."""
        return await self._ask(namespace, lambda store: store.get_node_edges(namespace, node_id, limit))

    async def get_session(self, namespace: str, name: str) -> Session | None:
        """See `Store.get_session`."""
        return await self._ask(namespace, lambda store: store.get_session(namespace, name))

    async def list_sessions(self, namespace: str, cursor: Cursor | None, limit: int) -> Page[Session]:
        """See `Store.list_sessions`."""
        return await self._ask(namespace, lambda store: store.list_sessions(namespace, cursor, limit))

    async def list_messages(self, namespace: str, query: MessageQuery, cursor: Cursor | None, limit: int) -> Page[Message]:
        """See `Store.list_messages`."""
        return await self._ask(namespace, lambda store: store.list_messages(namespace, query, cursor, limit))

    async def list_events(self, namespace: str, query: EventQuery, cursor: Cursor | None, limit: int) -> Page[Event]:
        """See `Store.list_events`."""
        return await self._ask(namespace, lambda store: store.list_events(namespace, query, cursor, limit))

    async def list_statements(self, namespace: str, query: StatementQuery, cursor: Cursor | None, limit: int) -> Page[Statement]:
        """See `Store.list_statements`."""
        return await self._ask(namespace, lambda store: store.list_statements(namespace, query, cursor, limit))

    async def list_entities(self, namespace: str, query: EntityQuery, cursor: Cursor | None, limit: int) -> Page[Entity]:
        """See `Store.list_entities`."""
        return await self._ask(namespace, lambda store: store.list_entities(namespace, query, cursor, limit))

    async def query_scope(self, namespace: str, names: Sequence[str]) -> QueryScope:
        """See `Store.query_scope`."""
        return await self._ask(namespace, lambda store: store.query_scope(namespace, names))

    async def candidates(self, namespace: str, query: CandidateQuery) -> Candidates:
        """See `Store.candidates`."""
        return await self._ask(namespace, lambda store: store.candidates(namespace, query))

    async def neighbourhood(
        self, namespace: str, seeds: Sequence[str], kinds: Collection[EdgeKind], hops: int, max_nodes: int, max_degree: int
    ) -> Subgraph:
        """See `Store.neighbourhood`."""
        return await self._ask(namespace, lambda store: store.neighbourhood(namespace, seeds, kinds, hops, max_nodes, max_degree))

    async def revision(self, namespace: str) -> int:
        """See `Store.revision`."""
        return await self._ask(namespace, lambda store: store.revision(namespace))

    def position(self, namespace: str) -> tuple[str, ...]:
        """See `Store.position`."""
        return self._routes.owner(namespace).store.position(namespace)

    async def reach(self, namespace: str, position: Sequence[str]) -> None:
        """See `Store.reach`."""
        await self._ask(namespace, lambda store: store.reach(namespace, position))

    async def describe(self, namespace: str) -> GraphDescription:
        """See `Store.describe`."""
        return await self._ask(namespace, lambda store: store.describe(namespace))

    async def add_usage(self, namespace: str, usage: Sequence[UsageEntry]) -> None:
        """See `Store.add_usage`."""
        return await self._ask(namespace, lambda store: store.add_usage(namespace, usage))

    async def usage(self, namespace: str) -> list[UsageEntry]:
        """See `Store.usage`."""
        return await self._ask(namespace, lambda store: store.usage(namespace))

    # Moving and checking

    def export(self, namespace: str, with_vectors: bool = True) -> AsyncIterator[Sequence[ExportRecord]]:
        """See `Store.export`."""
        return self._export(namespace, with_vectors)

    async def import_namespace(self, namespace: Namespace, records: AsyncIterator[Sequence[ExportRecord]]) -> Namespace:
        """See `Store.import_namespace`."""
        await self._refuse_elsewhere(namespace.name)
        return await self._ask(namespace.name, lambda store: store.import_namespace(namespace, records))

    async def check(self, namespace: str) -> list[Finding]:
        """See `Store.check`."""
        return await self._ask(namespace, lambda store: store.check(namespace))

    async def check_store(self) -> list[Finding]:
        """See `Store.check_store`."""
        findings: list[Finding] = []
        for partition in self._routes.partitions:
            findings += await partition.store.check_store()
            for name in await strays(self._routes, partition):
                findings.append(Finding("NAMESPACE_MISPLACED", "", f"{name} is in {partition.name}, where the map does not look for it"))
        return findings

    # Which store

    async def _ask(self, namespace: str, intent: Callable[[Store], Awaitable[T]]) -> T:
        """What the namespace's store answers. Raises Conflict, instead of NotFound, for a namespace that another one holds."""
        try:
            return await intent(self._routes.owner(namespace).store)
        except NotFound:
            if not await _holds(self._routes.owner(namespace), namespace):
                await self._refuse_elsewhere(namespace)
            raise

    async def _export(self, namespace: str, with_vectors: bool) -> AsyncIterator[Sequence[ExportRecord]]:
        await self._ask(namespace, lambda store: store.get_namespace(namespace))
        async for batch in self._routes.owner(namespace).store.export(namespace, with_vectors):
            yield batch

    async def _refuse_elsewhere(self, namespace: str) -> None:
        """Raises Conflict when a store that the map does not name holds the namespace. One that is away is not waited for: no namespace of
        its own is lost by that, and `check_store` tells of one that is there twice."""
        others = self._routes.others(namespace)
        if any(await asyncio.gather(*(_holds(partition, namespace) for partition in others))):
            raise Conflict(
                "this namespace is in another database than the one that the namespace map names for it; "
                "copy it there and delete it here, or change the map back"
            )


async def _opened(partition: Partition) -> None:
    try:
        await partition.store.open()
    except StructMemError as error:
        raise type(error)(f"{partition.name}: {error}", retry_after=error.retry_after) from error


async def _holds(partition: Partition, namespace: str) -> bool:
    try:
        await partition.store.get_namespace(namespace)
    except StructMemError:
        return False
    return True


def _first(errors: BaseExceptionGroup[StructMemError]) -> BaseException:
    first: BaseException = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
