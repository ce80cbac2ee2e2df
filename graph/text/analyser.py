"""The analyser: text to terms. One analyser feeds every store, so that the same query finds the same memories everywhere.

Words are runs of letters and digits of any script (an apostrophe inside a word is dropped with what follows, "Ana's" -> "ana"), case-folded,
without stop words, reduced by the Snowball stemmer for English. Scripts without spaces (CJK, Thai, …) are cut into overlapping pairs of characters.
"""

import re
import unicodedata
from datetime import date
from functools import lru_cache

import Stemmer

ANALYSER_VERSION = 1

# Function words carry no topic; a small list (retrieval measurements were made with about this one).
STOP_WORDS = frozenset(
    "a an the and or but if of to in on at by for with from as is are was were be been being am do does did have has had i you he she it "
    "we they me him her us them my your his its our their this that these those there here so than then too very just not no will would "
    "can could should shall may might must about into over after before up down out off again what which who whom whose when where why how".split()
)
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_UNSPACED = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uac00-\ud7af]+")
_stemmer = Stemmer.Stemmer("english")
_stemmer.maxCacheSize = 0


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    return str(_stemmer.stemWord(word))


def terms_of(text: str) -> tuple[str, ...]:
    """The terms of a text, in order, repeats kept."""
    terms: list[str] = []
    for match in _WORD.finditer(unicodedata.normalize("NFKC", text).casefold()):
        word = match.group().replace("’", "'").partition("'")[0]
        if word in STOP_WORDS or len(word) > 64:
            continue
        if _UNSPACED.search(word):
            terms.extend(_pairs(word))
        else:
            terms.append(_stem(word))
    return tuple(terms)


def _pairs(word: str) -> list[str]:
    return [word[i : i + 2] for i in range(len(word) - 1)] or [word]


def date_terms(day: date) -> tuple[str, ...]:
    """A date as terms ("8", "may", "2023"), so that dated questions match lexically."""
    return terms_of(f"{day.day} {day:%B} {day.year:04d}")
