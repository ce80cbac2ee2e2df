"""Which words no compression leaves out: names, numbers, dates, negations and what these are about; the last word of a question.

Names are told by their capital letter. Where a script has no capitals, nothing tells a name, and where it has no spaces, no words can be
left out: both stay whole.
"""

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from enum import Enum, auto
from functools import cache, lru_cache
from importlib.resources import files

from extract.compress.words import Word
from extract.tokens import vocabulary
from graph.text import STOP_WORDS
from graph.text.times import find_times

# "don't", and as people type it.
_NOT = re.compile(r"(?:\w+n't|(?:do|does|did|is|are|was|were|ca|could|wo|would|should|have|has|had|must|need|ai)nt)\Z")
# Slavic languages negate by a prefix, Turkish inside of the verb, so that such a word holds what it negates. Others look like them: they
# stay, too, which costs little, unless English has them.
_NEGATED_WITHIN = re.compile(r"(?:ne|nie|не|ни|ні)\w|\w+m(?:[ae](?:z|d[iıuü]|y[ae]|m[iı]ş)|[ıiuü]yor)")
_PLAIN = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*\Z")
_PARTS = re.compile(r"['-]")
# How many words after a negation may hold what is negated.
_REACH = 3
# Any will do: which words name a time depends on neither.
_ZONE = UTC
_SAID_AT = datetime(2024, 6, 12, 12, tzinfo=UTC)


@cache
def kept_words(kind: str) -> frozenset[str]:
    """The words of a list of `kept_words.toml`."""
    return frozenset(tomllib.loads(_file())[kind].split())


@cache
def _file() -> str:
    return files("extract.compress").joinpath("kept_words.toml").read_text("utf-8")


@cache
def keeping_version() -> str:
    """What tells one version of these rules and of the words that they ask for from another. Any change of the code raises the number."""
    pieces = vocabulary()
    return "\n".join(("2", _file(), *sorted(STOP_WORDS), *sorted(pieces, key=pieces.__getitem__)))


@cache
def _english() -> frozenset[str]:
    """The frequent words of English: those of the vocabulary of the packaged embedding model."""
    return frozenset(vocabulary())


def must_stay(text: str, words: Sequence[Word], names: Collection[str] = ()) -> list[bool]:
    """For each word of the text whether it stays. `names` in lower case."""
    says = [_says(word.core) for word in words]
    stays = [one is not _Says.NOTHING or word.asks or _is_name(word, names) for one, word in zip(says, words, strict=True)]
    for place, one in enumerate(says):
        if one is _Says.NO:
            _keep_what_is_negated(words, stays, place)
        elif one is _Says.HOW_MANY and place + 1 < len(words) and not words[place + 1].opens:
            stays[place + 1] = True
    _keep_times(text, words, stays)
    return stays


class _Says(Enum):
    """What a word says by itself that must not be lost."""

    NOTHING = auto()
    NO = auto()
    HOW_MANY = auto()
    SOMETHING = auto()


@lru_cache(maxsize=16_384)
def _says(core: str) -> _Says:
    if {core, *core.split("'")} & kept_words("negations") or _NOT.match(core):
        return _Says.NO
    parts = {core, *_PARTS.split(core)}
    if parts & kept_words("numbers") or any(sign.isnumeric() for sign in core):
        return _Says.HOW_MANY
    # Signs, addresses and code; words of a script without capitals, where nothing tells a name.
    if not _PLAIN.match(core) or any(letter.isalpha() and letter.lower() == letter.title() for letter in core):
        return _Says.SOMETHING
    if parts & (kept_words("answers") | kept_words("dates") | kept_words("negations")):
        return _Says.SOMETHING
    return _Says.SOMETHING if _NEGATED_WITHIN.match(core) and core not in _english() else _Says.NOTHING


def _is_name(word: Word, names: Collection[str]) -> bool:
    if not word.written.islower() and not (word.opens and word.core in kept_words("openers")):
        return True
    return word.core in names or word.core.removesuffix("'s") in names


def _keep_what_is_negated(words: Sequence[Word], stays: list[bool], place: int) -> None:
    """Keeps the words after a negation up to the first that says something, as in "not the best"."""
    for after in range(place + 1, min(place + 1 + _REACH, len(words))):
        if words[after].opens:
            return
        stays[after] = True
        if words[after].core not in STOP_WORDS:
            return


def _keep_times(text: str, words: Sequence[Word], stays: list[bool]) -> None:
    """Expressions that the service resolves stay whole: what a model says of them is looked up in the message."""
    found = 0
    begins = [word.begin for word in words]
    for span in find_times(text, _SAID_AT, _ZONE):
        begin = text.find(span.expression, found) if span.expression else -1
        if begin < 0:
            continue
        found = begin  # one expression may stand for several spans
        first, last = bisect_right(begins, begin) - 1, bisect_left(begins, begin + len(span.expression))
        stays[first:last] = [True] * (last - first)
