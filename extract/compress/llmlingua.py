"""LLMLingua-2 (Pan et al., ACL 2024 Findings, arXiv:2403.12968): words by the probability that a small model gives to keeping them.

The package loads the model; its text is not taken. Besides leaving words out it joins lines, puts blanks around signs, writes [UNK] for
what the vocabulary lacks, leaves "##" where its windows end inside of a word, and its forced tokens change words. Here the model judges,
and words are chosen and written as everywhere in `extract.compress`. Needs the extra `compression`.
"""

import asyncio
import hashlib
import importlib
import json
import math
from collections import OrderedDict
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from extract.compress.attention import attention_to_previous
from extract.compress.choosing import checked_rate, choose, compressed, read_texts
from extract.compress.keeping import keeping_version
from extract.compress.port import ReadTurn
from extract.compress.windows import Window, windows_of
from extract.compress.words import words_in
from extract.sentence_models import ExtraMissing, ModelMissing, files_hash, model_directory

EXTRA = "compression"
# 709 MB; the larger one is microsoft/llmlingua-2-xlm-roberta-large-meetingbank.
DEFAULT_MODEL = "microsoft/llmlingua-2-bert-base-multilingual-cased-meetingbank"
# Raised with any change of how words are judged or chosen.
_VERSION = 1
# What the published models were trained on.
_LONGEST_WINDOW = 512
# As LightMem, which takes the last four of twelve.
_LAYERS = 4
_KEEP = 1
# Jobs look more than once at what waits until it is enough for a call.
_LATELY = 64
# Of one conversation's turns no more is read, some hundred windows; what comes after stays whole.
_MOST_CHARACTERS = 200_000


class LlmLinguaCompressor:
    """Implements `Compressor` and `TurnReader`.

    The model reads in a thread of its own, a window at a time; a call that is cancelled reads no more.
    """

    def __init__(self, model: str, rate: float, threads: int = 1, attention: bool = False) -> None:
        """`model`: a directory, or a name on the Hugging Face hub. `rate`: the share of characters that stays, .4 to .8. `threads`: of
        torch, for the whole process. `attention`: whether it is to be read as well (`read`); the model then computes in a slower way, the
        only one that tells it.

        Raises:
            ExtraMissing, ModelMissing, ValueError: the rate is another.
        """
        self._rate = checked_rate(rate)
        self._attention = attention
        self._torch, self._model, self._tokenizer, directory = _loaded(model, threads)
        if attention:
            # The others hand out none (transformers 5).
            self._model.set_attn_implementation("eager")
        self._name = Path(model).name
        said = f"llmlingua2\n{_VERSION}\n{files_hash(directory)}\n{rate}\n{keeping_version()}"
        self._fingerprint = hashlib.sha256(said.encode()).hexdigest()[:16]
        config = self._model.config
        # RoBERTa counts positions from behind the one of its padding.
        positions = config.max_position_embeddings - (config.pad_token_id + 1 if "roberta" in config.model_type else 0)
        self._window = min(_LONGEST_WINDOW, positions) - 2
        self._lately: OrderedDict[bytes, list[ReadTurn]] = OrderedDict()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="compress")

    @property
    def name(self) -> str:
        """The model's."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """Of the model's files, the rules, the lists and the rate."""
        return self._fingerprint

    async def compress(
        self, texts: Sequence[str], names: Collection[str] = (), importance: Sequence[Sequence[float] | None] | None = None
    ) -> list[str]:
        """See `Compressor.compress`."""
        known = importance or [None] * len(texts)
        unread = [text for text, one in zip(texts, known, strict=True) if one is None]
        found = iter((await self._judged(unread))[0])
        scores = [next(found) if one is None else one for one in known]
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._left, texts, names, scores)

    async def read(self, texts: Sequence[str]) -> list[ReadTurn]:
        """See `TurnReader.read`. A run that it read lately it knows. Raises ValueError when it was not made to read attention."""
        if not self._attention:
            raise ValueError("attention: was not asked for")
        run = hashlib.sha256(json.dumps(list(texts)).encode()).digest()
        if run not in self._lately:
            scores, attention = await self._judged(texts)
            self._lately[run] = [ReadTurn(tuple(one), attention.get(number)) for number, one in enumerate(scores)]
        self._lately.move_to_end(run)
        while len(self._lately) > _LATELY:
            self._lately.popitem(last=False)
        return self._lately[run]

    def close(self) -> None:
        """Ends the thread; a window under way is read first."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    async def _judged(self, texts: Sequence[str]) -> tuple[list[list[float]], dict[int, float]]:
        """For each text the probability of each of its words, infinite where the model did not read it; and attention, where it is read."""
        loop = asyncio.get_running_loop()
        scores, windows = await loop.run_in_executor(self._thread, self._prepared, texts)
        attention: dict[int, float] = {}
        for window in windows:
            probabilities, told = await loop.run_in_executor(self._thread, self._judge, window)
            for (number, place), probability in zip(window.words, window.by_word(probabilities), strict=True):
                scores[number][place] = probability
            attention |= told
        return scores, attention

    def _prepared(self, texts: Sequence[str]) -> tuple[list[list[float]], list[Window]]:
        """Scores of words that nobody has judged yet, and what is to be read."""
        room = _MOST_CHARACTERS
        places: list[tuple[int, int]] = []
        written: list[str] = []
        scores: list[list[float]] = []
        for number, text in enumerate(texts):
            words = words_in(text)
            scores.append([math.inf] * len(words))
            read = [place for place, word in enumerate(words) if word.end <= room]
            places += [(number, place) for place in read]
            written += [words[place].written for place in read]
            room -= len(text)
        if not written:
            return scores, []
        encoding = self._tokenizer(written, is_split_into_words=True, add_special_tokens=False, verbose=False)
        return scores, windows_of(places, encoding["input_ids"], encoding.word_ids(), self._window)

    def _judge(self, window: Window) -> tuple[list[float], dict[int, float]]:
        """The probability of each piece, and how much turns attend to the one before them, where that is read."""
        torch, tokenizer = self._torch, self._tokenizer
        ids = torch.tensor([[tokenizer.cls_token_id, *window.pieces, tokenizer.sep_token_id]])
        with torch.inference_mode():
            answer = self._model(input_ids=ids, attention_mask=torch.ones_like(ids), output_attentions=self._attention)
            probabilities: list[float] = torch.softmax(answer.logits[0, 1:-1].float(), dim=-1)[:, _KEEP].tolist()
            if not self._attention:
                return probabilities, {}
            layers = torch.stack([layer[0].mean(dim=0) for layer in answer.attentions[-_LAYERS:]])
            # The signs that the model puts around a text draw attention that says nothing.
            paid = layers.mean(dim=0)[1:-1, 1:-1].float().numpy()
        return probabilities, attention_to_previous(window, paid)

    def _left(self, texts: Sequence[str], names: Collection[str], scores: Sequence[Sequence[float]]) -> list[str]:
        read = [
            replace(one, stays=tuple(stays or math.isinf(score) for stays, score in zip(one.stays, scored, strict=True)))
            for one, scored in zip(read_texts(texts, names), scores, strict=True)
        ]
        return compressed(read, choose(read, scores, self._rate))


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
