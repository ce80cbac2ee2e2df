"""Queries as the search index takes them: with the keys of what they name."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph.model import TimeRange, to_micros
from graph.store.candidates import CandidateQuery
from graph.store.search import IndexQuery, term_hash


@dataclass(frozen=True, slots=True)
class ResolvedNames:
    """The keys behind what a query names: of sessions, of messages whose labels pass (None: not asked), of memories to measure besides.

    `not_sessions` and `not_memories` are those of what must not be returned.
    """

    sessions: frozenset[int] | None
    labelled: NDArray[np.int64] | None
    include: NDArray[np.int64]
    not_sessions: frozenset[int]
    not_memories: NDArray[np.int64]


def index_query(query: CandidateQuery, resolved: ResolvedNames) -> IndexQuery:
    """The query with keys in place of names."""
    chosen = query.filter
    return IndexQuery(
        term_hashes=np.array([term_hash(term) for term in query.terms], np.uint64),
        vector=query.vector,
        spans=tuple((to_micros(span.start), to_micros(span.end)) for span in query.spans),
        kinds=chosen.kinds,
        sessions=resolved.sessions,
        speakers=frozenset(chosen.speakers) if chosen.speakers else None,
        said=_micros(chosen.said),
        happened=_micros(chosen.happened),
        labelled=resolved.labelled,
        include=resolved.include,
        lexical_limit=query.lexical_limit,
        dense_limit=query.dense_limit,
        temporal_limit=query.temporal_limit,
        instruction_limit=query.instruction_limit,
        neighbours=query.neighbours,
        bm25=query.bm25,
        not_sessions=resolved.not_sessions,
        not_memories=resolved.not_memories,
    )


def _micros(range_: TimeRange | None) -> tuple[int, int] | None:
    return None if range_ is None else (to_micros(range_.start), to_micros(range_.end))
