"""`EmbeddedStore`: the store port on one SQLite file a namespace. Each intent is a call into the module that knows it."""

from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from datetime import timedelta
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from graph.clock import SystemClock
from graph.model import IdSource, Namespace, UuidSource
from graph.store.embedded import namespaces
from graph.store.embedded.checks import check_directory
from graph.store.embedded.files.engine import Engine
from graph.store.embedded.importing.namespace_import import import_namespace
from graph.store.embedded.jobs import leases, waiting
from graph.store.embedded.memory import EmbeddedMemory
from graph.store.port import Clock, ConsistencyPoint, ExportRecord, Memory, Missing

T = TypeVar("T")
P = ParamSpec("P")


def _in_a_thread(work: Callable[Concatenate[Engine, P], T]) -> Callable[Concatenate["EmbeddedStore", P], Coroutine[Any, Any, T]]:
    """The method of stores that does this work on the engine."""

    @wraps(work)
    async def method(store: "EmbeddedStore", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store._engine.workers.run(lambda: work(store._engine, *args, **kwargs))

    return method


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

    def namespace(self, name: str, at_least: ConsistencyPoint | None = None, *, missing: Missing | None = None) -> Memory:
        """See `Store.namespace`."""
        return EmbeddedMemory(self._engine, name, at_least, missing)

    create_namespace = _in_a_thread(namespaces.create)
    list_namespaces = _in_a_thread(namespaces.listed)
    delete_namespace = _in_a_thread(namespaces.delete)

    async def import_namespace(self, namespace: Namespace, records: AsyncIterator[Sequence[ExportRecord]]) -> Namespace:
        """See `Store.import_namespace`."""
        return await import_namespace(self._engine, namespace, records)

    # Work

    lease_job = _in_a_thread(leases.lease_job)

    async def wait_for_work(self, timeout: timedelta) -> None:
        """See `Store.wait_for_work`."""
        await waiting.wait_for_work(self._engine.jobs, self._engine.clock, timeout)

    # Integrity

    check = _in_a_thread(check_directory)
