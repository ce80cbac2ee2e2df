"""One namespace's open file: a connection that writes, one that reads, and the search index derived from it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from graph.errors import NotFound
from graph.model import to_micros
from graph.store.embedded.connection import connect
from graph.store.embedded.faults import storage_faults
from graph.store.embedded.job_queue import next_due
from graph.store.embedded.schema import NAMESPACE_MIGRATIONS, migrate
from graph.store.embedded.search_index import DerivedIndex
from graph.store.embedded.transaction import Transaction
from graph.store.embedded.work_schedule import WorkSchedule
from graph.store.embedded.workers import cancelled
from graph.store.port import Clock
from graph.text import ANALYSER_VERSION

# SQLite calls back after about this many steps of its virtual machine, some 0.1 ms; the callback asks whether the call was cancelled.
_PROGRESS_STEPS = 20_000


def create_file(path: Path, uid: str, vfs: str | None) -> None:
    """Makes the file of a new namespace."""
    db = connect(path, vfs, create=True)
    try:
        migrate(db, NAMESPACE_MIGRATIONS, "the namespace")
        db.execute("INSERT INTO state VALUES (1, ?, 0, 1, 1, 0, 0, ?)", (uid, ANALYSER_VERSION))
    finally:
        db.close()


class NamespaceFile:
    """Writes are one at a time, and so are reads; a read does not wait for a write. Connections open when they are first used."""

    def __init__(self, path: Path, uid: str, name: str, clock: Clock, vfs: str | None, jobs: WorkSchedule) -> None:
        self.path = path
        self.uid = uid
        self.name = name
        self.index = DerivedIndex(path.with_suffix(".index"), uid)
        self._clock = clock
        self._vfs = vfs
        self._jobs = jobs
        self._write_lock = threading.RLock()
        self._read_lock = threading.Lock()
        self._writer: apsw.Connection | None = None
        self._reader: apsw.Connection | None = None
        self._closed = False

    @contextmanager
    def write(self) -> Iterator[Transaction]:
        """A write transaction; commits at the end, durable then, and leaves nothing behind when anything raises."""
        with self._write_lock, storage_faults(self.name):
            db = self._writer = self._writer or self._open_writer()
            db.execute("BEGIN IMMEDIATE")
            try:
                tx = Transaction(db, to_micros(self._clock.now()))
                yield tx
                tx.finish()
                due = next_due(db) if tx.touched_jobs else None
                if due is not None:
                    self._jobs.expect(self.name, self.uid)
                db.execute("COMMIT")
            except BaseException:
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise
            if tx.touched_jobs:
                self._jobs.note(self.name, self.uid, due)
            if tx.scrub:
                self.index.forget_snapshot()
                db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        """A read transaction: everything in it is of one revision."""
        with self._read_lock, storage_faults(self.name):
            db = self._reader = self._reader or self._open_reader()
            db.execute("BEGIN")
            try:
                yield db
            finally:
                if db.in_transaction:
                    db.execute("COMMIT")

    @contextmanager
    def read_apart(self) -> Iterator[apsw.Connection]:
        """A read transaction on a connection of its own, for what takes long."""
        with storage_faults(self.name):
            db = self._open_reader()
            try:
                db.execute("BEGIN")
                yield db
            finally:
                db.close()

    def close(self) -> None:
        """Lets go of the connections. Waits for reads and writes under way; later ones fail with NotFound."""
        with self._write_lock, self._read_lock, storage_faults(self.name):
            self._closed = True
            for db in (self._reader, self._writer):
                if db is not None:
                    db.close()
            self._reader = self._writer = None

    def _open_writer(self) -> apsw.Connection:
        self._refuse_when_closed()
        db = connect(self.path, self._vfs)
        migrate(db, NAMESPACE_MIGRATIONS, f"namespace {self.name}")
        return db

    def _open_reader(self) -> apsw.Connection:
        self._refuse_when_closed()
        db = connect(self.path, self._vfs, read_only=True)
        if int(db.pragma("user_version")) != len(NAMESPACE_MIGRATIONS):
            with self._write_lock:
                self._writer = self._writer or self._open_writer()
        db.set_progress_handler(cancelled, _PROGRESS_STEPS)
        return db

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise NotFound(f"namespace {self.name!r} does not exist")
