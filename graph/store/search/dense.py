"""The dense channel: what the sign bits put near the query, measured exactly. All passages are measured exactly where they are few."""

import numpy as np
from numpy.typing import NDArray

from graph.store.search.ranking import top_memories
from graph.store.search.similarity import Similarities
from graph.store.search.state import IndexState
from graph.store.search.vectors import SMALL

# So many are measured exactly where the vectors are in memory.
MEASURED = 2_048
# Where each must be read: more where there are more to choose from. docs/search-index.md has other choices measured.
RESCORED = 500
RESCORED_AT_MOST = 1_000
_PASSAGES_PER_RESCORED = 1_500
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
    passages = _near(state, query, limit, mask)
    cosines = similarities.of(passages)
    known = ~np.isnan(cosines)
    return top_memories(state.passages.owner[passages[known]], cosines[known], limit)


def _near(state: IndexState, query: NDArray[np.float32], limit: int, mask: NDArray[np.bool_] | None) -> NDArray[np.intp]:
    """The passages worth an exact cosine; ascending."""
    size, signs = len(state.passages), state.signs
    left = size if mask is None else int(np.count_nonzero(mask))
    if size <= SMALL:
        count = SMALL
    elif state.cache.holds(state.embedded_count):
        count = max(2 * limit, MEASURED)
    else:
        count = max(2 * limit, min(RESCORED + left // _PASSAGES_PER_RESCORED, RESCORED_AT_MOST))
    if left > count and left * _GATHERED_SHARE >= size and signs is not None:
        return signs.nearest(query, size, mask, count)
    passages = np.arange(size) if mask is None else mask.nonzero()[0]
    if signs is None or left <= count:
        return passages
    return signs.nearest_of(query, passages, count)
