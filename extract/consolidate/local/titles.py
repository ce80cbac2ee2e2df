"""Titles: what a group is about, in a few of its own words."""

import re
from collections import Counter
from collections.abc import Sequence

from extract.consolidate.port import SourceGroup
from graph.text import terms_of

_WORD = re.compile(r"[^\W\d_][\w'’-]{2,}")
_POSSESSIVE = re.compile("['’]s?$")
_MOST_WORDS = 4
MOST_TITLE = 90
# What frames a statement, and when it was: not what it is about.
_FRAME = frozenset(
    terms_of(
        "said asked assistant user would could also really like get got going want wants make made shared photo know think need needs "
        "January February March April May June July August September October November December Monday Tuesday Wednesday Thursday Friday "
        "Saturday Sunday today tomorrow yesterday week month year day morning evening weekend spring summer autumn winter"
    )
)


def title_of_words(group: SourceGroup, texts: Sequence[str]) -> str:
    """The words that stand in many sources of the group and in few others of the namespace, as they are written most often."""
    spelling: dict[str, Counter[str]] = {}
    sources: Counter[str] = Counter()
    for source, text in zip(group.sources, texts, strict=True):
        seen = set()
        for word in _WORD.findall(f"{source.title} {text}"):
            term = " ".join(terms_of(word))
            if term and term not in _FRAME:
                spelling.setdefault(term, Counter())[_POSSESSIVE.sub("", word)] += 1
                seen.add(term)
        sources.update(seen)
    total = group.background.summaries
    # How much more of its sources than of all summaries have it; what only one of many has is chance.
    weight = {
        term: count / len(group.sources) * (1 - group.background.counts.get(term, 0) / (total + 1))
        for term, count in sources.items()
        if count > 1 or len(group.sources) == 1
    }
    best = sorted(weight, key=lambda term: (-weight[term], -sum(spelling[term].values()), term))[:_MOST_WORDS]
    return cut(", ".join(min(spelling[term], key=lambda word, term=term: (-spelling[term][word], word)) for term in best))  # type: ignore[misc]


def cut(title: str) -> str:
    """A title on one line, of at most MOST_TITLE characters."""
    title = " ".join(title.split())
    return title if len(title) <= MOST_TITLE else f"{title[: MOST_TITLE - 2].rsplit(' ', 1)[0]} …"
