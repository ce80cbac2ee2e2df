"""Memories as queries return them for searching: a list of values each, never a node."""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from graph.model import NodeKind, Role
from graph.model.ids import number_of
from graph.store.neo4j.rows.node_properties import passage_key
from graph.store.search import MemoryEntry, PassageEntry

# Of a node `m`. Only what has the label Chunked pays for looking at its further passages.
MEMORY_VALUES = """[m.key, m.id, m.kind, m.role, m.session_key, m.seq, m.previous_key, m.speaker, m.said_at, m.features, m.spans,
    m.evidence_keys, [0, m.term_hashes, m.term_counts, m.length, m.v16],
    CASE WHEN m:Chunked THEN [(m)-[:HAS_PASSAGE]->(p) | [p.ordinal, p.term_hashes, p.term_counts, p.length, p.v16]] ELSE [] END]"""


class FoundPassage(NamedTuple):
    """A passage of a memory."""

    ordinal: int
    term_hashes: bytes
    term_counts: bytes
    length: int
    v16: bytes | None


class FoundMemory(NamedTuple):
    """A current message, fact or relation with what searches read of it; see `node_properties.py`."""

    key: int
    id: str
    kind: NodeKind
    role: int
    session: int
    seq: int
    previous: int
    speaker: str
    said_at: int
    features: int
    spans: bytes
    evidence: bytes
    passages: list[FoundPassage]


def found_memory(values: Sequence[Any]) -> FoundMemory:
    """The memory of MEMORY_VALUES."""
    key, id_, kind, role, session, seq, previous, speaker, said_at, features, spans, evidence, first, further = values
    return FoundMemory(
        key,
        id_,
        NodeKind[kind],
        Role[role] if role else 0,
        session,
        seq or 0,
        previous or 0,
        speaker,
        said_at,
        features,
        spans or b"",
        evidence or b"",
        [FoundPassage(*passage) for passage in (first, *sorted(further, key=lambda passage: passage[0]))],
    )


def is_searched(values: Sequence[Any]) -> bool:
    """Whether the node of these MEMORY_VALUES was current, with all its columns, when it was read."""
    return values[12][1] is not None


def index_entry(memory: FoundMemory) -> MemoryEntry:
    """The memory as the search index takes it."""
    spans = np.frombuffer(memory.spans, "<i8").reshape(-1, 2).tolist()
    return MemoryEntry(
        key=memory.key,
        uuid=number_of(memory.id).to_bytes(16, "big"),
        kind=memory.kind,
        role=memory.role,
        session=memory.session,
        seq=memory.seq,
        speaker=memory.speaker,
        said_at=memory.said_at,
        features=memory.features,
        spans=tuple((start, end) for start, end in spans),
        passages=tuple(
            PassageEntry(
                passage_key(memory.key, passage.ordinal),
                np.frombuffer(passage.term_hashes, "<u8"),
                np.frombuffer(passage.term_counts, np.uint8),
                passage.length,
            )
            for passage in memory.passages
        ),
        evidence=tuple(np.frombuffer(memory.evidence, "<i8").tolist()),
    )


def vectors_of(memories: Iterable[FoundMemory], dimension: int) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """The keys of the passages that have a vector, and these, (m, dimension)."""
    pairs = [(passage_key(m.key, passage.ordinal), passage.v16) for m in memories for passage in m.passages if passage.v16]
    keys = np.array([key for key, _ in pairs], np.int64)
    return keys, np.frombuffer(b"".join([blob for _, blob in pairs]), "<f2").reshape(len(pairs), dimension)
