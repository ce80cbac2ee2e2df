"""Percentiles of durations."""

from collections.abc import Sequence

import numpy as np


def percentiles(seconds: Sequence[float], ranks: Sequence[int] = (50, 95, 99)) -> dict[str, float | None]:
    """Percentiles in milliseconds, interpolated linearly, as {"p50": …}; None where nothing was measured."""
    if not seconds:
        return {f"p{rank}": None for rank in ranks}
    values = np.percentile(np.asarray(seconds, dtype=np.float64) * 1000, list(ranks))
    return {f"p{rank}": round(float(value), 2) for rank, value in zip(ranks, values, strict=True)}
