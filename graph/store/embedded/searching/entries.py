"""Reads memories from the file in the form that the search index takes."""

import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import apsw
import numpy as np

from graph.model import EdgeKind, NodeKind
from graph.store.embedded.rows.kind_numbers import MEMORIES
from graph.store.search import MemoryEntry, PassageEntry

_NODES = "SELECT key, uuid, kind, role, session, seq, speaker, said_at, features, spans FROM nodes"
_CURRENT = f"kind IN ({MEMORIES}) AND retired_at IS NULL"
_PASSAGES = "SELECT owner, key, terms, counts, length FROM passages"
_EVIDENCE = f"SELECT src, dst FROM edges WHERE kind = {EdgeKind.EVIDENCED_BY:d}"
_KINDS = {int(kind): kind for kind in NodeKind}
# Of a chunk: memories, and passages, for a long message has thousands. Making postings of these takes 100 MB where passages are full.
_CHUNK = 5_000
_CHUNK_PASSAGES = 10_000


def entries_of(db: apsw.Connection, keys: Sequence[int]) -> Iterator[list[MemoryEntry]]:
    """The entries of those among these nodes that are current memories, in chunks."""
    chunk: list[int] = []
    passages = 0
    for key, count in db.executemany("SELECT ?1, count(*) FROM passages WHERE owner = ?1", [(key,) for key in keys]):
        if chunk and (len(chunk) == _CHUNK or passages + count > _CHUNK_PASSAGES):
            yield _entries_of(db, chunk)
            chunk, passages = [], 0
        chunk.append(key)
        passages += count
    if chunk:
        yield _entries_of(db, chunk)


def _entries_of(db: apsw.Connection, keys: Sequence[int]) -> list[MemoryEntry]:
    wanted = [(key,) for key in keys]
    nodes = list(db.executemany(f"{_NODES} WHERE key = ? AND {_CURRENT}", wanted))
    owners = [(row[0],) for row in nodes]
    passages = db.executemany(f"{_PASSAGES} WHERE owner = ? ORDER BY ordinal", owners)
    evidence = db.executemany(f"{_EVIDENCE} AND src = ? ORDER BY ordinal", owners)
    return list(_entries(nodes, passages, evidence))


def all_entries(db: apsw.Connection) -> Iterator[list[MemoryEntry]]:
    """The entries of all current memories, in chunks, in the order of their keys."""
    after = 0
    while True:
        last = db.execute("SELECT max(key) FROM (SELECT key FROM nodes WHERE key > ? ORDER BY key LIMIT ?)", (after, _CHUNK)).get
        if last is None:
            return
        full = db.execute("SELECT owner FROM passages WHERE owner > ? ORDER BY owner LIMIT 1 OFFSET ?", (after, _CHUNK_PASSAGES)).get
        if full is not None:
            last = min(last, max(full - 1, after + 1))
        bounds = (after, last)
        yield list(
            _entries(
                db.execute(f"{_NODES} WHERE key > ? AND key <= ? AND {_CURRENT}", bounds).fetchall(),
                db.execute(f"{_PASSAGES} WHERE owner > ? AND owner <= ? ORDER BY owner, ordinal", bounds),
                db.execute(f"{_EVIDENCE} AND src > ? AND src <= ? ORDER BY src, ordinal", bounds),
            )
        )
        after = int(last)


def _entries(nodes: Iterable[Any], passages: Iterable[Any], evidence: Iterable[Any]) -> Iterator[MemoryEntry]:
    by_owner: defaultdict[int, list[PassageEntry]] = defaultdict(list)
    for owner, key, terms, counts, length in passages:
        by_owner[owner].append(PassageEntry(key, np.frombuffer(terms, np.uint64), np.frombuffer(counts, np.uint8), length))
    rests_on: defaultdict[int, list[int]] = defaultdict(list)
    for source, target in evidence:
        rests_on[source].append(target)
    for key, uuid, kind, role, session, seq, speaker, said_at, features, spans in nodes:
        yield MemoryEntry(
            key=key,
            uuid=uuid,
            kind=_KINDS[kind],
            role=role,
            session=session,
            seq=seq,
            speaker=speaker or "",
            said_at=said_at,
            features=features,
            spans=_pairs(spans),
            passages=tuple(by_owner.get(key, ())),
            evidence=tuple(rests_on.get(key, ())),
        )


def _pairs(spans: bytes | None) -> tuple[tuple[int, int], ...]:
    if not spans:
        return ()
    bounds = struct.unpack(f"<{len(spans) // 8}q", spans)
    return tuple(zip(bounds[::2], bounds[1::2], strict=True))
