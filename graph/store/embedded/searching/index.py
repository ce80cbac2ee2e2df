"""A namespace's derived search index: built from the file, kept in step with it by the change log, saved where it is large."""

import threading
from collections.abc import Callable
from pathlib import Path

import apsw
import numpy as np
from numpy.typing import NDArray

from graph.errors import InvalidArgument
from graph.store.candidates import CandidateQuery, Candidates
from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.schema import NAMESPACE_MIGRATIONS
from graph.store.embedded.files.transaction import Operation
from graph.store.embedded.rows.vector_rows import read_vectors
from graph.store.embedded.searching.entries import all_entries, entries_of
from graph.store.embedded.searching.filter import resolved_names
from graph.store.rules.index_queries import index_query
from graph.store.search import IndexSnapshotDamaged, SearchIndex
from graph.text import ANALYSER_VERSION

_VECTOR_CHUNK = 20_000
# Vectors of namespaces that came from a snapshot are read ahead from so many passages on, in steps that no search waits long for.
_FILLED_FROM = 4_096
_FILL_CHUNK = 2_000
# Measured at 1,500 passages of 384 dimensions: built from the file in 70 ms, saved in 4 ms, loaded in 2 ms.
_SNAPSHOT_PASSAGES = 500
# The snapshot is written anew when this share of the passages came after it.
_SNAPSHOT_TAIL = 0.2


class DerivedIndex:
    """The index of one namespace. All that it holds can be rebuilt from the file; so can its snapshot, which may vanish at any time.

    The snapshot's name says which namespace, schema and analyser it is of: one of others is not even looked at.
    """

    def __init__(self, database: Path) -> None:
        self._snapshot = snapshot_path(database)
        self._lock = threading.Lock()
        self._save_lock = threading.Lock()
        self._index: SearchIndex | None = None
        self._saved_passages = 0
        self._saved_revision = -1
        self._scrubs = 0
        self._fill_due = False
        self._holds_deleted = False
        self._closed = False

    def candidates(self, db: apsw.Connection, dimension: int, query: CandidateQuery) -> Candidates:
        """Finds and measures candidates at the revision that the read transaction `db` sees."""
        if query.vector is not None and query.vector.shape != (dimension,):
            raise InvalidArgument.of("vector", f"has {query.vector.size} numbers, the namespace's vectors have {dimension}")
        index = self.refreshed(db, dimension)
        return index.search(index_query(query, resolved_names(db, query)), lambda keys: read_vectors(db, keys, dimension))

    def refreshed(self, db: apsw.Connection, dimension: int) -> SearchIndex:
        """The index at the revision that `db` sees, or a later one."""
        revision = int(db.execute("SELECT revision FROM state").get)
        with self._lock:
            if self._index is None:
                self._holds_deleted = False
                self._index = self._loaded(dimension, revision) or _built(db, dimension, revision, self._snapshot.parent)
            if self._index.revision < revision and not _apply_changes(self._index, db, dimension, revision):
                self._index = _built(db, dimension, revision, self._snapshot.parent)
            return self._index

    def _loaded(self, dimension: int, revision: int) -> SearchIndex | None:
        """The snapshot, if there is one and it is of this file."""
        try:
            index = SearchIndex.load(self._snapshot, spill_in=self._snapshot.parent)
        except (OSError, IndexSnapshotDamaged):
            return None
        if index.revision > revision or index.dimension != dimension:
            return None
        self._saved_passages, self._saved_revision = index.passage_count, index.revision
        self._fill_due = index.passage_count > _FILLED_FROM and dimension > 0
        return index

    def take_fill(self) -> bool:
        """Whether `fill` would spare searches much reading; once true, it counts as begun."""
        due, self._fill_due = self._fill_due, False
        return due

    def fill(self, db: apsw.Connection, dimension: int, stopped: Callable[[], bool]) -> None:
        """Reads all vectors ahead of the searches that need them, until `stopped` says that nobody will search any more."""
        after = 0
        while (index := self._index) is not None and not stopped() and len(keys := _vector_keys(db, after, _FILL_CHUNK)):
            index.keep_vectors(keys, read_vectors(db, keys, dimension))
            after = int(keys[-1])

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        index = self._index
        return index.nbytes if index is not None else 0

    @property
    def outgrew_snapshot(self) -> bool:
        """Whether saving the index would spare the next start much work."""
        index = self._index
        if index is None or self._holds_deleted or index.revision == self._saved_revision:
            return False
        count = index.passage_count
        return count > _SNAPSHOT_PASSAGES and count - self._saved_passages > _SNAPSHOT_TAIL * count

    def save(self) -> None:
        """Writes the snapshot of a large index, whole or not at all. That it fails loses nothing but time.

        An index out of which something was deleted is not saved any more: the next one, built from the file, holds no trace of it.
        """
        with self._save_lock:
            index, scrubs = self._index, self._scrubs
            if self._closed or self._holds_deleted:
                return
            if index is None or index.passage_count <= _SNAPSHOT_PASSAGES or index.revision == self._saved_revision:
                return
            self._saved_passages, self._saved_revision = index.passage_count, index.revision
            try:
                index.save(self._snapshot)
            except OSError:
                self._snapshot.unlink(missing_ok=True)
            if scrubs != self._scrubs:
                # Something was deleted meanwhile, and may be in what was just written.
                self._snapshot.unlink(missing_ok=True)

    def drop_cache(self) -> None:
        """Lets go of cached vectors."""
        index = self._index
        if index is not None:
            index.drop_cache()

    def forget(self) -> None:
        """Lets go of the memory, after saving what is worth it."""
        if self.outgrew_snapshot:
            self.save()
        with self._lock:
            self._index = None

    def close(self) -> None:
        """Lets go of the memory for good; when it returns, no save is under way, and none begins later."""
        self.forget()
        with self._save_lock:
            self._closed = True

    def forget_snapshot(self) -> None:
        """Deletes the snapshot: something that it may hold was deleted."""
        self._holds_deleted = True
        self._scrubs += 1
        self._saved_passages, self._saved_revision = 0, -1
        self._snapshot.unlink(missing_ok=True)


