"""What a revision did, as a :Change: a reader's derived data follows the namespace by it."""

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from graph.store.neo4j.driver.transaction import Transaction

# An index reads the log from its own revision on; one that lags further behind is built anew.
_KEPT_REVISIONS = 100_000
_FORGET_EVERY = 1_000


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


_FORGET = "MATCH (c:Change) WHERE c.namespace = $namespace AND c.revision <= $at.upto DELETE c"


def forgets_at(revision: int) -> int:
    """Up to which revision the log is forgotten once this one is there; 0 for nothing."""
    return max(revision - _KEPT_REVISIONS, 0) if revision % _FORGET_EVERY == 0 else 0


async def forget_changes(tx: "Transaction", upto: int) -> None:
    """Drops what the log says of the revisions up to this one. A reader that needs them sees the gap."""
    await tx.execute(_FORGET, {"upto": upto})
