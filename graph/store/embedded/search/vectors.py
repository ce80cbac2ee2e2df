"""Exact cosines of passages: from a cache of vectors within a budget, else from the namespace's file through the caller's function."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from weakref import ref

import numpy as np
from numpy.typing import NDArray

ReadVectors = Callable[[NDArray[np.int64]], NDArray[np.float16]]

# A namespace caches at most this many vectors (6 MB at 384 dimensions): about as many as one matrix product takes 0.5 ms for.
CACHED_VECTORS = 4096
# All namespaces of the process together: some 40,000 vectors of 384 dimensions. Those searched least recently give theirs up.
CACHE_BYTES = 64 * 2**20


class VectorCache:
    """float32 vectors of some passages of one index, by passage number. Safe for several threads."""

    def __init__(self, dimension: int, budget: "CacheBudget") -> None:
        self._dimension = dimension
        self._budget = budget
        self._lock = threading.Lock()
        self._slots: NDArray[np.int32] = np.empty(0, np.int32)
        self._rows = np.empty((0, dimension), np.float32)
        self._count = 0

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return self._rows.nbytes + self._slots.nbytes

    def dots(self, passages: NDArray[np.intp], query: NDArray[np.float32]) -> tuple[NDArray[np.bool_], NDArray[np.float32]]:
        """Which of the passages are here, and the dot products of those with the query."""
        with self._lock:
            slots, rows, count = self._slots, self._rows, self._count
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

    def put(self, passages: NDArray[np.intp], vectors: NDArray[np.float32]) -> None:
        """Keeps these vectors as far as there is room."""
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
        """Lets go of all vectors. Searches that hold the old ones finish with them."""
        with self._lock:
            self._slots, self._rows, self._count = np.empty(0, np.int32), np.empty((0, self._dimension), np.float32), 0


class CacheBudget:
    """Bounds the bytes of several caches together; the one used least recently is cleared first."""

    def __init__(self, limit: int = CACHE_BYTES) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._caches: OrderedDict[int, ref[VectorCache]] = OrderedDict()

    def touch(self, cache: VectorCache) -> None:
        """Notes that the cache is in use."""
        with self._lock:
            if id(cache) in self._caches:
                self._caches.move_to_end(id(cache))

    def charge(self, cache: VectorCache) -> None:
        """Notes that the cache has grown, and makes room."""
        with self._lock:
            self._caches[id(cache)] = ref(cache)
            self._caches.move_to_end(id(cache))
            held = {key: found for key, found in ((key, weak()) for key, weak in self._caches.items()) if found is not None}
            self._caches = OrderedDict((key, self._caches[key]) for key in held)
            total = sum(found.nbytes for found in held.values())
            evicted = []
            for key, found in held.items():
                if total <= self._limit:
                    break
                total -= found.nbytes
                evicted.append(found)
                del self._caches[key]
        for found in evicted:
            found.clear()


SHARED_BUDGET = CacheBudget()


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
        missing = passages[~cached]
        if len(missing):
            stored = self._read(self._keys[missing])
            if stored.shape != (len(missing), len(self._query)):
                raise ValueError(f"read_vectors gave {stored.shape} for {len(missing)} passages of {len(self._query)} dimensions")
            vectors = as_float32(stored)
            values[~cached] = np.vecdot(vectors, self._query)
            self._cache.put(missing, vectors)
        return values
