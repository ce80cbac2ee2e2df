"""The ledger of a ranking: what every signal adds to every candidate, kept as columns so that any hit can be explained."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from graph.retrieval.ranking.channel_scores import Bools, Ints
from graph.retrieval.ranking.scoring import Float64


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal over n candidates: its measure, that on the common scale, its weight, and the row that lent it (-1: none)."""

    name: str
    raw: Float64
    value: Float64
    weight: float
    source: Ints | None = None


@dataclass(slots=True)
class Ledger:
    """What every signal adds to every one of n candidates."""

    rows: int
    signals: list[Signal] = field(default_factory=list)

    def add(self, name: str, raw: Float64, value: Float64, weight: float, source: Ints | None = None) -> None:
        """Adds a signal; `value` is never below 0."""
        if weight:
            self.signals.append(Signal(name, raw, value, weight, source))

    def total(self) -> Float64:
        """(n,) the scores: what the signals add, in their order."""
        return self._sum(self.signals)

    def found(self) -> Bools:
        """(n,) whether any signal speaks for the candidate."""
        return self._sum([signal for signal in self.signals if signal.weight > 0]) > 0

    def _sum(self, signals: Sequence[Signal]) -> Float64:
        if not signals:
            return np.zeros(self.rows)
        points = np.array([signal.value for signal in signals])
        points *= np.array([signal.weight for signal in signals])[:, None]
        return np.asarray(points.sum(axis=0), dtype=np.float64)
