"""Words as they are left out: whatever stands between white space, with its punctuation."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\S+")
# What ends a sentence, with the quotes and brackets that may close after it.
_SENTENCE_END = re.compile(r"[.!?…]+[\"'’”»)\]]*\Z")


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: where it stands, as written, its letters and digits in lower case, whether a sentence begins with it."""

    begin: int
    end: int
    written: str
    core: str
    opens: bool


def words_in(text: str) -> list[Word]:
    """The words of a text, in their order."""
    words: list[Word] = []
    opens, last = True, 0
    for match in _WORD.finditer(text):
        begin, end = match.span()
        written = match[0]
        opens = opens or "\n" in text[last:begin]
        words.append(Word(begin, end, written, core_of(written), opens))
        opens, last = ends_sentence(written), end
    return words


def core_of(written: str) -> str:
    """A word without punctuation around it, in lower case, with one kind of apostrophe."""
    begin, end = 0, len(written)
    while begin < end and not written[begin].isalnum():
        begin += 1
    while end > begin and not written[end - 1].isalnum():
        end -= 1
    return written[begin:end].lower().replace("’", "'")


def joined(text: str, words: Sequence[Word], kept: Sequence[bool]) -> tuple[str, tuple[str, ...]]:
    """The text of the words that are kept, and these words, of which some end a sentence now whose last words are left out.

    A line end between two words stays. A text of which every word is kept comes out as it was.
    """
    if all(kept):
        return text, tuple(word.written for word in words)
    parts: list[str] = []
    gaps: list[str] = []
    gap, last = "", 0
    for word, stays in zip(words, kept, strict=True):
        between = text[last : word.begin]
        last = word.end
        gap = "\n" if "\n" in between or gap == "\n" else " "
        if stays:
            parts.append(word.written)
            gaps.append(gap)
            gap = ""
        elif parts and not ends_sentence(parts[-1]) and (end := _SENTENCE_END.search(word.written[-8:])):
            parts[-1] += end[0][0]
    return "".join(gap + part for gap, part in zip(("", *gaps[1:]), parts, strict=True)), tuple(parts)


def ends_sentence(written: str) -> bool:
    """Whether a sentence has ended with this word."""
    return _SENTENCE_END.search(written[-8:]) is not None
