"""Means over questions with their 95 % intervals, by the bootstrap: questions are drawn again, always in the same way."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bench.counting import Judgement

_DRAWS = 1_000


def mean_of(judged: Sequence[Judgement], measure: str, places: Sequence[int]) -> tuple[float, float]:
    """The mean of these questions in percent, and half of its interval."""
    values = _values(judged, measure, places)
    low, high = _interval(values)
    return round(float(values.mean()), 2), round((high - low) / 2, 2)


def difference(judged: Sequence[Judgement], than: Sequence[Judgement], measure: str, places: Sequence[int]) -> tuple[float, float, float]:
    """By how much these questions are judged better than by another recipe, question by question, and the interval of that."""
    values = _values(judged, measure, places) - _values(than, measure, places)
    low, high = _interval(values)
    return round(float(values.mean()), 2), round(low, 2), round(high, 2)


def _values(judged: Sequence[Judgement], measure: str, places: Sequence[int]) -> NDArray[np.float64]:
    return np.array([100 * judged[place].measures[measure] for place in places])


def _interval(values: NDArray[np.float64]) -> tuple[float, float]:
    means = values[_draws(len(values))].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)


@lru_cache(maxsize=64)
def _draws(count: int) -> NDArray[np.intp]:
    return np.random.default_rng(1).integers(0, count, (_DRAWS, count))
