"""The analyser: text to terms. One analyser feeds every store, so that the same query finds the same memories everywhere.

Words are runs of letters, digits and their combining marks, of any script (an apostrophe inside a word is dropped with what follows,
"Ana's" -> "ana"), case-folded, without stop words, Latin letters without their accents, reduced by the Snowball stemmer for English.
Ordinals become their number ("8th" -> "8"). Scripts without spaces between words (CJK, Thai, Khmer, …) are cut into overlapping
pairs of characters. "may" is a term where its neighbours show that the month is meant.
"""

import re
import unicodedata
from datetime import date
from functools import lru_cache
from itertools import chain

import Stemmer

from graph.text.slices import SLICE, slices_of

ANALYSER_VERSION = 5

# Function words carry no topic; a small list (retrieval measurements were made with about this one).
STOP_WORDS = frozenset(
    (  # noqa: SIM905 - a list of words is read as text
        "a an the and or but if of to in on at by for with from as is are was were be been being am do does did have has had i "
        "you he she it we they me him her us them my your his its our their this that these those there here so than then too "
        "very just not no will would can could should shall may might must about into over after before up down out off again "
        "what which who whom whose when where why how"
    ).split()
)
MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
# Longer "words" are encoded data, not language; their first characters still tell them apart.
MAX_TERM_LENGTH = 64
# What is read of one word of other letters than ASCII before its accents go: enough for a term, with seven marks on each of its letters.
_WORD_READ = 8 * MAX_TERM_LENGTH
# Normalised at once. Marks out of order are sorted by insertion, in time that grows with the square of their number.
_NORMALISED_AT_ONCE = 512
# Read of what normalisation makes of one slice: it doubles no text that somebody writes, and makes eighteen signs of U+FDFA, four words.
MOST_NORMALISED = 2 * SLICE
# Words up to this length have their terms kept.
_KEPT_LENGTH = 20

# Combining marks are no word characters to `re`; without them Indic and pointed Hebrew or Arabic words would fall apart.
_MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
    "\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09d7\u0a01-\u0a03\u0a3c-\u0a51\u0a70\u0a71\u0a75"
    "\u0a81-\u0a83\u0abc-\u0acd\u0b01-\u0b03\u0b3c-\u0b57\u0b82\u0bbe-\u0bcd\u0bd7\u0c00-\u0c04\u0c3e-\u0c56\u0c81-\u0c83\u0cbc-\u0cd6"
    "\u0d00-\u0d03\u0d3b-\u0d4d\u0d57\u0dca-\u0ddf\u0e31\u0e34-\u0e3a\u0e47-\u0e4e\u0eb1\u0eb4-\u0ebc\u0ec8-\u0ece\u0f71-\u0f84"
    "\u102b-\u103e\u1056-\u1059\u17b4-\u17d3\u200d"
)
_WORD = re.compile(rf"[^\W_](?:[^\W_]|[{_MARKS}])*(?:['’](?:[^\W_]|[{_MARKS}])+)*")
_ASCII_WORD = re.compile(r"[a-z0-9]+(?:'[a-z0-9]+)*")
_UNSPACED = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]+"
)
_ORDINAL = re.compile(r"[0-9]+(?=(?:st|nd|rd|th)\Z)")
_ACCENTS = re.compile("[\u0300-\u036f]+")
# "in May", "until May"; not "this may" or "it may".
_BEFORE_MONTH = frozenset(
    "in of last next since until till by early late mid during from through between before after around every each".split()  # noqa: SIM905 - the same
)
_stemmer = Stemmer.Stemmer("english")
_stemmer.maxCacheSize = 0


def terms_of(text: str) -> tuple[str, ...]:
    """The terms of a text, in order, repeats kept."""
    return terms_of_words(words_of(text))


