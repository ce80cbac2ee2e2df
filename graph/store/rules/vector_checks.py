"""What a vector must be like before a store takes it."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.errors import InvalidArgument
from graph.store.commands import Float16Vector


def checked_vector(vector: NDArray[Any], dimension: int, field: str) -> Float16Vector:
    """The vector as float16.

    Raises:
        InvalidArgument: another dimension, or a number that is not finite.
    """
    if vector.shape != (dimension,):
        raise InvalidArgument.of(field, f"has {vector.size} numbers, the namespace's vectors have {dimension}")
    return checked_vectors(vector, field)


def checked_vectors(vectors: NDArray[Any], field: str) -> Float16Vector:
    """One vector or a matrix of them as float16.

    Raises:
        InvalidArgument: a number is not finite.
    """
    narrow = np.asarray(vectors, dtype=np.float16)
    if not np.isfinite(narrow).all():
        raise InvalidArgument.of(field, "has numbers that are not finite")
    return narrow
