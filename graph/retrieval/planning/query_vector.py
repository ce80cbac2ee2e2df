"""The query's vector for a namespace: from the embedder that the namespace's vectors are of, or the caller's own."""

import asyncio

import numpy as np
from numpy.typing import NDArray

from graph.errors import EmbedderUnavailable, InvalidArgument
from graph.model import NO_EMBEDDING, EmbeddingSpec
from graph.retrieval.answer import QueryEmbedder
from graph.retrieval.degradation import DegradationReason
from graph.vectors import unit_vector, vector_fault

Vector = NDArray[np.float32]


class QueryVectors:
    """Vectors of one request. Namespaces that plan the same dense text share one call of the embedder."""

    def __init__(self, embedder: QueryEmbedder | None):
        self._embedder = embedder
        self._under_way: dict[str, asyncio.Task[Vector]] = {}

    async def vector(self, spec: EmbeddingSpec, text: str, given: Vector | None) -> tuple[Vector | None, DegradationReason | None]:
        """The vector, or None and why the dense channel cannot take part.

        Raises:
            InvalidArgument: the vector given has another dimension than the namespace's, or is not a finite direction.
        """
        if given is not None:
            return _unit(spec, given), None
        if spec.model == NO_EMBEDDING.model or not spec.dimension:
            return None, DegradationReason.NO_VECTORS
        if not spec.fingerprint:
            return None, DegradationReason.VECTOR_NOT_GIVEN
        if self._embedder is None or (self._embedder.spec.fingerprint, self._embedder.spec.dimension) != (spec.fingerprint, spec.dimension):
            return None, DegradationReason.MODEL_NOT_SERVED
        if text not in self._under_way:
            self._under_way[text] = asyncio.ensure_future(_embedded(self._embedder, text))
        try:
            return await self._under_way[text], None
        except EmbedderUnavailable:
            return None, DegradationReason.EMBEDDER_UNAVAILABLE


async def _embedded(embedder: QueryEmbedder, text: str) -> Vector:
    return np.asarray(await embedder.embed_query(text), dtype=np.float32)


def _unit(spec: EmbeddingSpec, given: Vector) -> Vector:
    vector = np.asarray(given, dtype=np.float32)
    if fault := vector_fault(vector, spec.dimension):
        raise InvalidArgument.of("embedding", fault)
    return unit_vector(vector)
