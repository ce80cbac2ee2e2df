"""all-MiniLM-L6-v2 as int8 ONNX, shipped with the project: the default embedder."""

import asyncio
import hashlib
import os
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from graph.model import EmbeddingSpec

if TYPE_CHECKING:
    from tokenizers import Encoding

MODEL_NAME = "all-minilm-l6-v2-int8"
MODEL_DIRECTORY = Path(__file__).parent / "models" / MODEL_NAME
CHECKSUMS = {
    "model.onnx": "3a116109931f858f8058abecf1d3ddef43c14a66072d407505bb0c78ab74ec88",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
DIMENSION = 384
MAX_WORD_PIECES = 256
# How word pieces become one vector; part of the fingerprint, because other pooling gives other vectors.
_POOLING = "mean-l2-256-v1"
# Texts that a worker embeds before another call may have it: about 40 ms of short turns, 360 ms of the longest texts. One by one would
# cost a turn of the event loop a text.
_TEXTS_A_TURN = 8

# How far bulk work stands back when there are more threads than processors: enough that a call's threads run first, little enough
# that work goes on. Chosen by that reasoning, not by measurement.
_NICENESS = 5
# What onnxruntime makes of an addition and a LayerNormalization takes six times as long as the two (81 and 14 µs for 31 word pieces, 1.32):
# without it a run takes 3.4 ms instead of 4.0.
_NOT_OPTIMISED = ["SkipLayerNormFusion"]


class ModelDamaged(Exception):
    """A file of the model is missing or is not the one this version was made for."""


class MiniLmEmbedder:
    """MiniLM through onnxruntime: mean of the last hidden states, then unit length.

    Each text is a run of its own, so that its vector depends on nothing but the text: the int8 model scales activations by all that is in a
    run. It has the same bits in any process and order, as a passage and as a query, on processors of one kind and with one onnxruntime.

    Bulk work runs on `threads` workers, a few texts at a turn; a call has at most one turn a worker in the queue, so that concurrent calls
    share the workers fairly. Queries have a worker of their own and never wait for bulk work.
    """

    def __init__(self, threads: int | None = None, directory: Path = MODEL_DIRECTORY) -> None:
        """Loads the model (about .2 s, 90 MB). `threads`: workers for bulk work, by default one less than there are CPUs.

        Raises:
            ModelDamaged: a file is missing or has another checksum.
        """
        # Here, because they take long to import, and other embedders do without.
        import onnxruntime
        from tokenizers import Tokenizer

        sums = _checked(directory)
        self._spec = EmbeddingSpec(MODEL_NAME, hashlib.sha256("\n".join([*sums, _POOLING]).encode()).hexdigest()[:16], DIMENSION)
        self._tokenizer = Tokenizer.from_file(str(directory / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(MAX_WORD_PIECES)
        options = onnxruntime.SessionOptions()  # type: ignore[attr-defined]  # re-exported without __all__
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._session = onnxruntime.InferenceSession(  # type: ignore[attr-defined]  # the same
            str(directory / "model.onnx"), options, providers=["CPUExecutionProvider"], disabled_optimizers=_NOT_OPTIMISED
        )
        self._threads = threads or max(1, (os.cpu_count() or 2) - 1)
        self._bulk = ThreadPoolExecutor(self._threads, thread_name_prefix="embed", initializer=_make_way)
        self._queries = ThreadPoolExecutor(1, thread_name_prefix="embed-query")

    @property
    def spec(self) -> EmbeddingSpec:
        """The model's name, the fingerprint of its files and pooling, 384 dimensions."""
        return self._spec

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float16]:
        """Vectors of many texts, (n, 384) float16 of unit length, in their order."""
        loop = asyncio.get_running_loop()
        vectors = np.empty((len(texts), DIMENSION), np.float16)
        turns = iter(range(0, len(texts), _TEXTS_A_TURN))

        async def take_turns() -> None:
            for start in turns:  # shared by the tasks: each takes the next turn when its last one is done
                turn = slice(start, start + _TEXTS_A_TURN)
                vectors[turn] = await loop.run_in_executor(self._bulk, self._vectors, texts[turn])

        async with asyncio.TaskGroup() as tasks:
            for _ in range(self._threads):
                tasks.create_task(take_turns())
        return vectors

    async def embed_query(self, text: str) -> NDArray[np.float32]:
        """The vector of one query, (384,) float32 of unit length."""
        loop = asyncio.get_running_loop()
        vectors = await loop.run_in_executor(self._queries, self._vectors, [text])
        vector: NDArray[np.float32] = vectors[0]
        return vector

    def close(self) -> None:
        """Ends the workers; runs under way end first."""
        self._bulk.shutdown(wait=True, cancel_futures=True)
        self._queries.shutdown(wait=True, cancel_futures=True)

    def _vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([self._vector(encoding) for encoding in self._tokenizer.encode_batch_fast(list(texts))])

    def _vector(self, encoding: "Encoding") -> NDArray[np.float32]:
        ids = np.array([encoding.ids], np.int64)
        feed = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        pooled = np.asarray(self._session.run(None, feed)[0], np.float32)[0].sum(axis=0)
        unit: NDArray[np.float32] = pooled / np.linalg.norm(pooled)
        return unit


def _make_way() -> None:
    """Lets threads that somebody waits for run before this one. Only Linux gives threads a priority of their own."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + _NICENESS)


def _checked(directory: Path) -> list[str]:
    for name, expected in CHECKSUMS.items():
        try:
            with (directory / name).open("rb") as file:
                actual = hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:
            raise ModelDamaged(f"{MODEL_NAME}: {name} cannot be read") from None
        if actual != expected:
            raise ModelDamaged(f"{MODEL_NAME}: {name} is not the file this version was made for")
    return list(CHECKSUMS.values())
