"""LLMLingua-2 (Pan et al., ACL 2024 Findings, arXiv:2403.12968): words by the probability that a small model gives to keeping them.

The package loads the model; its text is not taken. Besides leaving words out it joins lines, puts blanks around signs, writes [UNK] for
what the vocabulary lacks, leaves "##" where its windows end inside of a word, and its forced tokens change words. Here the model judges,
and words are chosen and written as everywhere in `extract.compress`. Needs the extra `compression`.
"""

import asyncio
import hashlib
import importlib
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from extract.compress.choosing import ReadText, checked_rate, choose, compressed, read_texts
from extract.compress.keeping import keeping_version
from extract.compress.windows import Window, windows_of
from extract.sentence_models import ExtraMissing, ModelMissing, files_hash, model_directory

EXTRA = "compression"
# 709 MB; the larger one is microsoft/llmlingua-2-xlm-roberta-large-meetingbank.
DEFAULT_MODEL = "microsoft/llmlingua-2-bert-base-multilingual-cased-meetingbank"
# Raised with any change of how words are judged or chosen.
_VERSION = 1
# What the published models were trained on.
_LONGEST_WINDOW = 512
_KEEP = 1
# Of one conversation's turns no more is read, some hundred windows; what comes after stays whole.
_MOST_CHARACTERS = 200_000


class LlmLinguaCompressor:
    """Implements `Compressor`. The model reads in a thread of its own, a window at a time; a call that is cancelled reads no more."""

    def __init__(self, model: str, rate: float, threads: int = 1) -> None:
        """`model`: a directory, or a name on the Hugging Face hub. `rate`: the share of characters that stays, .4 to .8. `threads`: of
        torch, for the whole process.

        Raises:
            ExtraMissing, ModelMissing, ValueError: the rate is another.
        """
        self._rate = checked_rate(rate)
        self._torch, self._model, self._tokenizer, directory = _loaded(model, threads)
        self._name = Path(model).name
        said = f"llmlingua2\n{_VERSION}\n{files_hash(directory)}\n{rate}\n{keeping_version()}"
        self._fingerprint = hashlib.sha256(said.encode()).hexdigest()[:16]
        config = self._model.config
        # RoBERTa counts positions from behind the one of its padding.
        positions = config.max_position_embeddings - (config.pad_token_id + 1 if "roberta" in config.model_type else 0)
        self._window = min(_LONGEST_WINDOW, positions) - 2
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="compress")

    @property
    def name(self) -> str:
        """The model's."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """Of the model's files, the rules, the lists and the rate."""
        return self._fingerprint

    async def compress(self, texts: Sequence[str], names: Collection[str] = ()) -> list[str]:
        """See `Compressor.compress`."""
        loop = asyncio.get_running_loop()
        read, windows = await loop.run_in_executor(self._thread, self._read, texts, names)
        scores = [[0.0] * len(one.words) for one in read]
        for window in windows:
            probabilities = await loop.run_in_executor(self._thread, self._judge, window)
            for (number, place), probability in zip(window.words, window.by_word(probabilities), strict=True):
                scores[number][place] = probability
        return await loop.run_in_executor(self._thread, lambda: compressed(read, choose(read, scores, self._rate)))

    def close(self) -> None:
        """Ends the thread; a window under way is read first."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _read(self, texts: Sequence[str], names: Collection[str]) -> tuple[list[ReadText], list[Window]]:
        read = read_texts(texts, names)
        room = _MOST_CHARACTERS
        words: list[tuple[int, int]] = []
        for number, one in enumerate(read):
            words += [(number, place) for place, word in enumerate(one.words) if word.end <= room]
            room -= len(one.text)
        windows = self._windows(read, words) if words else []
        judged = {word for window in windows for word in window.words}
        return [
            replace(one, stays=tuple(stays or (number, place) not in judged for place, stays in enumerate(one.stays)))
            for number, one in enumerate(read)
        ], windows

    def _windows(self, read: Sequence[ReadText], words: Sequence[tuple[int, int]]) -> list[Window]:
        written = [read[number].words[place].written for number, place in words]
        encoding = self._tokenizer(written, is_split_into_words=True, add_special_tokens=False, verbose=False)
        return windows_of(words, encoding["input_ids"], encoding.word_ids(), self._window)

    def _judge(self, window: Window) -> list[float]:
        """The probability of each piece."""
        torch, tokenizer = self._torch, self._tokenizer
        ids = torch.tensor([[tokenizer.cls_token_id, *window.pieces, tokenizer.sep_token_id]])
        with torch.inference_mode():
            logits = self._model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits
        probabilities: list[float] = torch.softmax(logits[0, 1:-1].float(), dim=-1)[:, _KEEP].tolist()
        return probabilities


def _loaded(name: str, threads: int) -> tuple[Any, Any, Any, Path]:
    """torch, the model, its tokenizer, and where its files are."""
    # Here, because they take seconds to import, and most services do without.
    try:
        torch = importlib.import_module("torch")
        package = importlib.import_module("llmlingua")
    except ImportError:
        raise ExtraMissing(EXTRA) from None
    torch.set_num_threads(threads)
    wanted = f"wanted is a LLMLingua-2 model such as {DEFAULT_MODEL}: its files in a directory that compressor_model names"
    try:
        directory = model_directory(name)
        # Its __init__ fetches a tokenizer of OpenAI's, by which the package counts; nothing here needs it.
        loader = package.PromptCompressor.__new__(package.PromptCompressor)
        loader.load_model(str(directory), "cpu", {"trust_remote_code": False})
    except ModelMissing as error:
        raise ModelMissing(f"{error}; {wanted}") from None
    except Exception as error:  # the package raises what its parts raise: whatever it is, there is no model
        raise ModelMissing(f"{name} cannot be loaded ({type(error).__name__}); {wanted}") from error
    if (
        not type(loader.model).__name__.endswith("ForTokenClassification")
        or loader.model.config.num_labels != 2
        or not loader.tokenizer.is_fast
    ):
        raise ModelMissing(f"{name} does not say of each token whether it stays; {wanted}")
    return torch, loader.model.eval(), loader.tokenizer, directory
