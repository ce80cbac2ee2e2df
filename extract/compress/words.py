"""Words as they are left out: whatever stands between white space, with its punctuation."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"\S+")
# What ends a sentence, with the quotes and brackets that may close after it.
_SENTENCE_END = re.compile(r"[.!?…]+[\"'’”»)\]]*\Z")
_QUESTION_END = re.compile(r"\?[.!?…]*[\"'’”»)\]]*\Z")
# Only the end of a word is looked at, however long it is.
_END = 8


@dataclass(frozen=True, slots=True)
class Word:
    """A word of a text: where it stands, as written, its letters and digits in lower case, whether a sentence begins with it, whether it
    ends a question."""

    begin: int
    end: int
    written: str
    core: str
    opens: bool
    asks: bool


def words_in(text: str) -> list[Word]:
    """The words of a text, in their order."""
    words: list[Word] = []
    opens, last = True, 0
    for match in _WORD.finditer(text):
        begin, end = match.span()
        written = match[0]
        opens = opens or "\n" in text[last:begin]
        words.append(Word(begin, end, written, core_of(written), opens, _QUESTION_END.search(written[-_END:]) is not None))
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


def joined(text: str, words: Sequence[Word], kept: Sequence[bool]) -> str:
    """The text of the words that are kept, each as it was written.

    A line end between two words stays, and one stands where a sentence has ended with a word that is left out, so that no two run together.
    A text of which every word is kept comes out as it was.
    """
    if all(kept):
        return text
    parts: list[str] = []
    last, ended = 0, False
    for word, stays in zip(words, kept, strict=True):
        ended = ended or "\n" in text[last : word.begin]
        last = word.end
        if stays:
            if parts:
                parts.append("\n" if ended else " ")
            parts.append(word.written)
            ended = False
        else:
            ended = ended or ends_sentence(word.written)
    return "".join(parts)


def ends_sentence(written: str) -> bool:
    """Whether a sentence has ended with this word."""
    return _SENTENCE_END.search(written[-_END:]) is not None
