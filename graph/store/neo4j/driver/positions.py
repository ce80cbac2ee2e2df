"""How far a reader of a namespace must have come: Neo4j's bookmarks of the newest writes that it has to see.

In a cluster a read may reach a server that lags behind; one that brings a bookmark waits there until that write has arrived. They are kept
by namespace, so that no read waits for another namespace's writes, and once more for the database: a listing of namespaces, or a search for
work, has to see all that this process wrote.
"""

from collections import OrderedDict
from collections.abc import Collection

from neo4j import Bookmarks

# Namespaces whose position is kept; of those used least recently it is forgotten, and a consistency token brings it again.
_KEPT = 10_000
# The key of what reads beyond one namespace have to see. Every write begins with it, which costs nothing, as writes go to the one server
# that has them all; so it stays as short as there are writes at once.
EVERYWHERE = ""


class Positions:
    """The bookmarks of this process, by namespace."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, frozenset[str]] = OrderedDict()

    def of(self, namespace: str) -> frozenset[str]:
        """What reads of a namespace have to wait for."""
        known = self._known.get(namespace, frozenset())
        if known:
            self._known.move_to_end(namespace)
        return known

    def passed(self, namespace: str, began_with: Collection[str], reached: Collection[str]) -> None:
        """Work that began at one position has come to another. What others came to meanwhile is kept beside it."""
        self._known[namespace] = self.of(namespace) - frozenset(began_with) | frozenset(reached)
        self._known.move_to_end(namespace)
        while len(self._known) > _KEPT:
            self._known.popitem(last=False)


def bookmarks(position: Collection[str]) -> Bookmarks | None:
    """The driver's form of a position."""
    return Bookmarks.from_raw_values(position) if position else None
