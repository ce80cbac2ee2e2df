"""What the pipeline and the service need of an embedder."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from graph.model import EmbeddingSpec


class Embedder(Protocol):
    """Turns texts into unit-length vectors. Never blocks the event loop."""

    @property
    def spec(self) -> EmbeddingSpec:
        """Which model this is."""
        ...

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float16]:
        """Vectors of many texts, (n, dimension), in their order; for bulk work. Raises EmbedderUnavailable."""
        ...

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of one query, (dimension,), ahead of bulk work that waits. Raises EmbedderUnavailable."""
        ...
