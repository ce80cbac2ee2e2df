"""The citations in a model's answer: read while the answer comes, held to the memories that the model read, and numbered anew.

The model writes [3: "words of it"] or [3]. What is right becomes "[1]", by the order in which memories are first cited; what is not goes.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from graph.retrieval import ContextEntry

# One memory of a mark, up to the comma before the next one or the bracket that ends the mark. A quote may hold quotation marks.
_CITED = re.compile(r"\s*(\d{1,6})\s*(?::?\s*[\"“”„«](.*?)[\"“”»](?=\s*(?:\]|[,;]\s*\d)))?\s*([\],;])", re.DOTALL)
_MAY_BE_CITED = re.compile(r"\[\s*(?:$|\d{1,6}\s*(?:$|[:\"“”„«\],;]))")
# A mark is no longer; what is, is text.
_LONGEST_MARK = 1_500
# Until so much of an answer is there, how it begins is not judged.
_LONGEST_BEGINNING = 24
_THOUGHT = re.compile(r"\s*<think>.*?</think>", re.DOTALL)
_NOT_IN_MEMORY = re.compile(r"[\s*`\"]*NOT[_ ]IN[_ ]MEMORY[*`\"]*[\s.:,–—-]*")
_QUOTATION_MARKS = str.maketrans("“”„«»‘’‚`", '"""""\'\'\'\'')
_ELLIPSIS = re.compile(r"\.{3}|…")
# Scripts from here on are written without spaces between words.
_WITHOUT_SPACES = "\u0e00"


class Rejection(Enum):
    """Why a citation is not taken."""

    NO_SUCH_MEMORY = 1
    WORDS_NOT_FOUND = 2


@dataclass(frozen=True, slots=True)
class Citation:
    """A memory that the answer rests on. `number` is that of the answer's text; `quotes` are words of it."""

    number: int
    memory: ContextEntry
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RejectedCitation:
    """A citation that was not taken; `memory` is None where none has its number."""

    reason: Rejection
    quote: str
    memory: ContextEntry | None


class CitationReader:
    """Reads one answer piece by piece. The pieces that it gives back are the text to show, with marks that were checked."""

    def __init__(self, memories: Sequence[ContextEntry]) -> None:
        """`memories`: those that the model read; it knows the first as 1."""
        self.not_in_memory = False
        self.rejected: list[RejectedCitation] = []
        self._memories = memories
        self._quotes: dict[int, dict[str, None]] = {}
        self._has_begun = False
        self._left = ""
        self._shown = False

    @property
    def citations(self) -> tuple[Citation, ...]:
        """What the text cites so far, by its numbers."""
        return tuple(
            Citation(number, self._memories[place - 1], tuple(quotes)) for number, (place, quotes) in enumerate(self._quotes.items(), 1)
        )

    def read(self, piece: str) -> str:
        """The next piece of the text, as far as it can be told from a mark that has only begun."""
        self._left += piece
        return self._next(ended=False)

    def end(self) -> str:
        """What is left of the text."""
        return self._next(ended=True).rstrip()

    def _next(self, ended: bool) -> str:
        if not self._has_begun and not self._begin(ended):
            return ""
        texts: list[str] = []
        while self._left:
            before, bracket, _ = self._left.partition("[")
            # Spaces may stand before a mark that goes.
            held = len(before) - len(before.rstrip())
            if not bracket:
                keep = 0 if ended else held
                texts.append(before[: len(before) - keep])
                self._left = before[len(before) - keep :]
                break
            taken = self._mark(len(before))
            if taken is None and not ended and self._may_be_mark(len(before)):
                texts.append(before[: len(before) - held])
                self._left = self._left[len(before) - held :]
                break
            if taken is None:
                texts.append(f"{before}[")
                self._left = self._left[len(before) + 1 :]
                continue
            mark, end = taken
            texts.append(before + mark if mark else before[: len(before) - held])
            self._left = self._left[end:]
        text = "".join(texts)
        # An answer begins with its first word.
        text = text if self._shown else text.lstrip()
        self._shown = self._shown or bool(text)
        return text

    def _begin(self, ended: bool) -> bool:
        """Takes what stands before the answer itself, once enough has come to tell."""
        begun = self._left.lstrip()
        if "<think>".startswith(begun[:7]) and "</think>" not in begun:
            if ended and begun.startswith("<think>"):
                # It thought until its tokens were spent.
                self._left = ""
            if not ended:
                return False
        without = _THOUGHT.sub("", self._left, count=1)
        if not ended and len(without.lstrip()) < _LONGEST_BEGINNING:
            return False
        says_so = _NOT_IN_MEMORY.match(without)
        self.not_in_memory = says_so is not None
        self._left = without[says_so.end() :] if says_so else without
        self._has_begun = True
        return True

    def _may_be_mark(self, start: int) -> bool:
        return len(self._left) - start < _LONGEST_MARK and _MAY_BE_CITED.match(self._left, start) is not None

    def _mark(self, start: int) -> tuple[str, int] | None:
        """The mark that begins at the bracket, as it is shown, and where it ends; None where there is none, or not all of it."""
        cited: list[tuple[int, str]] = []
        place = start + 1
        while True:
            found = _CITED.match(self._left, place, start + _LONGEST_MARK)
            if found is None:
                return None
            cited.append((int(found[1]), (found[2] or "").strip()))
            place = found.end()
            if found[3] == "]":
                break
        numbers = list(dict.fromkeys(number for memory, quote in cited if (number := self._cite(memory, quote))))
        return (f"[{', '.join(map(str, numbers))}]" if numbers else "", place)

    def _cite(self, place: int, quote: str) -> int:
        """The number of this citation in the text; 0 where it is rejected."""
        memory = self._memories[place - 1] if 1 <= place <= len(self._memories) else None
        if memory is None or not holds(memory.text, quote):
            reason = Rejection.NO_SUCH_MEMORY if memory is None else Rejection.WORDS_NOT_FOUND
            self.rejected.append(RejectedCitation(reason, quote, memory))
            return 0
        quotes = self._quotes.setdefault(place, {})
        if quote:
            quotes[quote] = None
        return list(self._quotes).index(place) + 1


def holds(text: str, quote: str) -> bool:
    """Whether a text has these words, whatever their case, spaces and quotation marks. What an ellipsis joins may stand apart."""
    words, place = _folded(text), 0
    for piece in _ELLIPSIS.split(quote):
        wanted = _folded(piece).strip(".,;:!? ")
        place = _find(words, wanted, place)
        if place < 0:
            return False
        place += len(wanted)
    return True


def _find(text: str, wanted: str, start: int) -> int:
    """Where the words stand as whole words; -1 where they do not."""
    place = text.find(wanted, start)
    while place >= 0 and wanted:
        end = place + len(wanted)
        if not _is_inside(text[place - 1 : place], wanted[0]) and not _is_inside(wanted[-1], text[end : end + 1]):
            break
        place = text.find(wanted, place + 1)
    return place


def _is_inside(before: str, after: str) -> bool:
    """Whether a word goes on between two characters, in a script that has spaces between words."""
    return before.isalnum() and after.isalnum() and max(before, after) < _WITHOUT_SPACES


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).translate(_QUOTATION_MARKS).casefold().split())
