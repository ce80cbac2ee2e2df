"""A namespace as a stream of records, all of one revision."""

from collections.abc import AsyncIterator, Generator, Iterable, Iterator, Set
from itertools import chain
from typing import Any

import apsw
import numpy as np

from graph.model import STATEMENT_KINDS, EdgeKind, NodeKind
from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.engine import Engine
from graph.store.embedded.files.handle import Handle
from graph.store.embedded.rows.edge_rows import edges_of
from graph.store.embedded.rows.kind_numbers import CHANGES, LINKS, STATED, numbers
from graph.store.embedded.rows.node_keys import node_id
from graph.store.embedded.rows.node_rows import read_nodes
from graph.store.embedded.rows.span_rows import spans_of
from graph.store.port import ExportRecord, PassageVector, SessionProgress
from graph.store.rules.node_bytes import BATCH_BYTES

_BATCH = 1_000
# Sessions, messages, entities, statements, events, summaries: each refers only to those before it.
NODE_ORDER = ({NodeKind.SESSION}, {NodeKind.MESSAGE}, {NodeKind.ENTITY}, STATEMENT_KINDS, {NodeKind.EVENT}, {NodeKind.SUMMARY})
# Edges that no node implies, and the entities that messages name.
_EXPLICIT = f"""SELECT e.src, e.kind, e.ordinal, e.dst, e.via, e.properties FROM edges e JOIN nodes n ON n.key = e.src
    WHERE (e.kind IN ({STATED}, {LINKS}, {CHANGES}) OR (e.kind = {EdgeKind.MENTIONS:d} AND n.kind = {NodeKind.MESSAGE:d}))
    ORDER BY e.src, e.kind, e.ordinal, e.dst, e.via"""
_VECTORS = """SELECT n.kind, n.uuid, p.ordinal, v.vector FROM vectors v JOIN passages p ON p.key = v.passage JOIN nodes n ON n.key = p.owner
    ORDER BY v.passage"""
_SUMMARY_VECTORS = """SELECT n.kind, n.uuid, 0, s.vector FROM summaries s JOIN nodes n ON n.key = s.key
    WHERE s.vector IS NOT NULL ORDER BY s.key"""


async def export(handle: Handle, with_vectors: bool) -> AsyncIterator[list[ExportRecord]]:
    """See `Memory.export`."""
    engine = handle.engine
    uid = await handle.read(lambda _, settings: settings.uid)
    batches = _batches(engine, handle.name, uid, with_vectors)
    try:
        while (batch := await engine.workers.run_to_end(lambda: next(batches, None))) is not None:
            if batch:
                yield batch
    finally:
        await engine.workers.let_go(batches.close)


def _batches(engine: Engine, name: str, uid: str, with_vectors: bool) -> Generator[list[ExportRecord], None, None]:
    with engine.snapshot(name, uid) as db:
        for kinds in NODE_ORDER:
            for keys in _within_bytes(
                db.execute(f"SELECT key, length(body) FROM nodes WHERE kind IN ({numbers(kinds)}) ORDER BY {_order(kinds)}")
            ):
                yield list(read_nodes(db, keys).values())
        for chunk in _chunks(db.execute(_EXPLICIT)):
            yield list(edges_of(db, chunk))
        yield list(_progress(db))
        if with_vectors:
            for chunk in chain(_chunks(db.execute(_VECTORS)), _chunks(db.execute(_SUMMARY_VECTORS))):
                yield [PassageVector(node_id(kind, uuid), ordinal, np.frombuffer(blob, np.float16)) for kind, uuid, ordinal, blob in chunk]


def _order(kinds: Set[NodeKind]) -> str:
    """Older ones first; of summaries, of which older ones may have come to tell of younger ones, the lower level."""
    return "seq, key" if NodeKind.SUMMARY in kinds else "key"


def _progress(db: apsw.Connection) -> Iterator[SessionProgress]:
    for key, name, extracted_seq in rows(db, "SELECT key, name, extracted_seq FROM sessions ORDER BY key"):
        marks = db.execute("SELECT seq FROM flush_marks WHERE session = ? ORDER BY seq", (key,))
        again = db.execute("SELECT seq FROM messages_again WHERE session = ? ORDER BY seq", (key,))
        yield SessionProgress(name, extracted_seq, tuple(seq for (seq,) in marks), tuple(seq for (seq,) in again), spans_of(db, key))


def _chunks(found: Iterable[tuple[Any, ...]]) -> Iterator[list[tuple[Any, ...]]]:
    chunk: list[tuple[Any, ...]] = []
    for row in found:
        chunk.append(row)
        if len(chunk) == _BATCH:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


def _within_bytes(found: Iterable[tuple[int, int]]) -> Iterator[list[int]]:
    """Keys in runs whose nodes, of which the lengths are given, are read at once."""
    keys: list[int] = []
    size = 0
    for key, length in found:
        if keys and (size + length > BATCH_BYTES or len(keys) == _BATCH):
            yield keys
            keys, size = [], 0
        keys.append(key)
        size += length
    if keys:
        yield keys
