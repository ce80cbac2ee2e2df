"""A sentence-transformers CrossEncoder as a reranker. Needs the extra of that name."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from extract.metering import record_usage
from extract.sentence_models import ModelMissing, load
from graph.store.port import UsageEntry

# Texts read in one go; a caller who no longer waits keeps the thread for no longer than that.
_AT_ONCE = 8


class CrossEncoderReranker:
    """Reads in a thread, a few texts at a time; a call that is cancelled reads no more of them."""

    def __init__(self, model: str, threads: int = 1, device: str = "cpu") -> None:
        """`model`: a directory, or a name on the Hugging Face hub. `threads`: of torch, for the whole process.

        Raises:
            ExtraMissing: sentence-transformers is not installed.     ModelMissing: there is no such model, or it cannot be loaded.
        """
        self._model, _ = load("CrossEncoder", model, threads, device)
        if self._model.num_labels != 1:
            raise ModelMissing(f"{model} gives {self._model.num_labels} numbers a text, and a reranker gives one")
        self._name = Path(model).name
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="rerank")

    async def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        """See `Reranker.rerank`."""
        loop = asyncio.get_running_loop()
        scores: list[float] = []
        try:
            for start in range(0, len(texts), _AT_ONCE):
                pairs = [(query, text) for text in texts[start : start + _AT_ONCE]]
                scores += await loop.run_in_executor(self._thread, self._read, pairs)
        finally:
            record_usage(UsageEntry("rerank", self._name, 1, len(scores), errors=int(len(scores) < len(texts))))
        return scores

    def close(self) -> None:
        """Ends the thread; a run under way ends first."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _read(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        return [float(score) for score in self._model.predict(list(pairs), show_progress_bar=False, convert_to_numpy=True)]
