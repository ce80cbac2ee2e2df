"""The store: its life, its namespaces, and the work that is due in any of them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from graph.model import JobKind, Lease, Namespace
from graph.store.port.memory import Memory
from graph.store.port.moving import ExportRecord, Finding
from graph.store.port.namespaces import ConsistencyPoint, NamespaceSpec

# What a store keeps though nobody deletes it. Jobs that succeeded; failed and cancelled ones stay, so that they can be tried again.
JOB_RETENTION = timedelta(days=7)
# Request ids with their answers: a retry comes within a day.
REQUEST_ID_RETENTION = timedelta(hours=24)
# Whether a listing shows the namespace of this name.
Shows = Callable[[str], bool]
# Asked before a handle raises NotFound; may raise an error that says more.
Missing = Callable[[str], Awaitable[None]]


def everything(_: str) -> bool:
    """Shows every namespace."""
    return True


class Clock(Protocol):
    """Where a store takes the time from."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...


class Store(Protocol):
    """A memory graph that lasts."""

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

    def namespace(self, name: str, at_least: ConsistencyPoint | None = None, *, missing: Missing | None = None) -> Memory:
        """The handle of a namespace; see `Memory`.

        Args:
            name: resolved by the handle's first call, not by this one.
            at_least: what every read of the handle has to see.
            missing: awaited with the name before NotFound is raised.
        """
        ...

    async def create_namespace(self, spec: NamespaceSpec) -> Namespace:
        """Creates a namespace. Raises AlreadyExists."""
        ...

    async def list_namespaces(self, prefix: str, after: str, limit: int, shows: Shows = everything) -> list[Namespace]:
        """Namespaces at or below the path `prefix` ("" for all), by name, with a name greater than `after`; fewer than `limit` at the end
        alone. `shows` is asked of each name before the namespace is read."""
        ...

    async def delete_namespace(self, name: str) -> None:
        """Deletes a namespace with all that is in it."""
        ...

    async def import_namespace(self, namespace: Namespace, records: AsyncIterator[Sequence[ExportRecord]]) -> Namespace:
        """Creates a namespace from the records of an export, in batches of any size; ids and times are kept.

        What was not yet extracted or embedded is queued.

        Seen by nobody until the iterator has ended; when it or the store raises, nothing of it remains. Raises AlreadyExists.
        """
        ...

    # Work

    async def lease_job(self, worker: str, duration: timedelta, kinds: Collection[JobKind], namespace: str = "") -> Lease | None:
        """The job that has been due longest, of any namespace or of this one, leased to this worker; None when nothing is due.

        A job whose lease has passed is due again. One session's jobs never run at once.
        """
        ...

    async def wait_for_work(self, timeout: timedelta) -> None:
        """Returns when a job may have become due, or at the timeout."""
        ...

    # Integrity

    async def check(self) -> list[Finding]:
        """Integrity of what belongs to no one namespace: the list of namespaces itself, and what is left over of none."""
        ...
