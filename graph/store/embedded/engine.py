"""The parts of an embedded store put together: lock, catalog, open files, threads."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import apsw

from graph.model import IdSource, Namespace
from graph.store.candidates import CandidateQuery, Candidates
from graph.store.commands import NamespaceSpec
from graph.store.embedded.catalog import Catalog, CatalogEntry
from graph.store.embedded.faults import storage_faults
from graph.store.embedded.lock import DirectoryLock
from graph.store.embedded.namespace_file import NamespaceFile, create_file
from graph.store.embedded.open_files import OpenFiles, affordable_files
from graph.store.embedded.transaction import Transaction
from graph.store.embedded.work_schedule import WorkSchedule
from graph.store.embedded.workers import Workers
from graph.store.port import Clock

T = TypeVar("T")

_SUFFIXES = (".db", ".db-wal", ".db-shm", ".db-journal", ".index")


class Engine:
    """One data directory in use. Methods without `async` block and are called in the threads."""

    def __init__(
        self, directory: Path, clock: Clock, ids: IdSource, vfs: str | None, max_open: int, threads: int, index_bytes: int
    ) -> None:
        self.directory = directory
        self.clock = clock
        self.ids = ids
        self.vfs = vfs
        self.workers = Workers(threads)
        self.catalog = Catalog(directory / "catalog.db", clock, vfs)
        self.jobs = WorkSchedule(self.catalog)
        self.files = OpenFiles(affordable_files(max_open), self._file)
        self._lock = DirectoryLock(directory)
        self._index_bytes = index_bytes

    def open(self) -> None:
        """Takes the directory, and sweeps what a crash left half made or half deleted."""
        with storage_faults():
            (self.directory / "namespaces").mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            try:
                for entry in self.catalog.open():
                    self.remove_files(entry.uid)
                    self.catalog.forget(entry)
                self.jobs.load()
            except BaseException:
                self.catalog.close()
                self._lock.release()
                raise

    async def close(self) -> None:
        """Waits for what is under way and lets go of the directory."""
        await self.workers.run(self._close)
        self.workers.close()

    def _close(self) -> None:
        with storage_faults():
            try:
                self.files.close()
                self.jobs.clear_hints(limit=2**31)
            finally:
                self.catalog.close()
                self._lock.release()

    def path(self, uid: str) -> Path:
        """Where a namespace's truth is."""
        return self.directory / "namespaces" / f"{uid}.db"

    def _file(self, entry: CatalogEntry) -> NamespaceFile:
        return NamespaceFile(self.path(entry.uid), entry.uid, entry.settings.name, self.clock, self.vfs, self.jobs)

    def create(self, spec: NamespaceSpec) -> CatalogEntry:
        """Creates a namespace: the catalog says CREATING until its file is there."""
        with storage_faults(spec.name):
            entry = self.catalog.reserve(spec)
            try:
                create_file(self.path(entry.uid), entry.uid, self.vfs)
                return self.catalog.activate(entry)
            except BaseException:
                self.discard(entry)
                raise

    def discard(self, entry: CatalogEntry) -> None:
        """Removes what is left of a namespace that is not, or no longer, visible. What cannot be removed now is swept at the next start."""
        self.files.drop(entry.uid)
        self.jobs.forget(entry.uid)
        self.remove_files(entry.uid)
        self.catalog.forget(entry)

    def remove_files(self, uid: str) -> None:
        """Deletes the files of a namespace."""
        path = self.path(uid)
        for suffix in _SUFFIXES:
            path.with_suffix(suffix).unlink(missing_ok=True)

    # What every intent is made of

    async def call(self, namespace: str, work: Callable[[NamespaceFile, Namespace], T]) -> T:
        """Runs `work` on the namespace's open file in a thread."""
        return await self.workers.run(lambda: self.with_file(namespace, work))

    def with_file(self, namespace: str, work: Callable[[NamespaceFile, Namespace], T]) -> T:
        """Runs `work` on the namespace's open file in this thread."""
        entry = self.catalog.get(namespace)
        with self.files.use(entry) as file:
            return work(file, entry.settings)

    def search(self, file: NamespaceFile, settings: Namespace, query: CandidateQuery) -> Candidates:
        """Searches a namespace's index, brought up to date."""
        with file.read() as db:
            return file.index.candidates(db, settings.embedding.dimension, query)

    async def read(self, namespace: str, work: Callable[[apsw.Connection, Namespace], T]) -> T:
        """Runs `work` in a read transaction."""

        def reading(file: NamespaceFile, settings: Namespace) -> T:
            with file.read() as db:
                return work(db, settings)

        return await self.call(namespace, reading)

    async def write(self, namespace: str, work: Callable[[Transaction, Namespace], T]) -> T:
        """Runs `work` in a write transaction."""

        def writing(file: NamespaceFile, settings: Namespace) -> T:
            with file.write() as tx:
                return work(tx, settings)

        return await self.call(namespace, writing)
