"""The temporal channel: memories said or happening in the times that a query names."""

import numpy as np
from numpy.typing import NDArray

from graph.store.search.growth import ranges
from graph.store.search.ranking import top_memories
from graph.store.search.state import IndexState


def overlapping(state: IndexState, spans: tuple[tuple[int, int], ...], limit: int, mask: NDArray[np.bool_] | None) -> NDArray[np.intp]:
    """Rows of the `limit` memories whose `said_at` or spans overlap one of these spans, the most specific and closest first.

    The cost of a time is how much wider than the query's span it is (1 when it is not wider) plus how far the middles are apart, both
    in lengths of the query's span; a memory counts with its cheapest time, ties go to the earlier row.
    """
    if limit <= 0 or not spans:
        return np.empty(0, np.intp)
    memories, links = state.memories, state.links
    alive = memories.live if mask is None else mask
    rows, costs = [], []
    for start, given_end in spans:
        end = max(given_end, start + 1)
        said = np.flatnonzero((memories.said_at >= start) & (memories.said_at < end) & alive)
        rows.append(said)
        costs.append(_cost(memories.said_at[said], memories.said_at[said], start, end))
        # Times that a memory names, row by row of those that have any.
        overlaps = np.flatnonzero((links.span_start < end) & (np.maximum(links.span_end, links.span_start + 1) > start))
        owner = np.searchsorted(memories.first_span, overlaps, "right") - 1
        kept = alive[owner]
        rows.append(owner[kept])
        costs.append(_cost(links.span_start[overlaps[kept]], links.span_end[overlaps[kept]], start, end))
    row, cost = np.concatenate(rows), np.concatenate(costs)
    order = np.argsort(row, kind="stable")
    return top_memories(row[order], -cost[order], limit)


def _cost(start: NDArray[np.int64], end: NDArray[np.int64], query_start: int, query_end: int) -> NDArray[np.float64]:
    width = query_end - query_start
    wider = np.maximum(end - start, width) / width
    # Twice the distance of the middles, so that it stays a whole number.
    apart = np.abs((start - query_start) + (end - query_end)) / (2 * width)
    return np.asarray(wider + apart, np.float64)


def spans_of(state: IndexState, rows: NDArray[np.intp]) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    """The spans of these rows: (position in `rows`, index of the span)."""
    first = state.memories.first_span
    count = first[rows + 1] - first[rows]
    return np.repeat(np.arange(len(rows), dtype=np.int32), count), ranges(first[rows], count)
