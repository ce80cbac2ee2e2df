"""The seam between a store and retrieval: what a query asks of the store's indexes, and the columns that come back.

A store finds candidates (the best of each channel, their neighbours in the session, the evidence of statements and the statements that rest
on messages) and measures *every* candidate in *every* channel: term counts, cosines, spans of time. Pure code in `graph.retrieval` does
the rest, so that both stores give the same answer. That every candidate is measured everywhere matters: where a candidate a channel did
not return counts as that channel's floor, LoCoMo recall drops by 1 to 4 points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from graph.model import MemoryFilter, TimeSpan
from graph.store.bm25 import DEFAULT_BM25, Bm25


class StatisticsGroup(IntEnum):
    """Passages that share lexical statistics."""

    MESSAGES = 0
    STATEMENTS = 1


@dataclass(frozen=True, slots=True)
class CandidateQuery:
    """What to find.

    Attributes:
        terms: analysed, distinct; the order of the columns of `Candidates.term_counts`.
        vector: float32, unit length, of the namespace's dimension; None leaves the dense channel out.
        spans: times that the query names, for the temporal channel; empty leaves it out.
        lexical_limit, dense_limit, temporal_limit: how many memories each channel contributes; 0 leaves it out.
        instruction_limit: how many standing instructions (`Feature.INSTRUCTION`) of people come along, nearest first; 0 without a vector.
        neighbours: how many messages before and after each candidate message come along.
        include: ids of memories to measure besides, whatever the channels say; unknown ones are ignored.
    """

    terms: tuple[str, ...]
    vector: NDArray[np.float32] | None
    filter: MemoryFilter
    spans: tuple[TimeSpan, ...] = ()
    lexical_limit: int = 100
    dense_limit: int = 100
    temporal_limit: int = 0
    instruction_limit: int = 0
    neighbours: int = 1
    include: tuple[str, ...] = ()
    bm25: Bm25 = DEFAULT_BM25


@dataclass(frozen=True, slots=True)
class LexicalStatistics:
    """Statistics of the current passages of one group: how many, their mean length in terms, and in how many each query term occurs."""

    count: int
    mean_length: float
    document_frequency: NDArray[np.int64]


@runtime_checkable
class CompactIds(Protocol):
    """Ids that are kept as UUIDs, and written out only when somebody asks."""

    def rows_of(self, named: Mapping[bytes, str]) -> dict[str, int]:
        """By id the rows of those that are named, whose ids are given by their UUIDs' bytes. No other id is written out."""
        ...


@dataclass(frozen=True, slots=True)
class Candidates:
    """n memories with p passages, measured against t query terms. Rows have no order of their own.

    Attributes:
        ids: n ids; a sequence that may compute them on demand.
        kind: (n,) int8 NodeKind.        role: (n,) int8 Role; 0 for statements.
        session: (n,) int64, equal for memories of one session.    seq: (n,) int64 place in the session; 0 for statements.
        speaker: (n,) int32 index into `speakers`.
        said_at: (n,) int64 microseconds since 1970.
        features: (n,) int32 bits of Feature.
        eligible: (n,) bool; False for rows that came along as neighbours or evidence but do not pass the filter: they may lend score
            to others and must not be returned.
        previous, next: (n,) int32 row of the neighbouring message of the session, -1 when it is not among the rows.
        passage_row: (p,) int32 row that owns the passage; ascending.
        term_counts: (p, t) float32.     length: (p,) int32 terms in the passage.
        similarity: (p,) float32 cosine with the query's vector; NaN without one.
        span_row: (s,) int32 row that the span belongs to.   span_start, span_end: (s,) int64 microseconds.
            Spans of statements are when it happened; spans of messages are times that their text names.
        statement_row, message_row: (e,) int32 pairs: the statement rests on the message.
        statistics: by group; passages of messages and of statements are counted apart.
        revision: the revision that these are of.
    """

    ids: Sequence[str]
    kind: NDArray[np.int8]
    role: NDArray[np.int8]
    session: NDArray[np.int64]
    seq: NDArray[np.int64]
    speaker: NDArray[np.int32]
    speakers: tuple[str, ...]
    said_at: NDArray[np.int64]
    features: NDArray[np.int32]
    eligible: NDArray[np.bool_]
    previous: NDArray[np.int32]
    next: NDArray[np.int32]
    passage_row: NDArray[np.int32]
    term_counts: NDArray[np.float32]
    length: NDArray[np.int32]
    similarity: NDArray[np.float32]
    span_row: NDArray[np.int32]
    span_start: NDArray[np.int64]
    span_end: NDArray[np.int64]
    statement_row: NDArray[np.int32]
    message_row: NDArray[np.int32]
    statistics: Mapping[StatisticsGroup, LexicalStatistics]
    revision: int

    def __len__(self) -> int:
        return len(self.kind)


@dataclass(frozen=True, slots=True)
class Subgraph:
    """The part of a graph that a bounded walk reached: m nodes and their edges among themselves.

    Attributes:
        ids: m ids, the seeds that exist first.     kind: (m,) int8 NodeKind.     hops: (m,) int32 from the nearest seed.
        parent: (m,) int32 index of the node from which each was first reached, -1 for seeds; parent_edge: (m,) int8 EdgeKind of that step.
        degree: (m,) int64 edges of each node in the whole graph, so that hubs can be weighed down.
        edge_source, edge_target: (e,) int32 indexes into ids.    edge_kind: (e,) int8 EdgeKind.
        truncated: the walk met its limit on nodes or degree.
    """

    ids: tuple[str, ...]
    kind: NDArray[np.int8]
    hops: NDArray[np.int32]
    parent: NDArray[np.int32]
    parent_edge: NDArray[np.int8]
    degree: NDArray[np.int64]
    edge_source: NDArray[np.int32]
    edge_target: NDArray[np.int32]
    edge_kind: NDArray[np.int8]
    truncated: bool