def snapshot_path(database: Path) -> Path:
    """Where the snapshot of a namespace's index is, for this schema and analyser."""
    return database.with_name(f"{database.stem}.{len(NAMESPACE_MIGRATIONS)}-{ANALYSER_VERSION}.index")


def _built(db: apsw.Connection, dimension: int, revision: int, directory: Path) -> SearchIndex:
    index = SearchIndex(dimension, spill_in=directory)
    for chunk in all_entries(db):
        index.add(chunk)
    if dimension:
        after = 0
        while len(keys := _vector_keys(db, after)):
            index.set_vectors(keys, read_vectors(db, keys, dimension))
            after = int(keys[-1])
    index.revision = revision
    return index


def _vector_keys(db: apsw.Connection, after: int, limit: int = _VECTOR_CHUNK) -> NDArray[np.int64]:
    found = rows(db, "SELECT passage FROM vectors WHERE passage > ? ORDER BY passage LIMIT ?", (after, limit))
    return np.array([key for (key,) in found], dtype=np.int64)


def _apply_changes(index: SearchIndex, db: apsw.Connection, dimension: int, revision: int) -> bool:
    """Brings the index to `revision`, unless the log does not reach back that far.

    Keys are never used twice, so what each was last is what the file says now.
    """
    changed: dict[int, list[bytes]] = {}
    for operation, keys in rows(db, "SELECT operation, keys FROM changes WHERE revision > ?", (index.revision,)):
        changed.setdefault(operation, []).append(keys)
    if Operation.FORGOTTEN in changed:
        return False

    def keys_of(*operations: Operation) -> NDArray[np.int64]:
        return np.frombuffer(b"".join(blob for o in operations for blob in changed.get(o, ())), dtype=np.int64)

    gone = keys_of(Operation.REMOVED, Operation.RETIRED)
    if len(gone):
        index.remove(gone)
    added = keys_of(Operation.ADDED)
    for chunk in entries_of(db, added.tolist()):
        index.add(chunk)
    embedded = np.unique(keys_of(Operation.EMBEDDED))
    for start in range(0, len(embedded) if dimension else 0, _VECTOR_CHUNK):
        some = embedded[start : start + _VECTOR_CHUNK]
        vectors = read_vectors(db, some, dimension)
        present = ~np.isnan(vectors[:, 0])
        index.set_vectors(some[present], vectors[present])
    index.revision = revision
    return True
