"""One namespace's open file: a connection that writes, one that reads, and the search index derived from it."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import timedelta
from functools import partial
from pathlib import Path

import apsw

from graph.errors import NamespaceNotFound
from graph.giving_up import for_everybody, given_up
from graph.model import IdSource, Namespace, to_micros
from graph.store.embedded.files.connection import BUSY_TIMEOUT_MS, CACHE_KIB, connect, rows
from graph.store.embedded.files.faults import storage_faults
from graph.store.embedded.files.identity import missing, verify
from graph.store.embedded.files.schema import NAMESPACE_MIGRATIONS, migrate
from graph.store.embedded.files.transaction import Transaction
from graph.store.embedded.jobs.job_queue import cover_messages, next_due
from graph.store.embedded.jobs.work_schedule import WorkSchedule
from graph.store.embedded.searching.index import DerivedIndex
from graph.store.embedded.searching.reanalysis import analysed_by_other, reanalyse
from graph.store.port import Clock
from graph.store.rules.spec_rules import waits_for_vectors
from graph.text import ANALYSER_VERSION

# SQLite calls back after about this many steps of its virtual machine, some 0.1 ms; the callback asks whether the call was cancelled.
_PROGRESS_STEPS = 20_000

# The log is moved into the database in the background from 4 MB on, and by the write itself from 40 MB on.
_CHECKPOINT_PAGES = 1_000
_INLINE_CHECKPOINT_PAGES = 10_000
_RECENT_ZONES = 1_000
# Descriptors that long reads may leave aside for the next ones.
_KEPT_ASIDE = 4


class RecentZones(OrderedDict[str, str]):
    """Time zones of sessions that were written to lately, a guess to be checked."""

    def __setitem__(self, session: str, zone: str) -> None:
        super().__setitem__(session, zone)
        if len(self) > _RECENT_ZONES:
            self.popitem(last=False)


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

    def __init__(
        self,
        path: Path,
        settings: Namespace,
        clock: Clock,
        ids: IdSource,
        vfs: str | None,
        jobs: WorkSchedule,
        cache_kib: Callable[[], int],
        later: Callable[[Callable[[], None]], None],
    ) -> None:
        self.path = path
        self.uid = settings.uid
        self.name = settings.name
        self.index = DerivedIndex(path)
        self._settings = settings
        self.ids = ids
        self._clock = clock
        self._vfs = vfs
        self._jobs = jobs
        self._write_lock = threading.RLock()
        self._read_lock = threading.Lock()
        self._writer: apsw.Connection | None = None
        self._reader: apsw.Connection | None = None
        self._cache_kib = cache_kib
        self._later = later
        self._reader_cache = CACHE_KIB
        self._closed = False
        self._scrub_due = False
        self._current = False
        self._log_pages = 0
        self._checkpointing = False
        self._apart_lock = threading.Lock()
        self._apart = self._most_apart = 0
        self.zones = RecentZones()

    @contextmanager
    def write(self, settings: Namespace) -> Iterator[Transaction]:
        """A write transaction under these settings; commits at the end, durable then, and leaves nothing behind when anything raises."""
        with self._write_lock, storage_faults(self.name):
            db = self._writer = self._writer or self._open_writer()
            db.execute("BEGIN IMMEDIATE")
            try:
                tx = Transaction(db, to_micros(self._clock.now()), settings, self.ids)
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
                self._jobs.note(self.name, self.uid, due, tx.changed_jobs)
            self._scrub_due = self._scrub_due or tx.scrub
            if self._scrub_due:
                self._scrub(db)
        if self._log_pages >= _CHECKPOINT_PAGES and not self._checkpointing:
            self._checkpointing = True
            self._later(self._checkpoint)

    def _checkpoint(self) -> None:
        """Moves the write-ahead log into the database, beside readers and writers, so that no write waits for it."""
        # What goes wrong here goes wrong again where somebody can be told: in a write, which checkpoints a log that has grown too long.
        with suppress(apsw.Error, OSError), closing(connect(self.path, self._vfs)) as db:
            db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        self._checkpointing = False

    def _scrub(self, db: apsw.Connection) -> None:
        """Lets snapshot and write-ahead log lose what was deleted. While a long read needs the log, it is left to the next write."""
        # What goes wrong here must not make a committed write look failed.
        self._scrub_due = True
        with suppress(apsw.Error, OSError), self._read_lock:
            self.index.forget_snapshot()
            db.set_busy_timeout(0)
            try:
                db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
                self._scrub_due = False
            finally:
                db.set_busy_timeout(BUSY_TIMEOUT_MS)

    @contextmanager
    def read(self) -> Iterator[apsw.Connection]:
        """A read transaction: everything in it is of one revision."""
        self._ensure_current()
        with self._read_lock, storage_faults(self.name):
            db = self._reader = self._reader or self._open_reader()
            if (share := self._cache_kib()) != self._reader_cache:
                db.pragma("cache_size", -share)
                self._reader_cache = share
            db.execute("BEGIN")
            try:
                yield db
            finally:
                if db.in_transaction:
                    db.execute("COMMIT")

    @contextmanager
    def read_apart(self) -> Iterator[apsw.Connection]:
        """A read transaction on a connection of its own, for what takes long."""
        self._ensure_current()
        with storage_faults(self.name), self._counted_apart():
            db = self._open_reader()
            try:
                db.execute("BEGIN")
                yield db
            finally:
                db.close()

    @contextmanager
    def _counted_apart(self) -> Iterator[None]:
        """Counts connections of their own, and gives back the descriptors that many of them at once leave behind.

        Closing a descriptor would drop the locks that the process holds on the same file, so SQLite only puts it aside, for the next
        connection, until nobody of the process uses the file (https://www.sqlite.org/src/file/src/os_unix.c, "Posix Advisory Locking").
        """
        with self._apart_lock:
            self._apart += 1
            self._most_apart = max(self._most_apart, self._apart)
        try:
            yield
        finally:
            with self._apart_lock:
                self._apart -= 1
                renewed = self._apart == 0 and self._most_apart > _KEPT_ASIDE
                if renewed:
                    self._most_apart = 0
            if renewed:
                self._later(self._let_go)

    def _let_go(self) -> None:
        """Closes the connections between reads and writes; the next of either opens its own again."""
        with suppress(apsw.Error), self._write_lock, self._read_lock:
            self._close_connections()

    def _close_connections(self) -> None:
        for db in (self._reader, self._writer):
            if db is not None:
                db.close()
        self._reader = self._writer = None

    def close(self) -> None:
        """Lets go of the connections. Waits for reads and writes under way; later ones fail with NotFound."""
        with self._write_lock, self._read_lock, storage_faults(self.name):
            self._closed = True
            self._close_connections()
        # After the last read: no search brings the index back, and no save under way outlasts this.
        self.index.close()

    def _open_writer(self) -> apsw.Connection:
        db = self._connect()
        try:
            # Once begun it is done to its end: calls whose deadlines are shorter than it would otherwise begin it again and again.
            with for_everybody():
                migrate(db, NAMESPACE_MIGRATIONS, f"namespace {self.name}")
                db.set_wal_hook(self._logged)
                if analysed_by_other(db):
                    reanalyse(db, wait=waits_for_vectors(self._settings.embedding))
                    self._queue_vectors(db)
        except BaseException:
            db.close()
            raise
        return db

    def _logged(self, db: apsw.Connection, _: str, pages: int) -> int:
        """Called by SQLite after each commit, with the length of the log."""
        self._log_pages = pages
        if pages >= _INLINE_CHECKPOINT_PAGES:
            # What this raised would come out of the COMMIT, although the commit is durable; another checkpoint may be under way.
            with suppress(apsw.Error):
                db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        return apsw.SQLITE_OK

    def _queue_vectors(self, db: apsw.Connection) -> None:
        """Jobs for the sessions whose passages wait for vectors after their text was cut anew."""
        waiting = rows(
            db, "SELECT s.key, s.last_seq FROM sessions s WHERE EXISTS (SELECT 1 FROM passages WHERE session = s.key AND waits = 1)"
        )
        if waiting:
            self._writer = db
            with self.write(self._settings) as tx:
                for key, last_seq in waiting:
                    cover_messages(tx, self._settings, self.ids, key, last_seq, timedelta(0))

    def _open_reader(self) -> apsw.Connection:
        db = self._connect(read_only=True)
        db.set_progress_handler(given_up, _PROGRESS_STEPS)
        return db

    def _connect(self, *, read_only: bool = False) -> apsw.Connection:
        """A connection to the namespace's own file and no other."""
        self._refuse_when_closed()
        try:
            return connect(self.path, self._vfs, read_only=read_only, verify=partial(verify, namespace=self.name, uid=self.uid))
        except apsw.CantOpenError:
            if self.path.exists():
                raise
            raise missing(self.name) from None

    def _ensure_current(self) -> None:
        """Brings an older file forward before it is read. Takes the lock of writers, which always comes before that of readers."""
        if self._current:
            return
        with self._write_lock, storage_faults(self.name):
            db = self._open_reader()
            try:
                old = int(db.pragma("user_version")) != len(NAMESPACE_MIGRATIONS) or analysed_by_other(db)
            finally:
                db.close()
            if old:
                self._writer = self._writer or self._open_writer()
            self._current = True

    def _refuse_when_closed(self) -> None:
        if self._closed:
            raise NamespaceNotFound(self.name)
