"""An embedder without a model: feature hashing of terms. For tests, and where the model is not wanted."""

import hashlib
import math
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from graph.model import EmbeddingSpec
from graph.text import ANALYSER_VERSION, terms_of


class HashingEmbedder:
    """Each term adds 1 + log(count) at a place and with a sign that its hash gives (Weinberger et al. 2009); then unit length.

    Texts that share terms are close; nothing else is known of meaning. The same on every machine.
    """

    def __init__(self, dimension: int = 256) -> None:
        """`dimension`: how many buckets."""
        if dimension < 2:
            raise ValueError("a hashing embedder needs at least 2 dimensions")
        fingerprint = hashlib.sha256(f"hashing-{dimension}-analyser-{ANALYSER_VERSION}-v1".encode()).hexdigest()[:16]
        self._spec = EmbeddingSpec(f"hashing-{dimension}", fingerprint, dimension)

    @property
    def spec(self) -> EmbeddingSpec:
        """The name holds the dimension."""
        return self._spec

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float16]:
        """Vectors of many texts, (n, dimension) float16 of unit length."""
        return np.array([self._vector(text) for text in texts], np.float16).reshape(len(texts), self._spec.dimension)

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of one query."""
        return self._vector(text)

    def close(self) -> None:
        """Nothing to let go of."""

    def _vector(self, text: str) -> NDArray[np.float32]:
        vector = np.zeros(self._spec.dimension, np.float32)
        for term, count in Counter(terms_of(text)).items():
            number = _hash(term)
            vector[number % self._spec.dimension] += (1.0 if number >> 63 else -1.0) * (1.0 + math.log(count))
        length = float(np.linalg.norm(vector))
        if length == 0.0:  # no terms, or terms that cancel out: any fixed direction, because vectors have unit length
            vector[0] = length = 1.0
        return vector / np.float32(length)


@lru_cache(maxsize=50_000)
def _hash(term: str) -> int:
    return int.from_bytes(hashlib.blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
