"""Any sentence-transformers model as an embedder. Needs the extra of that name."""

import asyncio
import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from extract.sentence_models import files_hash, load
from graph.model import EmbeddingSpec

# Texts embedded in one go; bounds how long a caller who went away keeps the thread.
_AT_ONCE = 64
# How texts are given to the model; part of the fingerprint.
_WAY = "documents-and-queries-v1"


class SentenceEmbedder:
    """Documents and queries are embedded with the prompts that the model brings for each. Queries have a thread of their own."""

    def __init__(self, model: str, threads: int = 1, device: str = "cpu") -> None:
        """`model`: a directory, or a name on the Hugging Face hub. `threads`: of torch, for the whole process.

        Raises:
            ExtraMissing: sentence-transformers is not installed.     ModelMissing: there is no such model, or it cannot be loaded.
        """
        loaded, directory = load("SentenceTransformer", model, threads, device)
        self._model: Any = loaded
        fingerprint = hashlib.sha256(f"{files_hash(directory)}\n{_WAY}".encode()).hexdigest()[:16]
        self._spec = EmbeddingSpec(Path(model).name, fingerprint, int(self._model.get_embedding_dimension()))
        self._bulk = ThreadPoolExecutor(1, thread_name_prefix="embed")
        self._queries = ThreadPoolExecutor(1, thread_name_prefix="embed-query")

    @property
    def spec(self) -> EmbeddingSpec:
        """The fingerprint is of the model's files."""
        return self._spec

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float16]:
        """Vectors of many texts, (n, dimension) float16 of unit length, in their order."""
        loop = asyncio.get_running_loop()
        parts = [np.empty((0, self._spec.dimension), np.float32)]
        for start in range(0, len(texts), _AT_ONCE):
            batch = list(texts[start : start + _AT_ONCE])
            parts.append(await loop.run_in_executor(self._bulk, self._vectors, self._model.encode_document, batch))
        return np.concatenate(parts).astype(np.float16)

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of one query, (dimension,) float32 of unit length."""
        loop = asyncio.get_running_loop()
        vectors = await loop.run_in_executor(self._queries, self._vectors, self._model.encode_query, [text])
        vector: NDArray[np.float32] = vectors[0]
        return vector

    def close(self) -> None:
        """Ends the threads; runs under way end first."""
        self._bulk.shutdown(wait=True, cancel_futures=True)
        self._queries.shutdown(wait=True, cancel_futures=True)

    def _vectors(self, encode: Any, texts: list[str]) -> NDArray[np.float32]:
        raw = np.asarray(encode(texts, convert_to_numpy=True, show_progress_bar=False), np.float32)
        vectors: NDArray[np.float32] = raw / np.maximum(np.linalg.norm(raw, axis=1, keepdims=True), 1e-12)
        return vectors
