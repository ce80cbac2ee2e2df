"""Words by their self-information, without a model.

Selective Context (Li et al., EMNLP 2023, arXiv:2310.06201) leaves out what a language model expected: words of a small -log2 p. Here p
comes from two counts instead of a model: how frequent the word is in general, and how often the same conversation has said it before (a
cache model, Kuhn and De Mori, 1990). The general frequencies are Zipf's law over the vocabulary of the packaged embedding model, whose word
pieces stand in the order of their frequency, so that nothing more need be shipped.
"""

import asyncio
import hashlib
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from functools import cache, lru_cache

from extract.compress.choosing import ReadText, checked_rate, choose, compressed, read_texts
from extract.compress.keeping import keeping_version
from extract.tokens import vocabulary

# Raised with any change of how words are judged or chosen.
_VERSION = 1
# Where words begin in that vocabulary; before them stand signs and single letters, in the order of their codes.
_FIRST_WORD = "the"
# Words of one letter are articles, prepositions and pronouns in most languages.
_ONE_LETTER_RANK = 10
# What was said before counts for this share of what is expected. At rate .5, of the words of answers 80.6 of 100 survive in LoCoMo and
# 82.0 in three conversations of assistant-dev; with .2 80.7 and 81.5, with .6 80.6 and 83.4, with 0 76.8 and 63.0
# (`python -m bench compression`).
_SAID_BEFORE = 0.4
# As though so many other words had been said first: of three words one is not yet frequent.
_BEFORE_THAT = 100
_PARTS = re.compile(r"['-]")


class EntropyCompressor:
    """Implements `Compressor`. The same texts always come out the same, whatever else is stored."""

    def __init__(self, rate: float) -> None:
        """`rate`: the share of characters that stays, .4 to .8. Raises ValueError for another."""
        self._rate = checked_rate(rate)
        said = f"entropy\n{_VERSION}\n{rate}\n{keeping_version()}"
        self._fingerprint = hashlib.sha256(said.encode()).hexdigest()[:16]

    @property
    def name(self) -> str:
        """`entropy`."""
        return "entropy"

    @property
    def fingerprint(self) -> str:
        """Of the rules, the lists and the rate."""
        return self._fingerprint

    async def compress(
        self, texts: Sequence[str], names: Collection[str] = (), importance: Sequence[Sequence[float] | None] | None = None
    ) -> list[str]:
        """See `Compressor.compress`. `importance` is not looked at: there is no model that it would spare."""
        return await asyncio.to_thread(self.compress_now, texts, names)

    def compress_now(self, texts: Sequence[str], names: Collection[str] = ()) -> list[str]:
        """The same, here and now."""
        read = read_texts(texts, names)
        return compressed(read, choose(read, information(read), self._rate))

    def close(self) -> None:
        """Nothing runs."""


def information(texts: Sequence[ReadText]) -> list[list[float]]:
    """The self-information of each word of each text, in bits, given the words before it."""
    said: Counter[str] = Counter()
    total = 0
    scores: list[list[float]] = []
    for one in texts:
        scores.append([])
        for word in one.words:
            scores[-1].append(_bits(word.core, said[word.core], total))
            said[word.core] += 1
            total += 1
    return scores


def _bits(core: str, before: int, total: int) -> float:
    here = before / (total + _BEFORE_THAT)
    return -math.log2((1 - _SAID_BEFORE) * _general(core) + _SAID_BEFORE * here)


@lru_cache(maxsize=8_192)
def _general(core: str) -> float:
    """The word's probability in general: that of its rarest part."""
    ranks, unknown = _ranks()
    parts = [part for part in _PARTS.split(_without_accents(core)) if part]
    rank = max((_ONE_LETTER_RANK if len(part) == 1 else ranks.get(part, unknown) for part in parts), default=unknown)
    return 1 / (rank * (math.log(unknown) + 0.5772))


def _without_accents(word: str) -> str:
    if word.isascii():
        return word
    return "".join(sign for sign in unicodedata.normalize("NFD", word) if not unicodedata.combining(sign))


@cache
def _ranks() -> tuple[dict[str, int], int]:
    """Words by their place in the order of frequency, from 1; and the place of all that are not among them."""
    pieces = vocabulary()
    first = pieces[_FIRST_WORD]
    ranks = {piece: place - first + 1 for piece, place in pieces.items() if place >= first and not piece.startswith("##")}
    return ranks, len(pieces) - first + 1
