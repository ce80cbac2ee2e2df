"""The best memories of a list of passages: a memory counts with its best passage."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def best_of(owners: NDArray[Any], values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Each owner once with the best of its values; `owners` ascend."""
    if not len(owners):
        return owners, values
    first = np.empty(len(owners), bool)
    first[0] = True
    np.not_equal(owners[1:], owners[:-1], out=first[1:])
    starts = first.nonzero()[0]
    return owners[starts], np.maximum.reduceat(values, starts)


def top_memories(owners: NDArray[Any], values: NDArray[Any], limit: int) -> NDArray[np.intp]:
    """The `limit` owners with the best values, of equal ones the earlier rows; `owners` ascend and repeat where a memory has several."""
    rows, best = best_of(owners, values)
    if len(rows) > limit:
        least = np.partition(best, len(best) - limit)[len(best) - limit]
        kept = np.flatnonzero(best >= least)
        kept = kept[np.argsort(-best[kept], kind="stable")[:limit]]
        rows = rows[kept]
    return rows.astype(np.intp)
