"""The dense channel: a scan of sign bits, and exact cosines of the best of it. All passages are measured exactly where they are few."""

import numpy as np
from numpy.typing import NDArray

from graph.store.embedded.search.ranking import top_memories
from graph.store.embedded.search.signbits import nearest
from graph.store.embedded.search.state import IndexState
from graph.store.embedded.search.vectors import CACHED_VECTORS, Similarities

# How many passages of a scan are measured exactly: docs/search-index.md has recall and time of other choices.
RESCORED = 1_000
# A filter that leaves less than this share of the passages is scanned by gathering its passages' bits.
_GATHERED_SHARE = 8


def nearest_memories(
    state: IndexState, query: NDArray[np.float32], limit: int, allowed: NDArray[np.bool_] | None, similarities: Similarities
) -> NDArray[np.intp]:
    """Rows of the `limit` memories with the passages of greatest cosine among those allowed (all live ones: None)."""
    embedded = state.passages.embedded
    if limit <= 0 or not state.embedded_count:
        return np.empty(0, np.intp)
    mask = None if allowed is None and state.embedded_count == len(embedded) else embedded if allowed is None else embedded & allowed
    passages = _scanned(state, query, max(RESCORED, limit), mask)
    cosines = similarities.of(passages)
    known = ~np.isnan(cosines)
    return top_memories(state.passages.owner[passages[known]], cosines[known], limit)


def _scanned(state: IndexState, query: NDArray[np.float32], count: int, mask: NDArray[np.bool_] | None) -> NDArray[np.intp]:
    """The passages worth an exact cosine."""
    size = len(state.passages)
    left = size if mask is None else int(np.count_nonzero(mask))
    signs = state.signs
    if left <= max(count, CACHED_VECTORS) or signs is None:
        passages = np.arange(size) if mask is None else np.flatnonzero(mask)
        if signs is None or left <= count or state.cache.holds(passages):
            return passages
        return passages[nearest(signs.distances_of(query, passages), count, None)]
    if left * _GATHERED_SHARE < size and mask is not None:
        passages = np.flatnonzero(mask)
        return passages[nearest(signs.distances_of(query, passages), count, None)]
    return nearest(signs.distances(query, size), count, mask)
