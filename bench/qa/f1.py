"""F1 of an answer's words as LoCoMo's authors count it (snap-research/locomo, `task_eval/evaluation.py`).

Words are lower-cased, without punctuation, "a", "an", "the" and "and", and reduced by Porter's stemmer. The expected answer of an
open-domain question ends at the first ";". That of a multi-hop question is a list at commas: each part counts by the part of the answer
that fits it best. The authors use NLTK's stemmer, which extends Porter's; both sides are reduced alike, so that hardly an answer comes
out differently (docs/decisions.md#porter).
"""

import re
import string
from collections import Counter

import Stemmer

_ARTICLES = re.compile(r"\b(?:a|an|the|and)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_stemmer = Stemmer.Stemmer("porter")


def f1(category: str, given: str, expected: str) -> float:
    """From 0 to 1."""
    if category == "multi-hop":
        parts = [_words(part) for part in given.split(",")]
        wanted = [_words(part) for part in expected.split(",")]
        return sum(max(_overlap(part, one) for part in parts) for one in wanted) / len(wanted)
    if category == "open-domain":
        expected = expected.split(";")[0]
    return _overlap(_words(given), _words(expected))


def _overlap(given: list[str], expected: list[str]) -> float:
    same = sum((Counter(given) & Counter(expected)).values())
    return 2 * same / (len(given) + len(expected)) if same else 0.0


def _words(text: str) -> list[str]:
    plain = _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION))
    return [str(_stemmer.stemWord(word)) for word in plain.split()]
