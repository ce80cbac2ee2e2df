"""Long texts of several kinds."""

from random import Random

import numpy as np

from bench.scale.words import Zipf, vocabulary

KINDS = ("words", "facts", "japanese")
_WORDS = 5_000
_IN_SENTENCE = 12
# What the extractor finds facts, people and times in.
_FACTS = (
    "I moved to {place} in {month} {year}.",
    "My sister {name} works at {work}.",
    "On {day} {month} {year} {name} and I went to {place}.",
    "{name} loves {thing}, and I hate {other}.",
    "We will meet {name} in {place} next {weekday}.",
    "I bought a {thing} because the {other} broke.",
)
_PARTS = {
    "place": ("Lisbon", "Kyoto", "Oslo", "Lima", "Porto"),
    "month": ("January", "March", "May", "July", "October"),
    "name": ("Maria", "Ruth", "Tom", "Olga", "Kenji", "Amina"),
    "work": ("Siemens", "the museum", "a bakery", "the library"),
    "weekday": ("Monday", "Thursday", "Saturday"),
    "thing": ("bicycle", "violin", "tent", "garden", "telescope"),
    "other": ("old car", "piano", "kitchen", "boat"),
}
_KANJI = [chr(code) for code in range(0x4E00, 0x4E00 + 2_000)]
_KANA = [chr(code) for code in range(0x3042, 0x3094)]


class Texts:
    """Texts of one kind; the same for the same number, whatever was made before."""

    def __init__(self, kind: str, characters: int) -> None:
        """`kind`: one of KINDS."""
        self._kind = kind
        self._characters = characters
        self._vocabulary = vocabulary(_WORDS) if kind == "words" else _japanese_words()

    @property
    def is_wide(self) -> bool:
        """Whether a character takes three bytes in UTF-8."""
        return self._kind == "japanese"

    def text(self, number: int) -> str:
        """Text `number`."""
        if self._kind == "facts":
            return self._facts(Random(number))
        words = Zipf(self._vocabulary, np.random.default_rng(number)).draw(self._characters // (2 if self._kind == "japanese" else 4))
        sentences = [words[start : start + _IN_SENTENCE] for start in range(0, len(words), _IN_SENTENCE)]
        if self._kind == "japanese":
            return "".join([f"{number}番。", *("".join(sentence) + "。" for sentence in sentences)])[: self._characters]
        return f"Number {number}. {'. '.join(map(' '.join, sentences))}."[: self._characters]

    def _facts(self, random: Random) -> str:
        told, size = list[str](), 0
        while size < self._characters:
            parts = {name: random.choice(values) for name, values in _PARTS.items()}
            told.append(random.choice(_FACTS).format(**parts, day=random.randint(1, 28), year=random.randint(1990, 2025)))
            size += len(told[-1]) + 1
        return " ".join(told)[: self._characters]


def _japanese_words() -> tuple[str, ...]:
    """Words of kanji and kana, all different."""
    random = Random(7)
    words: dict[str, None] = {}
    while len(words) < _WORDS:
        stem = "".join(random.choices(_KANJI, k=random.choice((1, 2, 2))))
        words.setdefault(stem + "".join(random.choices(_KANA, k=random.choice((0, 0, 1, 2)))))
    return tuple(words)
