"""The chain of messages of each session: who precedes whom, in order of seq."""

import numpy as np
from numpy.typing import NDArray

from graph.model import NodeKind
from graph.store.search.columns import MemoryColumns


def chained(session: NDArray[np.int64], seq: NDArray[np.int32], rows: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Messages at `rows` in the order of their chains, and for each whether it follows the one before it in the same session."""
    order = np.lexsort((rows, seq, session))
    grouped = session[order]
    return rows[order], np.r_[False, grouped[1:] == grouped[:-1]]


def relinked(memories: MemoryColumns, live: NDArray[np.bool_], sessions: NDArray[np.int64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """`previous` and `next` with the chains of these sessions made anew from their live messages."""
    previous, following = memories.previous.copy(), memories.next.copy()
    following[following >= len(memories)] = -1
    affected = np.isin(memories.session, sessions) & (memories.kind == NodeKind.MESSAGE)
    previous[affected] = -1
    following[affected] = -1
    rows, follows = chained(*_columns_at(memories, np.flatnonzero(affected & live)))
    later = np.flatnonzero(follows)
    previous[rows[later]] = rows[later - 1]
    following[rows[later - 1]] = rows[later]
    return previous, following


def _columns_at(memories: MemoryColumns, rows: NDArray[np.intp]) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.intp]]:
    return memories.session[rows], memories.seq[rows], rows


def last_messages(memories: MemoryColumns) -> dict[int, int]:
    """The row of the last live message of each session."""
    last = np.flatnonzero(memories.live & (memories.kind == NodeKind.MESSAGE) & (memories.next < 0))
    return dict(zip(memories.session[last].tolist(), last.tolist(), strict=True))
