"""`PartitionedStore`: the store port over several stores. A namespace's handle is its own store's."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from datetime import timedelta

from graph.cypher import CypherLimits, CypherRunner
from graph.errors import Conflict, NamespaceNotFound, StructMemError
from graph.model import JobKind, Lease, Namespace
from graph.store.partitioned.listing import list_namespaces, strays
from graph.store.partitioned.routed_cypher import RoutedCypher
from graph.store.partitioned.routes import Absences, Partition, Routes
from graph.store.partitioned.turns import Turns
from graph.store.port import ConsistencyPoint, ExportRecord, Finding, Memory, Missing, NamespaceSpec, Shows, everything

# Who looks for a namespace waits so long for what other stores say of it; who makes one waits as long as they take.
_LONGEST_WAIT_S = 3.0


class PartitionedStore:
    """Several stores as one. Implements `graph.store.port.Store`.

    The partitions stand on their own: while one is away, namespaces of the others are served. A namespace is never moved: where a changed
    map sends one to another partition than the one that holds it, it is refused with Conflict until it is copied or the map is mended.
    """

    def __init__(self, partitions: Sequence[Partition]) -> None:
        """The first partition keeps what none names, and the key that page tokens are signed with."""
        self._routes = Routes(partitions)
        self._turns = Turns(self._routes)
        self._absences = Absences()

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

    def namespace(self, name: str, at_least: ConsistencyPoint | None = None, *, missing: Missing | None = None) -> Memory:
        """See `Store.namespace`. Its calls raise Conflict, instead of NotFound, where another store holds the namespace."""
        return self._routes.owner(name).store.namespace(name, at_least, missing=missing or self._told_elsewhere)

    async def create_namespace(self, spec: NamespaceSpec) -> Namespace:
        """See `Store.create_namespace`."""
        await self._refuse_elsewhere(spec.name)
        return await self._routes.owner(spec.name).store.create_namespace(spec)

    async def list_namespaces(self, prefix: str, after: str, limit: int, shows: Shows = everything) -> list[Namespace]:
        """See `Store.list_namespaces`."""
        return await list_namespaces(self._routes, prefix, after, limit, shows)

    async def delete_namespace(self, name: str) -> None:
        """See `Store.delete_namespace`."""
        try:
            await self._routes.owner(name).store.delete_namespace(name)
        except NamespaceNotFound:
            await self._told_elsewhere(name)
            raise

    async def import_namespace(self, namespace: Namespace, records: AsyncIterator[Sequence[ExportRecord]]) -> Namespace:
        """See `Store.import_namespace`."""
        await self._refuse_elsewhere(namespace.name)
        return await self._routes.owner(namespace.name).store.import_namespace(namespace, records)

    # Work

    async def lease_job(self, worker: str, duration: timedelta, kinds: Collection[JobKind], namespace: str = "") -> Lease | None:
        """See `Store.lease_job`."""
        if namespace:
            return await self._routes.owner(namespace).store.lease_job(worker, duration, kinds, namespace)
        return await self._turns.lease_job(worker, duration, kinds)

    async def wait_for_work(self, timeout: timedelta) -> None:
        """See `Store.wait_for_work`."""
        await self._turns.wait_for_work(timeout)

    # Integrity

    async def check(self) -> list[Finding]:
        """See `Store.check`."""
        findings: list[Finding] = []
        for partition in self._routes.partitions:
            findings += await partition.store.check()
            for name in await strays(self._routes, partition):
                findings.append(Finding("NAMESPACE_MISPLACED", "", f"{name} is in {partition.name}, where the map does not look for it"))
        return findings

    async def _refuse_elsewhere(self, namespace: str) -> None:
        """Before one is made: raises Conflict when a store that the map does not name holds the namespace, however long it takes to say.

        One that is away keeps nobody from making it; `check` tells of one that is there twice.
        """
        _refuse_if(await asyncio.gather(*(_holds(partition, namespace) for partition in self._routes.others(namespace))))

    async def _told_elsewhere(self, namespace: str) -> None:
        """Where the namespace was not found: the same, but a store that takes long is not waited for, and not asked again for a while."""
        others = self._absences.without(self._routes.others(namespace))
        _refuse_if(await asyncio.gather(*(self._holds_soon(partition, namespace) for partition in others)))

    async def _holds_soon(self, partition: Partition, namespace: str) -> bool:
        try:
            async with asyncio.timeout(_LONGEST_WAIT_S):
                return await _holds(partition, namespace)
        except TimeoutError:
            self._absences.note(partition)
            return False


async def _holds(partition: Partition, namespace: str) -> bool:
    """Whether a store holds a namespace, as far as it can be asked."""
    try:
        await partition.store.namespace(namespace).settings()
    except StructMemError:
        return False
    return True


def _refuse_if(held: Sequence[bool]) -> None:
    if any(held):
        raise Conflict(
            "this namespace is in another database than the one that the namespace map names for it; "
            "copy it there and delete it here, or change the map back"
        )


async def _opened(partition: Partition) -> None:
    try:
        await partition.store.open()
    except StructMemError as error:
        raise type(error)(f"{partition.name}: {error}", retry_after=error.retry_after) from error


def _first(errors: BaseExceptionGroup[StructMemError]) -> BaseException:
    first: BaseException = errors
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
