"""Checks of vectors that a caller gives."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.model import Namespace
from graph.vectors import unit_vector, vector_fault
from service.validate.violations import Violations


def numbers(found: Violations, field: str, values: Any) -> None:
    """Numbers of a vector, as far as they can be judged without the namespace. How many there must be is its to say."""
    given = np.fromiter(values, dtype=np.float32, count=len(values))
    if given.size and (fault := vector_fault(given, given.size)):
        found.add(field, fault)


def vector(found: Violations, field: str, values: Any, namespace: Namespace, served_fingerprint: str) -> NDArray[np.float32] | None:
    """The vector at length 1, float32 of the namespace's dimension; None after a violation.

    Args:
        values: the numbers, as the contract carries them.
        served_fingerprint: of the service's own embedder; a namespace with its vectors takes none from callers.
    """
    spec = namespace.embedding
    if spec.dimension == 0:
        found.add(field, "the namespace has no vectors")
        return None
    if spec.fingerprint and spec.fingerprint == served_fingerprint:
        found.add(field, "the service makes this namespace's vectors itself")
        return None
    numbers = np.fromiter(values, dtype=np.float32, count=len(values))
    if fault := vector_fault(numbers, spec.dimension):
        found.add(field, fault)
        return None
    return unit_vector(numbers)
