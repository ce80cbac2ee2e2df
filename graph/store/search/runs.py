"""A multimap from int64 keys to int32 rows, as a few sorted runs that are merged geometrically (a log-structured merge tree in memory)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph.store.search.growth import ranges

# Runs below this are always merged into one: copying them costs some 20 µs, looking into one more run costs each search about 10 µs.
SMALL_RUN = 4096
# A run is merged into the one before unless that is this many times larger: at most log3(n / SMALL_RUN) + 1 runs.
RATIO = 3

Run = tuple[NDArray[np.int64], NDArray[np.int32]]


@dataclass(frozen=True, slots=True)
class SortedRuns:
    """Immutable; `add` returns the successor. Pairs of dead rows stay until the index is compacted: callers drop them."""

    runs: tuple[Run, ...] = ()

    def add(self, keys: NDArray[np.int64], rows: NDArray[np.int32]) -> "SortedRuns":
        """With these pairs besides; a key may occur any number of times."""
        if not len(keys):
            return self
        merged = [(keys, rows)]
        size, kept = len(keys), len(self.runs)
        while kept and (len(self.runs[kept - 1][0]) < RATIO * size or size + len(self.runs[kept - 1][0]) <= SMALL_RUN):
            kept -= 1
            merged.insert(0, self.runs[kept])
            size += len(self.runs[kept][0])
        return SortedRuns((*self.runs[:kept], _merge(merged)))

    def find_all(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        """Every pair of these keys: (index into `keys`, row), by run."""
        found: list[NDArray[np.intp]] = []
        rows: list[NDArray[np.int32]] = []
        for run_keys, run_rows in self.runs:
            low = run_keys.searchsorted(keys, "left")
            count = run_keys.searchsorted(keys, "right") - low
            hits = count.nonzero()[0]
            if len(hits):
                found.append(np.repeat(hits, count[hits]))
                rows.append(run_rows[ranges(low[hits], count[hits])])
        if not found:
            return np.empty(0, np.intp), np.empty(0, np.int32)
        return np.concatenate(found), np.concatenate(rows)

    def find(self, keys: NDArray[np.int64], live: NDArray[np.bool_]) -> NDArray[np.int32]:
        """The live row of each key, -1 where there is none. Of several live rows, the one added last."""
        result = np.full(len(keys), -1, np.int32)
        index, rows = self.find_all(keys)
        # A snapshot may be older than a run that it does not hold, never the other way round, so every row is within `live`.
        alive = live[rows]
        np.maximum.at(result, index[alive], rows[alive])
        return result

    def renumbered(self, number: NDArray[np.int32]) -> "SortedRuns":
        """With the rows' new numbers; pairs whose row's is -1 are dropped."""
        runs = tuple((keys[number[rows] >= 0], number[rows][number[rows] >= 0]) for keys, rows in self.runs)
        return SortedRuns(tuple(run for run in runs if len(run[0])))

    @property
    def nbytes(self) -> int:
        """Bytes of all runs."""
        return sum(keys.nbytes + rows.nbytes for keys, rows in self.runs)


def _merge(runs: list[Run]) -> Run:
    if len(runs) == 1:
        keys, rows = runs[0]
    else:
        keys = np.concatenate([run[0] for run in runs])
        rows = np.concatenate([run[1] for run in runs])
    if len(keys) > 1 and not bool((keys[1:] >= keys[:-1]).all()):
        order = np.argsort(keys, kind="stable")
        keys, rows = keys[order], rows[order]
    return keys, rows
