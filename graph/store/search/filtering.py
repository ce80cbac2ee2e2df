"""Which memories pass a query's filter, as masks over rows and passages."""

import numpy as np
from numpy.typing import NDArray

from graph.model import MEMORY_KINDS, NodeKind
from graph.store.search.entries import IndexQuery
from graph.store.search.growth import ranges
from graph.store.search.state import IndexState

Mask = NDArray[np.bool_]

# Up to so many values, comparing the column with each beats a sorted search (about 0.3 ms against 10 ms a million rows).
_FEW = 8


def passing(state: IndexState, query: IndexQuery) -> Mask | None:
    """(n,) which live memories pass the filter; None when all live ones do."""
    memories = state.memories
    conditions: list[Mask] = []
    if not query.kinds >= MEMORY_KINDS:
        conditions.append(_is_one_of(memories.kind, sorted(int(kind) for kind in query.kinds)))
    if query.sessions is not None:
        conditions.append(_is_one_of(memories.session, sorted(query.sessions)))
    if query.not_sessions:
        conditions.append(~_is_one_of(memories.session, sorted(query.not_sessions)))
    if len(query.not_memories):
        conditions.append(_none_of(state, query.not_memories))
    if query.speakers is not None:
        conditions.append(_is_one_of(memories.speaker, [i for i, name in enumerate(state.speakers) if name in query.speakers]))
    if query.said is not None:
        conditions.append((memories.said_at >= query.said[0]) & (memories.said_at < query.said[1]))
    if query.happened is not None:
        conditions.append(_happened(state, *query.happened))
    if query.labelled is not None:
        conditions.append(_labelled(state, query.labelled))
    if not conditions:
        return None
    mask = memories.live.copy()
    for condition in conditions:
        mask &= condition
    return mask


def passages_of(state: IndexState, mask: Mask | None) -> Mask | None:
    """The mask of memories as one of passages."""
    return None if mask is None else mask[state.passages.owner]


def _is_one_of(column: NDArray[np.integer], values: list[int]) -> Mask:
    if len(values) > _FEW:
        return np.isin(column, np.array(values, column.dtype))
    mask = np.zeros(len(column), bool)
    for value in values:
        mask |= column == value
    return mask


def _none_of(state: IndexState, keys: NDArray[np.int64]) -> Mask:
    mask = np.ones(len(state.memories), bool)
    rows = state.keys.find(keys, state.memories.live)
    mask[rows[rows >= 0]] = False
    return mask


def _happened(state: IndexState, start: int, end: int) -> Mask:
    """A statement with spans happened in them; other statements, and messages, when they were said."""
    memories, links = state.memories, state.links
    mask: Mask = (memories.said_at >= start) & (memories.said_at < end)
    spans = np.diff(memories.first_span)
    dated = np.flatnonzero((spans > 0) & (memories.kind != NodeKind.MESSAGE))
    if len(dated):
        span = ranges(memories.first_span[dated], spans[dated])
        # An instant is a span of one microsecond, as in TimeSpan.overlaps.
        last = np.maximum(links.span_end[span], links.span_start[span] + 1)
        overlaps = (links.span_start[span] < end) & (start < last)
        mask[dated] = False
        mask[np.repeat(dated, spans[dated])[overlaps]] = True
    return mask


def _labelled(state: IndexState, keys: NDArray[np.int64]) -> Mask:
    mask = np.zeros(len(state.memories), bool)
    rows = state.keys.find(keys, state.memories.live)
    mask[rows[rows >= 0]] = True
    mask &= state.memories.kind == NodeKind.MESSAGE
    # Evidence that is gone lends its labels to nobody.
    _, statements = state.dependents.find_all(keys[rows >= 0])
    mask[statements] = True
    return mask
