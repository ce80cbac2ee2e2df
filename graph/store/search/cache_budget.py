"""A bound on the bytes of several caches together."""

import threading
from collections import OrderedDict
from typing import Protocol
from weakref import ref


class Cache(Protocol):
    """What a budget bounds."""

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        ...

    def clear(self) -> None:
        """Lets go of all."""
        ...


class CacheBudget:
    """Bounds the bytes of several caches together; the one used least recently is cleared first."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._total = 0
        # By id: the cache and how many bytes of it are counted in the total.
        self._caches: OrderedDict[int, tuple[ref[Cache], int]] = OrderedDict()

    def fits(self, nbytes: int) -> bool:
        """Whether a cache of so many bytes fits in at all."""
        return nbytes <= self._limit

    def admits(self, cache: Cache, nbytes: int, busy: bool) -> bool:
        """Whether the cache may hold so many bytes: beside the others, or, where it is busy, in their place."""
        with self._lock:
            _, counted = self._caches.get(id(cache), (None, 0))
            return nbytes <= (self._limit if busy else self._limit - self._total + counted)

    def touch(self, cache: Cache) -> None:
        """Notes that the cache is in use."""
        with self._lock:
            if id(cache) in self._caches:
                self._caches.move_to_end(id(cache))

    def charge(self, cache: Cache) -> None:
        """Notes that the cache has grown, and makes room; for one that is alone too large, by clearing it, too."""
        evicted: list[Cache] = []
        with self._lock:
            known, counted = self._caches.get(id(cache), (None, 0))
            if known is None or known() is not cache:
                known = ref(cache)
            size = cache.nbytes
            self._total += size - counted
            self._caches[id(cache)] = (known, size)
            self._caches.move_to_end(id(cache))
            while self._total > self._limit and self._caches:
                _, (weak, counted) = self._caches.popitem(last=False)
                self._total -= counted
                if (found := weak()) is not None:
                    evicted.append(found)
        for found in evicted:
            found.clear()
