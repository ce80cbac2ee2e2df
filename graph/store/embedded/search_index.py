"""A namespace's derived search index: built from the file, kept in step with it by the change log, saved where it is large."""

import threading
from pathlib import Path

import apsw
import numpy as np
from numpy.typing import NDArray

from graph.errors import InvalidArgument
from graph.store.candidates import CandidateQuery, Candidates
from graph.store.embedded.index_entries import all_entries, entries_of
from graph.store.embedded.search import SearchIndex
from graph.store.embedded.search_filter import index_query
from graph.store.embedded.transaction import Operation
from graph.store.embedded.vector_rows import read_vectors

_VECTOR_CHUNK = 20_000


class DerivedIndex:
    """The index of one namespace. All that it holds can be rebuilt from the file."""

    def __init__(self, snapshot: Path, uid: str) -> None:
        self._snapshot = snapshot
        self._uid = uid
        self._lock = threading.Lock()
        self._index: SearchIndex | None = None

    def candidates(self, db: apsw.Connection, dimension: int, query: CandidateQuery) -> Candidates:
        """Finds and measures candidates at the revision that the read transaction `db` sees."""
        if query.vector is not None and query.vector.shape != (dimension,):
            raise InvalidArgument.of("vector", f"has {query.vector.size} numbers, the namespace's vectors have {dimension}")
        index = self.refreshed(db, dimension)
        return index.search(index_query(db, query), lambda keys: read_vectors(db, keys, dimension))

    def refreshed(self, db: apsw.Connection, dimension: int) -> SearchIndex:
        """The index at the revision that `db` sees, or a later one."""
        revision = int(db.execute("SELECT revision FROM state").get)
        with self._lock:
            if self._index is None:
                self._index = _built(db, dimension, revision)
            elif self._index.revision < revision:
                _apply_changes(self._index, db, dimension, revision)
            return self._index

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        index = self._index
        return index.nbytes if index is not None else 0

    def forget(self) -> None:
        """Lets go of the memory."""
        with self._lock:
            self._index = None

    def forget_snapshot(self) -> None:
        """Deletes the snapshot: something that it may hold was deleted."""
        self._snapshot.unlink(missing_ok=True)


def _built(db: apsw.Connection, dimension: int, revision: int) -> SearchIndex:
    index = SearchIndex(dimension)
    for chunk in all_entries(db):
        index.add(chunk)
    if dimension:
        after = 0
        while len(keys := _vector_keys(db, after)):
            index.set_vectors(keys, read_vectors(db, keys, dimension))
            after = int(keys[-1])
    index.revision = revision
    return index


def _vector_keys(db: apsw.Connection, after: int) -> NDArray[np.int64]:
    rows = db.execute("SELECT passage FROM vectors WHERE passage > ? ORDER BY passage LIMIT ?", (after, _VECTOR_CHUNK)).fetchall()
    return np.array([key for (key,) in rows], dtype=np.int64)


def _apply_changes(index: SearchIndex, db: apsw.Connection, dimension: int, revision: int) -> None:
    """Brings the index to `revision`. Keys are never used twice, so what each was last is what the file says now."""
    changed: dict[int, list[bytes]] = {}
    for operation, keys in db.execute("SELECT operation, keys FROM changes WHERE revision > ?", (index.revision,)):
        changed.setdefault(operation, []).append(keys)

    def keys_of(*operations: Operation) -> NDArray[np.int64]:
        return np.frombuffer(b"".join(blob for o in operations for blob in changed.get(o, ())), dtype=np.int64)

    gone = keys_of(Operation.REMOVED, Operation.RETIRED)
    if len(gone):
        index.remove(gone)
    added = keys_of(Operation.ADDED)
    if len(added):
        index.add(entries_of(db, added.tolist()))
    embedded = np.unique(keys_of(Operation.EMBEDDED))
    if len(embedded) and dimension:
        vectors = read_vectors(db, embedded, dimension)
        present = ~np.isnan(vectors[:, 0])
        index.set_vectors(embedded[present], vectors[present])
    index.revision = revision
