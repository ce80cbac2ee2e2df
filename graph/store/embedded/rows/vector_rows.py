"""Vectors in the file: float16, each with the digest of the text it was made from."""

from collections.abc import Mapping, Sequence

import apsw
import numpy as np
from numpy.typing import NDArray

from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.transaction import Operation, Transaction
from graph.store.embedded.rows.node_keys import keys_of
from graph.store.embedded.rows.usage_rows import add_usage
from graph.store.port import Float16Vector, PassageVector, UsageEntry
from graph.store.rules.vector_checks import accepted_vectors


def store_vectors(tx: Transaction, vectors: Mapping[int, tuple[Float16Vector, bytes]]) -> None:
    """Stores (vector, digest of the passage's text) by passage key."""
    if not vectors:
        return
    tx.db.executemany("INSERT INTO vectors VALUES (?, ?, ?)", [(key, v.tobytes(), digest) for key, (v, digest) in vectors.items()])
    tx.db.executemany("UPDATE passages SET waits = 0 WHERE key = ? AND waits = 1", [(key,) for key in vectors])
    tx.changed(Operation.EMBEDDED, vectors)


def put_vectors(tx: Transaction, fingerprint: str, vectors: Sequence[PassageVector], usage: Sequence[UsageEntry] = ()) -> int:
    """See `Memory.put_vectors`."""
    checked = accepted_vectors(tx.namespace.embedding, fingerprint, vectors)
    keys = keys_of(tx.db, {vector.owner_id for vector in vectors})
    given = {
        (keys[item.owner_id], item.ordinal): vector
        for item, vector in zip(vectors, checked, strict=True)
        if item.owner_id in keys and item.version in (0, keys[item.owner_id])
    }
    found = tx.db.executemany(
        """SELECT p.key, p.owner, p.ordinal, p.digest FROM passages p LEFT JOIN vectors v ON v.passage = p.key
           WHERE p.owner = ? AND p.ordinal = ? AND v.passage IS NULL""",
        given,
    )
    missing = {key: (given[(owner, ordinal)], digest) for key, owner, ordinal, digest in found}
    store_vectors(tx, missing)
    add_usage(tx, usage)
    return len(missing)


def read_vectors(db: apsw.Connection, passages: NDArray[np.int64], dimension: int) -> NDArray[np.float16]:
    """The vectors of these passages, (m, dimension), in their order; NaN where there is none."""
    found = np.full((len(passages), dimension), np.nan, dtype=np.float16)
    if not len(passages):
        return found
    order = np.argsort(passages, kind="stable")
    stored = rows(
        db,
        "SELECT v.passage, v.vector FROM carray(?) c CROSS JOIN vectors v ON v.passage = c.value",
        (apsw.carray(np.ascontiguousarray(passages[order], dtype=np.int64)),),
    )
    matrix = np.frombuffer(b"".join([blob for _, blob in stored]), dtype=np.float16).reshape(len(stored), dimension)
    if len(stored) == len(passages):
        found[order] = matrix
    else:
        present = np.isin(passages[order], np.array([passage for passage, _ in stored], dtype=np.int64))
        found[order[present]] = matrix
    return found
