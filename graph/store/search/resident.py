"""Vectors in memory: rows of half precision by passage number."""

import threading

import numpy as np
from numpy.typing import NDArray

# Rows that were never written take no memory, but count as if they did.
_GROWTH = 1.25


class ResidentVectors:
    """Vectors of one index in memory. Safe for several threads."""

    def __init__(self, dimension: int) -> None:
        self._lock = threading.Lock()
        self._dimension = dimension
        self._clear()

    @property
    def nbytes(self) -> int:
        """Bytes of the rows, those without a vector included."""
        rows, held = self._table
        return rows.nbytes + held.nbytes

    @property
    def count(self) -> int:
        """How many vectors are here."""
        return self._count

    def read(self, passages: NDArray[np.intp]) -> tuple[NDArray[np.bool_], NDArray[np.float16]]:
        """Which of the passages (ascending) are here, and the vectors of those."""
        rows, held = self._table
        if not self._count or not len(passages):
            return np.zeros(len(passages), bool), np.empty((0, self._dimension), np.float16)
        here = held.take(passages, mode="clip")
        if passages[-1] >= len(held):
            here &= passages < len(held)
        return here, rows.take(passages if here.all() else passages[here], axis=0)

    def put(self, passages: NDArray[np.intp], vectors: NDArray[np.float16], size: int) -> None:
        """Keeps these vectors, of the first `size` passages of the index."""
        with self._lock:
            self._reserve(size)
            rows, held = self._table
            self._count += len(passages) - int(np.count_nonzero(held[passages]))
            rows[passages] = vectors
            # After the rows: a search that runs beside reads one only when it sees this.
            held[passages] = True

    def erase(self, passages: NDArray[np.intp]) -> None:
        """Overwrites the vectors of passages that were removed. A search that began before may find zeros there."""
        with self._lock:
            rows, held = self._table
            gone = passages[passages < len(held)]
            gone = gone[held[gone]]
            self._count -= len(gone)
            held[gone] = False
            rows[gone] = 0

    def clear(self) -> None:
        """Lets go of all. Searches that hold the old rows finish with them."""
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        # Replaced together: a reader takes both at once.
        self._table = (np.empty((0, self._dimension), np.float16), np.empty(0, bool))
        self._count = 0

    def _reserve(self, size: int) -> None:
        rows, held = self._table
        if size > len(held):
            room = max(size, int(len(held) * _GROWTH))
            grown = np.empty((room, self._dimension), np.float16), np.zeros(room, bool)
            grown[0][: len(held)] = rows
            grown[1][: len(held)] = held
            self._table = grown
