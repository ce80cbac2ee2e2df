"""Which words stay: those that must, then those that score highest, until the rate is reached."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from extract.compress.keeping import must_stay
from extract.compress.words import Word, joined, words_in

# A text of fewer words says nothing without one of them.
_WHOLE_BELOW = 5
# Of the words that may go, this share of the rate stays in any case. An assistant's lists are full of names and numbers that must stay:
# without this 67.1 of 100 words of answers survive in three conversations of assistant-dev at rate .5 and 68.9 % of the tokens are left,
# with it 82.0 and 72.1, with .75 87.8 and 75.2 (`python -m bench compression`). In LoCoMo it changes nothing.
_LEAST_OF_THE_REST = 0.5
RATES = (0.4, 0.8)


@dataclass(frozen=True, slots=True)
class ReadText:
    """A text with its words, and for each whether it must stay."""

    text: str
    words: tuple[Word, ...]
    stays: tuple[bool, ...]


def read_texts(texts: Sequence[str], names: Collection[str]) -> list[ReadText]:
    """The texts, read."""
    known = {part for name in names for part in name.lower().split()}
    return [_read(text, known) for text in texts]


def _read(text: str, names: Collection[str]) -> ReadText:
    words = tuple(words_in(text))
    stays = (True,) * len(words) if len(words) < _WHOLE_BELOW else tuple(must_stay(text, words, names))
    return ReadText(text, words, stays)


def checked_rate(rate: float) -> float:
    """The rate. Raises ValueError for one that is not within `RATES`."""
    if not RATES[0] <= rate <= RATES[1]:
        raise ValueError(f"a rate of compression is from {RATES[0]} to {RATES[1]}")
    return rate


def choose(texts: Sequence[ReadText], scores: Sequence[Sequence[float]], rate: float) -> list[list[bool]]:
    """For each word of each text whether it stays: together they have about `rate` of all characters. Of equal scores the first stays."""
    kept = [list(one.stays) for one in texts]
    for one, stays, scored in zip(texts, kept, scores, strict=True):
        if one.words and not any(stays):
            stays[max(range(len(stays)), key=lambda place: (scored[place], -place))] = True
    places = [(number, place) for number, stays in enumerate(kept) for place in range(len(stays))]
    free = [(number, place) for number, place in places if not kept[number][place]]
    cost = {at: _cost(texts[at[0]].words[at[1]]) for at in places}
    may_go = sum(cost[at] for at in free)
    must = sum(cost.values()) - may_go
    # Where nearly everything must stay, the rest of it is not all left out.
    room = max(rate * (must + may_go) - must, _LEAST_OF_THE_REST * rate * may_go)
    for number, place in sorted(free, key=lambda at: (-scores[at[0]][at[1]], at)):
        if room <= 0:
            break
        kept[number][place] = True
        room -= cost[number, place]
    return kept


def compressed(texts: Sequence[ReadText], kept: Sequence[Sequence[bool]]) -> list[str]:
    """What is left of the texts."""
    return [joined(one.text, one.words, stays) for one, stays in zip(texts, kept, strict=True)]


def _cost(word: Word) -> int:
    # And the blank before it. Characters stand for tokens, which no two models count alike.
    return len(word.written) + 1
