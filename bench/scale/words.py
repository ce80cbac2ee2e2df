"""Synthetic words with the frequencies of real ones: Zipf's law, with an exponent a little above one as in running English."""

from collections.abc import Sequence
from random import Random

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from graph.text.analyser import STOP_WORDS

VOCABULARY = 50_000
# Zipf-Mandelbrot: 1 / (rank + 2.7)^1.05; with it the ten most frequent words make up about a quarter of a text, as in English.
EXPONENT = 1.05
SHIFT = 2.7
# Turns of chats between people have about 20 words, a few have many: a log-normal of this median and spread.
MEDIAN_WORDS = 17
SPREAD = 0.6
MOST_WORDS = 170
_ONSETS = ("b", "br", "d", "dr", "f", "fl", "g", "gr", "h", "k", "kl", "l", "m", "n", "p", "pl", "r", "s", "st", "t", "tr", "v", "w", "z")
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ou", "ee")
_CODAS = ("", "n", "r", "s", "t", "l", "m", "k", "nd", "st")


def vocabulary(size: int = VOCABULARY) -> tuple[str, ...]:
    """Words that can be pronounced, all different. The most frequent ones are those that an analyser drops, as in any running text."""
    random = Random(7)
    words = dict.fromkeys(sorted(STOP_WORDS))
    while len(words) < size:
        syllables = random.choice((2, 2, 3, 3, 4)) if len(words) > 1000 else 1
        words.setdefault("".join(random.choice(part) for _ in range(syllables) for part in (_ONSETS, _VOWELS, _CODAS)))
    return tuple(words)


class Zipf:
    """Draws words."""

    def __init__(self, words: Sequence[str], random: Generator) -> None:
        weights = 1 / (np.arange(len(words)) + SHIFT) ** EXPONENT
        self._cumulated: NDArray[np.float64] = np.cumsum(weights / weights.sum())
        self._words = words
        self._random = random

    def lengths(self, count: int) -> NDArray[np.int64]:
        """How many words each of `count` turns has."""
        drawn = np.exp(self._random.normal(np.log(MEDIAN_WORDS), SPREAD, count))
        return np.clip(drawn, 2, MOST_WORDS).astype(np.int64)

    def draw(self, count: int) -> list[str]:
        """Words by their frequency."""
        found = np.searchsorted(self._cumulated, self._random.random(count))
        return [self._words[index] for index in np.minimum(found, len(self._words) - 1)]
