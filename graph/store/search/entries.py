"""What goes into the search index of one namespace, and what a search asks of it. Keys of nodes and passages are the file's."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from graph.model import NodeKind
from graph.store.bm25 import Bm25


@dataclass(frozen=True, slots=True)
class PassageEntry:
    """One passage: its key, and its terms as 64-bit hashes (`term_hash`), distinct, with how often each occurs."""

    key: int
    term_hashes: NDArray[np.uint64]
    term_counts: NDArray[np.uint8]
    length: int


@dataclass(frozen=True, slots=True)
class MemoryEntry:
    """One message, fact or relation, with all that filters and scoring read.

    `uuid` is the 16 bytes of its id. `spans` are (start, end) in microseconds. `evidence` are keys of messages, for statements.
    For the `happened` filter a statement happened in its spans; a message, and a statement without a span, when it was said.
    """

    key: int
    uuid: bytes
    kind: NodeKind
    role: int
    session: int
    seq: int
    speaker: str
    said_at: int
    features: int
    spans: tuple[tuple[int, int], ...]
    passages: tuple[PassageEntry, ...]
    evidence: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class IndexQuery:
    """A CandidateQuery with its filter resolved to keys. None accepts all; `happened` and `said` are [start, end) in microseconds.

    `labelled` are keys of *messages* whose labels pass; a statement passes when one of its evidence does. What is of `not_sessions` or
    among `not_memories` does not pass.
    """

    term_hashes: NDArray[np.uint64]
    vector: NDArray[np.float32] | None
    spans: tuple[tuple[int, int], ...]
    kinds: frozenset[NodeKind]
    sessions: frozenset[int] | None
    speakers: frozenset[str] | None
    said: tuple[int, int] | None
    happened: tuple[int, int] | None
    labelled: NDArray[np.int64] | None
    include: NDArray[np.int64]
    lexical_limit: int
    dense_limit: int
    temporal_limit: int
    instruction_limit: int
    neighbours: int
    bm25: Bm25
    not_sessions: frozenset[int] = frozenset()
    not_memories: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))
