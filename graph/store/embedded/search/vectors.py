"""Exact cosines of passages: from a cache of vectors within a budget, else from the namespace's file through the caller's function."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from graph.store.embedded.search.cache_budget import CacheBudget
from graph.store.embedded.search.spill import SpilledVectors

ReadVectors = Callable[[NDArray[np.int64]], NDArray[np.float16]]

# A namespace caches at most this many vectors (6 MB at 384 dimensions): about as many as one matrix product takes 0.5 ms for.
CACHED_VECTORS = 4096
# All namespaces of the process together: some 40,000 vectors of 384 dimensions. Those searched least recently give theirs up.
CACHE_BYTES = 64 * 2**20
# Of smaller namespaces than this no vectors are spilled: reading them costs little, and a file each is not worth it.
_SPILLED_FROM = 500
# From so many searches on since it was last cleared a cache takes in what it finds spilled.
_BUSY = 3


class VectorCache:
    """Vectors of some passages of one index, by passage number: a few in single precision in memory, the others spilled into a file
    where there is a directory for it. Safe for several threads."""

    def __init__(self, dimension: int, budget: CacheBudget, directory: Path | None = None) -> None:
        self._dimension = dimension
        self._budget = budget
        self._lock = threading.Lock()
        self._slots: NDArray[np.int32] = np.empty(0, np.int32)
        self._rows = np.empty((0, dimension), np.float32)
        self._count = 0
        self._searches = 0
        self._spill = SpilledVectors(dimension, directory) if directory is not None and dimension else None

    @property
    def nbytes(self) -> int:
        """Bytes held in memory."""
        return self._rows.nbytes + self._slots.nbytes

    def dots(self, passages: NDArray[np.intp], query: NDArray[np.float32]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Which of the passages are here, and the dot products of those with the query."""
        with self._lock:
            slots, rows, count = self._slots, self._rows, self._count
        self._searches += 1
        known = np.zeros(len(passages), bool)
        if not count:
            return known, np.empty(0, np.float32)
        self._budget.touch(self)
        inside = passages < len(slots)
        place = slots[passages[inside]]
        known[inside] = place >= 0
        place = place[place >= 0]
        # Measuring all rows beats gathering more than half of them first. `vecdot` keeps to one thread, where a matrix product may wait for
        # a second one that has no core to run on.
        dots = np.vecdot(rows[:count], query)[place] if 2 * len(place) > count else np.vecdot(rows[place], query)
        return known, dots

    def holds(self, passages: NDArray[np.intp]) -> bool:
        """Whether all of these are here."""
        slots = self._slots
        return bool(self._count >= len(passages) and len(passages) and passages[-1] < len(slots) and (slots[passages] >= 0).all())

    def spilled(self, passages: NDArray[np.intp]) -> tuple[NDArray[np.bool_], NDArray[np.float16]]:
        """Which of the passages are spilled, and the vectors of those."""
        if self._spill is None:
            return np.zeros(len(passages), bool), np.empty((0, self._dimension), np.float16)
        return self._spill.read(passages)

    def spill(self, passages: NDArray[np.intp], vectors: NDArray[np.float16], size: int) -> None:
        """Keeps these vectors in the file, of an index of `size` passages."""
        if self._spill is not None and size >= _SPILLED_FROM:
            self._spill.put(passages, vectors, size)

    def erase(self, passages: NDArray[np.intp]) -> None:
        """Overwrites what is spilled of passages that were removed. A search that began before may find zeros there."""
        if self._spill is not None:
            self._spill.erase(passages)

    def takes(self, size: int, spilled: bool) -> bool:
        """Whether `put` is worth it for an index of `size` passages: those that are never searched twice keep no others out."""
        return self._spill is None or (size <= CACHED_VECTORS and (not spilled or self._searches >= _BUSY))

    def put(self, passages: NDArray[np.intp], vectors: NDArray[np.float32]) -> None:
        """Keeps these vectors in memory as far as there is room."""
        with self._lock:
            fresh = passages >= len(self._slots)
            fresh[~fresh] = self._slots[passages[~fresh]] < 0
            chosen = np.flatnonzero(fresh)[: CACHED_VECTORS - self._count]
            if not len(chosen):
                return
            self._reserve(int(passages[chosen[-1]]) + 1, self._count + len(chosen))
            end = self._count + len(chosen)
            self._rows[self._count : end] = vectors[chosen]
            slots = self._slots.copy()
            slots[passages[chosen]] = np.arange(self._count, end, dtype=np.int32)
            self._slots, self._count = slots, end
        self._budget.charge(self)

    def _reserve(self, passages: int, rows: int) -> None:
        if passages > len(self._slots):
            slots = np.full(passages * 5 // 4, -1, np.int32)
            slots[: len(self._slots)] = self._slots
            self._slots = slots
        if rows > len(self._rows):
            grown = np.empty((min(max(rows, len(self._rows) * 3 // 2), CACHED_VECTORS), self._dimension), np.float32)
            grown[: self._count] = self._rows[: self._count]
            self._rows = grown

    def clear(self) -> None:
        """Lets go of the vectors in memory. Searches that hold the old ones finish with them."""
        with self._lock:
            self._slots, self._rows, self._count = np.empty(0, np.int32), np.empty((0, self._dimension), np.float32), 0
            self._searches = 0


SHARED_BUDGET = CacheBudget(CACHE_BYTES)


def as_float32(vectors: NDArray[np.float16]) -> NDArray[np.float32]:
    """The same numbers in single precision; rows that are not finite become NaN.

    numpy converts half precision one number at a time (1.1 ms for 1,000 vectors of 384); moving the bits and scaling by 2^112 takes a
    third, subnormal numbers included.
    """
    bits = np.ascontiguousarray(vectors, np.float16).view(np.int16).astype(np.int32)
    bits <<= 13
    bits &= np.int32(-0x70002000)
    numbers = bits.view(np.float32)
    numbers *= np.float32(2.0**112)
    # What was infinite or NaN has come out as 65536 or more, which no half-precision number reaches.
    damaged = (np.abs(numbers).max(axis=1, initial=0) if numbers.size else np.empty(0)) >= 65_536
    numbers[damaged] = np.nan
    return numbers


class Similarities:
    """Cosines of one query with passages, each computed once. `read` is called with keys of passages that have a vector."""

    def __init__(
        self, query: NDArray[np.float32], keys: NDArray[np.int64], embedded: NDArray[np.bool_], cache: VectorCache, read: ReadVectors
    ) -> None:
        self._query = np.ascontiguousarray(query, np.float32)
        self._keys, self._embedded, self._cache, self._read = keys, embedded, cache, read
        self._known: NDArray[np.intp] = np.empty(0, np.intp)
        self._values = np.empty(0, np.float32)

    def of(self, passages: NDArray[np.intp]) -> NDArray[np.float32]:
        """Cosines of these passages (ascending, distinct); NaN for those without a vector."""
        result = np.full(len(passages), np.nan, np.float32)
        todo = self._embedded[passages]
        if len(self._known):
            place = np.minimum(np.searchsorted(self._known, passages), len(self._known) - 1)
            seen = self._known[place] == passages
            result[seen] = self._values[place[seen]]
            todo &= ~seen
        wanted = passages[todo]
        if len(wanted):
            values = self._compute(wanted)
            result[todo] = values
            known = np.concatenate([self._known, wanted])
            order = np.argsort(known, kind="stable")
            self._known, self._values = known[order], np.concatenate([self._values, values])[order]
        return result

    def _compute(self, passages: NDArray[np.intp]) -> NDArray[np.float32]:
        cached, dots = self._cache.dots(passages, self._query)
        values = np.empty(len(passages), np.float32)
        values[cached] = dots
        if not cached.all():
            values[~cached] = self._loaded(passages[~cached])
        return values

    def _loaded(self, passages: NDArray[np.intp]) -> NDArray[np.float32]:
        """Cosines of passages that are not in memory."""
        cache, size = self._cache, len(self._keys)
        held, stored = cache.spilled(passages)
        if held.all():
            vectors = as_float32(stored)
            if cache.takes(size, True):
                cache.put(passages, vectors)
            dots: NDArray[np.float32] = np.vecdot(vectors, self._query)
            return dots
        missing = passages[~held]
        read = self._read(self._keys[missing])
        if read.shape != (len(missing), len(self._query)):
            raise ValueError(f"read_vectors gave {read.shape} for {len(missing)} passages of {len(self._query)} dimensions")
        cache.spill(missing, read, size)
        vectors = as_float32(read)
        if cache.takes(size, False):
            cache.put(missing, vectors)
        values = np.empty(len(passages), np.float32)
        values[~held] = np.vecdot(vectors, self._query)
        values[held] = np.vecdot(as_float32(stored), self._query)
        return values
