"""How decisions about pairs are counted."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.reconcile.pairs import OUTCOMES, Decide, Outcome, Pair


@dataclass(frozen=True, slots=True)
class Decided:
    """A pair, and what was decided about it."""

    pair: Pair
    outcome: Outcome

    @property
    def right(self) -> bool:
        """Whether that is what should have been decided."""
        return self.outcome == self.pair.expected


@dataclass(frozen=True, slots=True)
class Score:
    """Of one outcome: how often it was expected and decided, and how often both."""

    expected: int
    decided: int
    right: int

    @property
    def precision(self) -> float | None:
        """Of the decisions, the share that is right, from 0 to 1; None where there are none."""
        return self.right / self.decided if self.decided else None

    @property
    def recall(self) -> float | None:
        """Of what was expected, the share that was decided, from 0 to 1; None where nothing was."""
        return self.right / self.expected if self.expected else None


def decide_all(pairs: Iterable[Pair], decide: Decide) -> list[Decided]:
    """Every pair with the decision about it."""
    return [Decided(pair, decide(pair.earlier, pair.later)) for pair in pairs]


def score(decided: Iterable[Decided], outcome: Outcome) -> Score:
    """The counts of one outcome."""
    all_ = list(decided)
    return Score(
        expected=sum(one.pair.expected == outcome for one in all_),
        decided=sum(one.outcome == outcome for one in all_),
        right=sum(one.outcome == outcome and one.right for one in all_),
    )


def confusion(decided: Iterable[Decided]) -> Mapping[str, Mapping[str, Mapping[str, int]]]:
    """By kind of pair and by what was expected: how often each outcome was decided."""
    counts = Counter((one.pair.kind, one.pair.expected, one.outcome) for one in decided)
    table: dict[str, dict[str, dict[str, int]]] = {}
    for kind, expected in sorted({(kind, expected) for kind, expected, _ in counts}):
        table.setdefault(kind, {})[expected] = {outcome: counts[kind, expected, outcome] for outcome in OUTCOMES}
    return table