def terms_of_words(words: list[str]) -> tuple[str, ...]:
    """The terms of the words of a text (`words_of`)."""
    if "may" in words or "may's" in words:
        return _with_month_of_may(words)
    return tuple(chain.from_iterable(map(_terms_of_word, words)))


def words_of(text: str) -> list[str]:
    """The words of a text, case-folded, stop words too: the runs that the terms are made of."""
    if len(text) <= SLICE:
        return _words(text)
    return [word for part in slices_of(text) for word in _words(part)]


def _words(text: str) -> list[str]:
    if text.isascii():
        return _ASCII_WORD.findall(text.lower())
    return _WORD.findall(_normalised(text).casefold().replace("’", "'"))


def _normalised(text: str) -> str:
    """The first MOST_NORMALISED characters of a slice in NFKC."""
    if len(text) <= _NORMALISED_AT_ONCE:
        return unicodedata.normalize("NFKC", text)[:MOST_NORMALISED]
    parts: list[str] = []
    room = MOST_NORMALISED
    for part in slices_of(text, _NORMALISED_AT_ONCE):
        parts.append(unicodedata.normalize("NFKC", part)[:room])
        room -= len(parts[-1])
        if not room:
            break
    return "".join(parts)


def date_terms(day: date) -> tuple[str, ...]:
    """A date as terms ("8", "may", "2023"), so that dated questions match lexically."""
    return _date_terms(day.year, day.month, day.day)


@lru_cache(maxsize=4096)
def _date_terms(year: int, month: int, day: int) -> tuple[str, ...]:
    return str(day), *_terms_of_word(MONTHS[month - 1]), *(("may",) if month == 5 else ()), f"{year:04d}"


def _terms_of_word(word: str) -> tuple[str, ...]:
    # What is longer, or a whole phrase of a script without spaces, is seldom said twice, and its terms would fill the memory.
    return _kept_terms(word) if len(word) <= _KEPT_LENGTH and (word.isascii() or not _UNSPACED.match(word)) else _terms(word)


def _terms(word: str) -> tuple[str, ...]:
    word = word.partition("'")[0]
    if word in STOP_WORDS:
        return ()
    if word.isascii():
        return (_stem(word),)
    terms: list[str] = []
    start = 0
    for run in _UNSPACED.finditer(word):
        terms += [*_spaced(word[start : run.start()]), *_pairs(run.group())]
        start = run.end()
    return tuple(terms + _spaced(word[start:]))


_kept_terms = lru_cache(maxsize=100_000)(_terms)


def _stem(word: str) -> str:
    ordinal = _ORDINAL.match(word)
    return ordinal.group() if ordinal else str(_stemmer.stemWord(word[:MAX_TERM_LENGTH]))


def _spaced(word: str) -> list[str]:
    """The term of a word in a script with spaces. Accents go, as people leave them out; other scripts' marks are letters and stay."""
    if not word:
        return []
    bare = unicodedata.normalize("NFC", _ACCENTS.sub("", unicodedata.normalize("NFD", word[:_WORD_READ])))
    return [_stem(bare)] if bare and bare not in STOP_WORDS else []


def _pairs(run: str) -> list[str]:
    return [run[i : i + 2] for i in range(len(run) - 1)] or [run]


def _with_month_of_may(words: list[str]) -> tuple[str, ...]:
    """The terms of words among which "may" occurs: the stop word, or the month beside a number, a preposition or another month."""
    terms: list[str] = []
    for place, word in enumerate(words):
        if word.partition("'")[0] == "may":
            before = words[place - 1] if place else ""
            after = words[place + 1] if place + 1 < len(words) else ""
            nearby = words[max(0, place - 2) : place] + words[place + 1 : place + 3]
            if (
                before in _BEFORE_MONTH
                or before[:1].isdigit()
                or after[:1].isdigit()
                or any(other in MONTHS and other != "may" for other in nearby)
            ):
                terms.append("may")
        else:
            terms += _terms_of_word(word)
    return tuple(terms)
