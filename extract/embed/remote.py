"""An embedder behind an OpenAI-compatible API: OpenAI itself, vLLM, Ollama, LM Studio, LiteLLM and others that have `/embeddings`."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ValidationError

from extract.endpoint import Endpoint, EndpointFailed, EndpointSettings
from graph.errors import EmbedderUnavailable
from graph.gather import gather_or_cancel
from graph.model import EmbeddingSpec

# APIs limit the tokens of a request, too (OpenAI: 300,000); a token is hardly ever shorter than a character.
_MOST_CHARACTERS = 250_000
# APIs refuse a text of nothing.
_NOTHING = "."


class _Row(BaseModel):
    index: int
    embedding: list[float]


class _Answer(BaseModel):
    data: list[_Row]


@dataclass(frozen=True, slots=True)
class RemoteEmbedding:
    """What is asked of the API.

    Attributes:
        dimension: of the model's vectors.     shortened: whether the API is asked for that dimension (its parameter `dimensions`).
        batch: texts a call at most.     query_timeout_s: seconds after which a query goes on without a vector.
    """

    dimension: int
    shortened: bool = False
    batch: int = 64
    query_timeout_s: float = 2.0


class RemoteEmbedder:
    """Bulk work is tried again and again, as far as its endpoint is told to; a query is tried once, as somebody waits for it."""

    def __init__(self, endpoint: EndpointSettings, asked: RemoteEmbedding) -> None:
        self._asked = asked
        name = f"openai\n{endpoint.model}\n{asked.dimension}\n{asked.shortened}"
        self._spec = EmbeddingSpec(endpoint.model, hashlib.sha256(name.encode()).hexdigest()[:16], asked.dimension)
        self._bulk = Endpoint(endpoint)
        # With connections of its own, so that a query does not wait for bulk work.
        once = EndpointSettings(endpoint.url, endpoint.model, endpoint.key, endpoint.concurrency, asked.query_timeout_s, retries=0)
        self._queries = Endpoint(once)

    @property
    def spec(self) -> EmbeddingSpec:
        """The fingerprint is of the API's kind, the model's name and the dimension, not of where the API is: a server may move."""
        return self._spec

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float16]:
        """Vectors of many texts, (n, dimension) float16 of unit length, in their order. Raises EmbedderUnavailable."""
        parts = await gather_or_cancel([self._embed(self._bulk, "embed", batch) for batch in _batches(texts, self._asked.batch)])
        return np.concatenate([np.empty((0, self._asked.dimension), np.float32), *parts]).astype(np.float16)

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of one query. Raises EmbedderUnavailable, also when it takes longer than a query may wait."""
        try:
            async with asyncio.timeout(self._asked.query_timeout_s):
                vectors = await self._embed(self._queries, "embed_query", [text])
        except TimeoutError:
            raise EmbedderUnavailable("the embedder took too long") from None
        vector: NDArray[np.float32] = vectors[0]
        return vector

    async def aclose(self) -> None:
        """Closes its connections."""
        await self._bulk.aclose()
        await self._queries.aclose()

    async def _embed(self, endpoint: Endpoint, step: str, texts: Sequence[str]) -> NDArray[np.float32]:
        body: dict[str, Any] = {"input": [text if text.strip() else _NOTHING for text in texts], "encoding_format": "float"}
        if self._asked.shortened:
            body["dimensions"] = self._asked.dimension
        try:
            return _vectors(await endpoint.post(step, "/embeddings", body, len(texts)), len(texts), self._asked.dimension)
        except EndpointFailed as error:
            raise EmbedderUnavailable(f"the embedder gave no vectors: {error}") from error


def _batches(texts: Sequence[str], most: int) -> list[list[str]]:
    """The texts in their order, in runs that one call takes."""
    batches: list[list[str]] = []
    room = 0
    for text in texts:
        if not batches or len(batches[-1]) == most or room < len(text):
            batches.append([])
            room = _MOST_CHARACTERS
        batches[-1].append(text)
        room -= len(text)
    return batches


def _vectors(answer: Any, count: int, dimension: int) -> NDArray[np.float32]:
    """The answer's vectors in the order of the texts, each of unit length. Raises EndpointFailed when it is not what was asked for."""
    try:
        rows = sorted(_Answer.model_validate(answer).data, key=lambda row: row.index)
    except ValidationError:
        raise EndpointFailed("the answer has another form") from None
    if [row.index for row in rows] != list(range(count)):
        raise EndpointFailed("the answer does not have one vector for each text")
    if any(len(row.embedding) != dimension for row in rows):
        raise EndpointFailed(f"the answer's vectors do not have {dimension} numbers")
    raw = np.array([row.embedding for row in rows], np.float64)
    lengths = np.linalg.norm(raw, axis=1, keepdims=True)
    if not (np.isfinite(lengths) & (lengths > 0)).all():
        raise EndpointFailed("the answer has vectors without a direction")
    vectors: NDArray[np.float32] = (raw / lengths).astype(np.float32)
    return vectors
