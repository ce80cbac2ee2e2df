"""The vectors of one index beside the namespace's file: in memory within a budget of the process, all of them in a file of their own."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graph.store.search.cache_budget import CacheBudget
from graph.store.search.resident import ResidentVectors
from graph.store.search.spill import SpilledVectors

# What vectors of all namespaces together may take in memory: some 350,000 of 384 dimensions.
CACHE_BYTES = 256 * 2**20
# Of smaller namespaces than this no vectors are spilled: reading them costs little, and a file each is not worth it.
_SPILLED_FROM = 500
# All passages of an index of so many are measured exactly: one read of the file brings their vectors, at about the cost of choosing among
# them. So they take no memory, of which a thousand such namespaces would want more than there is.
SMALL = 4_096
# From so many searches on since it was last cleared, a namespace drives the vectors of others out of memory.
_BUSY = 3


class VectorCache:
    """Vectors of some passages of one index, by passage number. Safe for several threads."""

    def __init__(self, dimension: int, budget: CacheBudget, directory: Path | None = None) -> None:
        self._dimension = dimension
        self._budget = budget
        self._searches = 0
        self._resident = ResidentVectors(dimension)
        self._spill = SpilledVectors(dimension, directory) if directory is not None and dimension else None

    @property
    def nbytes(self) -> int:
        """Bytes held in memory."""
        return self._resident.nbytes

    def holds(self, count: int) -> bool:
        """Whether so many vectors, if these are all that there are, can be read from memory."""
        return self._resident.count >= count

    def read(self, passages: NDArray[np.intp], size: int) -> tuple[NDArray[np.bool_], NDArray[np.float16]]:
        """Which of these passages (ascending, of an index of `size`) are here, and the vectors of those."""
        self._searches += 1
        self._budget.touch(self)
        here, vectors = self._resident.read(passages)
        if self._spill is None or here.all():
            return here, vectors
        elsewhere = (~here).nonzero()[0]
        spilled, read = self._spill.read(passages[elsewhere])
        found = elsewhere[spilled]
        self._keep(passages[found], read, size)
        return _merged(here, vectors, found, read)

    def put(self, passages: NDArray[np.intp], vectors: NDArray[np.float16], size: int) -> None:
        """Keeps these vectors of an index of `size` passages."""
        if not len(passages):
            return
        if self._spill is not None and size >= _SPILLED_FROM:
            self._spill.put(passages, vectors, size)
        self._keep(passages, vectors, size)

    def _keep(self, passages: NDArray[np.intp], vectors: NDArray[np.float16], size: int) -> None:
        """Keeps vectors in memory, where the whole index finds room there: all of it, or none."""
        filed = self._spill is not None and size >= _SPILLED_FROM
        nbytes = size * (2 * self._dimension + 1)
        if (filed and size <= SMALL) or not self._budget.fits(nbytes):
            if self._resident.nbytes:
                self.clear()
        # What is in no file must be read from the database.
        elif len(passages) and self._budget.admits(self, nbytes, busy=not filed or self._searches >= _BUSY):
            self._resident.put(passages, vectors, size)
            self._budget.charge(self)

    def erase(self, passages: NDArray[np.intp]) -> None:
        """Overwrites the vectors of passages (ascending) that were removed. A search that began before may find zeros there."""
        self._resident.erase(passages)
        if self._spill is not None:
            self._spill.erase(passages)

    def clear(self) -> None:
        """Lets go of the vectors in memory."""
        self._resident.clear()
        self._searches = 0


def _merged(
    here: NDArray[np.bool_], vectors: NDArray[np.float16], found: NDArray[np.intp], read: NDArray[np.float16]
) -> tuple[NDArray[np.bool_], NDArray[np.float16]]:
    """Both in the order of the passages."""
    if not len(vectors):
        here[found] = True
        return here, read
    both = np.empty((len(here), read.shape[1]), np.float16)
    both[here] = vectors
    both[found] = read
    here[found] = True
    return here, both if here.all() else both[here]


SHARED_BUDGET = CacheBudget(CACHE_BYTES)
