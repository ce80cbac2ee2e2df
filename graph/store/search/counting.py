"""How often terms occur in given passages, read off a segment's postings."""

import numpy as np
from numpy.typing import NDArray

from graph.store.search.growth import ranges
from graph.store.search.postings import Segment


def count_by_table(
    segment: Segment, starts: NDArray[np.int32], lengths: NDArray[np.int32], passages: NDArray[np.intp], out: NDArray[np.float32]
) -> None:
    """Fills counts by marking the wanted passages in a table and reading all postings past it."""
    table = np.full(segment.end - segment.first, -1, np.int32)
    table[passages - segment.first] = np.arange(len(passages), dtype=np.int32)
    length = lengths.ravel()
    index = ranges(starts.ravel(), length)
    term = np.repeat(np.arange(length.size) // 2, length)
    row = table[segment.passage[index] - segment.first]
    hit = row >= 0
    out[row[hit], term[hit]] = segment.count[index[hit]]


def count_by_search(
    segment: Segment, starts: NDArray[np.int32], lengths: NDArray[np.int32], passages: NDArray[np.intp], out: NDArray[np.float32]
) -> None:
    """Fills counts by searching the shorter of postings and passages in the longer, slot by slot."""
    wanted = passages.astype(np.int32)
    for term, group in zip(*np.nonzero(lengths), strict=True):
        start = int(starts[term, group])
        listed = segment.passage[start : start + int(lengths[term, group])]
        if len(listed) > len(wanted):
            index = np.minimum(listed.searchsorted(wanted), len(listed) - 1)
            hit = np.flatnonzero(listed[index] == wanted)
            out[hit, term] = segment.count[start + index[hit]]
        else:
            index = np.minimum(wanted.searchsorted(listed), len(wanted) - 1)
            hit = np.flatnonzero(wanted[index] == listed)
            out[index[hit], term] = segment.count[start + hit]
