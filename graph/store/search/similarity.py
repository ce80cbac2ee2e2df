"""Exact cosines of one query with passages, each computed once."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from graph.store.search.half_precision import dots
from graph.store.search.vectors import VectorCache

ReadVectors = Callable[[NDArray[np.int64]], NDArray[np.float16]]


class Similarities:
    """Cosines of one query with passages, each computed once: vectors come from the cache, else through `read`, which is called with keys
    of passages that have a vector."""

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
            index = self._known.searchsorted(passages)
            seen = self._known.take(index, mode="clip") == passages
            result[seen] = self._values[index[seen]]
            todo &= ~seen
        wanted = passages[todo]
        if len(wanted):
            values = self._compute(wanted)
            result[todo] = values
            known = np.concatenate([self._known, wanted])
            order = known.argsort(kind="stable")
            self._known, self._values = known[order], np.concatenate([self._values, values])[order]
        return result

    def _compute(self, passages: NDArray[np.intp]) -> NDArray[np.float32]:
        held, vectors = self._cache.read(passages, len(self._keys))
        if held.all():
            return dots(vectors, self._query)
        values = np.empty(len(passages), np.float32)
        values[held] = dots(vectors, self._query)
        values[~held] = self._stored(passages[~held])
        return values

    def _stored(self, passages: NDArray[np.intp]) -> NDArray[np.float32]:
        """Cosines of passages whose vectors only the caller has; NaN for one that is gone."""
        vectors = self._read(self._keys[passages])
        if vectors.shape != (len(passages), len(self._query)):
            raise ValueError(f"read_vectors gave {vectors.shape} for {len(passages)} passages of {len(self._query)} dimensions")
        values = dots(vectors, self._query)
        there = np.isfinite(vectors).all(axis=1)
        values[~there] = np.nan
        self._cache.put(passages[there], vectors[there], len(self._keys))
        return values
