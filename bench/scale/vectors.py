"""Synthetic vectors with the structure of a sentence encoder's: topics, a spectrum that falls off, and noise of their own.

Sentence vectors are not spread evenly: two random ones have a cosine of about 0.1, two of one topic of 0.3 to 0.5, the nearest neighbours
one of 0.6 to 0.8. Evenly random vectors would have no neighbours at all, and any index looks either perfect or useless on them.
"""

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

DIMENSION = 384
TOPICS = 2_000
# Parts of a vector before it is normalised: what all share, its topic, its session, its own.
COMMON, TOPIC, SESSION, OWN = 0.33, 0.55, 0.35, 0.65


class Vectors:
    """Draws vectors. All instances share their topics, so that queries of one process fit the texts of another."""

    def __init__(self, random: Generator) -> None:
        shared = np.random.default_rng(11)
        # The variance along the axes falls off like a sentence encoder's principal components.
        self._scale = ((np.arange(DIMENSION) + 10.0) ** -0.5).astype(np.float32)
        self._common = self._unit(shared, 1)[0]
        self._topics = self._unit(shared, TOPICS)
        self._random = random

    def topic(self) -> int:
        """A topic; some are talked about far more often than others."""
        return int(TOPICS * self._random.random() ** 2)

    def session(self, topic: int, count: int) -> NDArray[np.float32]:
        """(count, DIMENSION) unit vectors of the messages of a session about a topic."""
        session = SESSION * self._unit(self._random, 1)[0]
        return _normalised(COMMON * self._common + TOPIC * self._topics[topic] + session + OWN * self._unit(self._random, count))

    def near(self, vectors: NDArray[np.float32], distance: float) -> NDArray[np.float32]:
        """Vectors of texts that say something like these: paraphrases, extracted facts, questions."""
        return _normalised(vectors + distance * self._unit(self._random, len(vectors)))

    def _unit(self, random: Generator, count: int) -> NDArray[np.float32]:
        return _normalised(random.standard_normal((count, DIMENSION), dtype=np.float32) * self._scale)


def _normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    unit: NDArray[np.float32] = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit
