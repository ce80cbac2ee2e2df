"""What a revision did, as a :Change: a reader's derived data follows the namespace by it."""

from collections.abc import Iterable
from enum import StrEnum

import numpy as np


class Operation(StrEnum):
    """What happened to the nodes of a change; the names are those of its properties. Within a revision they are applied in this order."""

    REMOVED = "removed"
    RETIRED = "retired"
    ADDED = "added"
    EMBEDDED = "embedded"  # keys of passages
    DECIDED = "decided"  # of two entities; no search is about them


def packed_keys(keys: Iterable[int]) -> bytes:
    """Keys as a change holds them."""
    return np.fromiter(keys, "<i8").tobytes()
