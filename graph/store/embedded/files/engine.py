"""The parts of an embedded store put together: lock, catalog, open files, threads."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import apsw

from graph.errors import NamespaceNotFound, StructMemError, TooManyExports
from graph.model import IdSource, Namespace
from graph.store.candidates import CandidateQuery, Candidates
from graph.store.embedded.files.catalog import Catalog, CatalogEntry
from graph.store.embedded.files.faults import storage_faults
from graph.store.embedded.files.identity import UnfitFile
from graph.store.embedded.files.lock import DirectoryLock
from graph.store.embedded.files.namespace_file import NamespaceFile, create_file
from graph.store.embedded.files.open_files import OpenFiles, affordable_files, affordable_snapshots
from graph.store.embedded.files.workers import Workers
from graph.store.embedded.jobs.work_schedule import WorkSchedule
from graph.store.embedded.searching.index import DerivedIndex
from graph.store.port import Clock, NamespaceSpec

T = TypeVar("T")


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
        self._snapshots = threading.BoundedSemaphore(affordable_snapshots())
        self._lock = DirectoryLock(directory)
        self._index_bytes = index_bytes
        self._index_sizes: dict[str, int] = {}
        self._index_total = 0
        self._sizes_lock = threading.Lock()
        self._shrinking = False
        self._closing = threading.Event()

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
        """Waits for what is under way and lets go of the directory. A second time nothing happens."""
        await asyncio.to_thread(self._close)

    def _close(self) -> None:
        self._closing.set()
        self.workers.close()
        with storage_faults():
            try:
                self.files.close()
                if self.catalog.is_open:
                    self.jobs.clear_hints(limit=2**31)
            finally:
                self.catalog.close()
                self._lock.release()

    def path(self, uid: str) -> Path:
        """Where a namespace's truth is."""
        return self.directory / "namespaces" / f"{uid}.db"

    def _file(self, entry: CatalogEntry) -> NamespaceFile:
        # Whoever looked it up before it was deleted must not bring its file back to life.
        if self.catalog.get(entry.settings.name).uid != entry.uid:
            raise NamespaceNotFound(entry.settings.name)
        return NamespaceFile(
            self.path(entry.uid), entry.settings, self.clock, self.ids, self.vfs, self.jobs, self.files.cache_kib, self.workers.later
        )

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
        for path in (self.directory / "namespaces").glob(f"{uid}.*"):
            path.unlink(missing_ok=True)

    def entry(self, name: str, uid: str = "") -> CatalogEntry:
        """What the catalog says of the namespace. Raises NamespaceNotFound, as `with_file`."""
        entry = self.catalog.get(name)
        if uid not in ("", entry.uid):
            raise NamespaceNotFound(name)
        return entry

    def with_file(self, name: str, work: Callable[[NamespaceFile, Namespace], T], uid: str = "") -> T:
        """Runs `work` on the namespace's open file in this thread.

        Raises:
            NamespaceNotFound: there is no namespace of this name, or, where `uid` is given, it is not the one that is meant.
        """
        entry = self.entry(name, uid)
        with self._opened(entry) as file:
            return work(file, entry.settings)

    @contextmanager
    def _opened(self, entry: CatalogEntry) -> Iterator[NamespaceFile]:
        try:
            with self.files.use(entry) as file:
                yield file
        except UnfitFile:
            # A namespace that was deleted meanwhile has lost its file rightly.
            if self.catalog.get(entry.settings.name).uid != entry.uid:
                raise NamespaceNotFound(entry.settings.name) from None
            raise

    @contextmanager
    def snapshot(self, name: str, uid: str) -> Iterator[apsw.Connection]:
        """A read transaction that may last as long as its reader takes; the file stays open meanwhile. Raises TooManyExports."""
        if not self._snapshots.acquire(blocking=False):
            raise TooManyExports("as many exports are read as may be at once; try again when one of them has ended")
        try:
            with self._opened(self.entry(name, uid)) as file, file.read_apart() as db:
                yield db
        finally:
            self._snapshots.release()

    def search(self, file: NamespaceFile, settings: Namespace, query: CandidateQuery) -> Candidates:
        """Searches a namespace's index, brought up to date."""
        with file.read() as db:
            found = file.index.candidates(db, settings.embedding.dimension, query)
        self._bound_indexes(file)
        if file.index.outgrew_snapshot:
            self.workers.later(file.index.save)
        if file.index.take_fill():
            self.workers.later(lambda: self._fill(settings.name))
        return found

    def _fill(self, namespace: str) -> None:
        # Nobody waits for it, and a search that finds a vector missing reads it itself.
        with suppress(StructMemError), self.files.use(self.catalog.get(namespace)) as file, file.read_apart() as db:
            file.index.fill(db, self.catalog.get(namespace).settings.embedding.dimension, self._closing.is_set)

    def _bound_indexes(self, used: NamespaceFile) -> None:
        """Notes what the index takes now. Room is made in the background: letting an index go may mean saving it first."""
        with self._sizes_lock:
            size = used.index.nbytes
            self._index_total += size - self._index_sizes.get(used.uid, 0)
            self._index_sizes[used.uid] = size
            if self._index_total <= self._index_bytes or self._shrinking:
                return
            self._shrinking = True
        self.workers.later(lambda: self._shrink(used))

    def _shrink(self, used: NamespaceFile) -> None:
        """While all indexes take more memory than they may, those used least recently lose cached vectors, then go."""
        others = [file for file in self.files.opened() if file is not used]
        sizes = {file.uid: file.index.nbytes for file in (*others, used)}
        total = sum(sizes.values())
        try:
            for shrink in (DerivedIndex.drop_cache, DerivedIndex.forget):
                for file in others:
                    if total <= self._index_bytes or self._closing.is_set():
                        return
                    shrink(file.index)
                    total += file.index.nbytes - sizes[file.uid]
                    sizes[file.uid] = file.index.nbytes
        finally:
            with self._sizes_lock:
                self._index_sizes, self._index_total = sizes, sum(sizes.values())
                self._shrinking = False

    def index(self, namespace: str) -> None:
        """Builds a namespace's index ahead of its first search, and saves it where that pays."""

        def build(file: NamespaceFile, settings: Namespace) -> None:
            with file.read() as db:
                file.index.refreshed(db, settings.embedding.dimension)
            file.index.save()
            self._bound_indexes(file)

        self.with_file(namespace, build)
