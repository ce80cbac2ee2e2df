"""What a vector must be like, whoever gives it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def vector_fault(numbers: NDArray[Any], dimension: int, *, zero_allowed: bool = False) -> str:
    """What keeps these numbers from being a vector of a namespace with this dimension; "" when nothing does."""
    if numbers.shape != (dimension,):
        return f"has {numbers.size:,} numbers; the namespace's vectors have {dimension:,}"
    if not np.isfinite(numbers).all():
        return "must hold finite numbers only"
    if not zero_allowed and not numbers.any():
        return "must not be all zero"
    return ""


def unit_vector(numbers: NDArray[Any]) -> NDArray[np.float32]:
    """The vector at length 1."""
    # In double precision, so that large components do not overflow to an infinite length.
    length = float(np.linalg.norm(numbers.astype(np.float64)))
    return (numbers / length).astype(np.float32)
