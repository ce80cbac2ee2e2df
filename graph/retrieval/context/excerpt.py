"""What of a long message is told where it has no room whole: from where on, so that what the query asks for is inside."""

from collections import Counter
from collections.abc import Callable, Sequence
from math import log

from graph.text import terms_of
from graph.text.passages import sentences_of

# A sentence that is too long for the room is told from one of its stretches of so many words on.
_STRETCH = 12


def beginning(passages: Sequence[str], best: int, terms: frozenset[str], fits: Callable[[str], bool]) -> str:
    """The words of a long text to tell, from the passage `best` on: the reader cuts what does not fit at their end.

    They begin with the passage, where there is room up to the sentence that holds most of the query's terms and the one after it; else
    with that sentence, or within it where it is too long. A term counts the more, the fewer sentences of the passage have it, as in
    tf-idf; the first of equals is taken.

    Args:
        passages: all of the text, as `passage_texts` gives it.
        terms: the query's.
        fits: whether the line of these words, and an ellipsis after them, fits.
    """
    sentences = list(sentences_of(passages[best]))
    match = _best(sentences, terms)
    if fits(" ".join(sentences[: match + 2])):
        return " ".join(passages[best:])
    begin = sentences[match] if fits(sentences[match]) else _from_stretch(sentences[match], terms)
    return " ".join((begin, *sentences[match + 1 :], *passages[best + 1 :]))


def _from_stretch(sentence: str, terms: frozenset[str]) -> str:
    words = sentence.split()
    stretches = [" ".join(words[start : start + _STRETCH]) for start in range(0, len(words), _STRETCH)]
    return " ".join(stretches[_best(stretches, terms) :])


def _best(pieces: Sequence[str], terms: frozenset[str]) -> int:
    """Which piece holds most of the terms, each by its rarity; 0 where none holds any."""
    held = [terms.intersection(terms_of(piece)) for piece in pieces]
    frequency = Counter(term for of_one in held for term in of_one)
    weights = [sum(log(1 + len(pieces) / frequency[term]) for term in sorted(of_one)) for of_one in held]
    return max(range(len(pieces)), key=lambda place: (weights[place], -place), default=0)
