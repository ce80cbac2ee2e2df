"""What answering a query asks of a namespace; `graph.store.candidates` has the columns."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from graph.model import EdgeKind, Entity, Namespace
from graph.store.candidates import CandidateQuery, Candidates, Subgraph

# Every query looks for each of them.
MAX_SCOPE_SPEAKERS = 1_000


@dataclass(frozen=True, slots=True)
class QueryScope:
    """What understanding a query needs to know of a namespace.

    Attributes:
        speakers: everyone who speaks in it, the most frequent first; at most `MAX_SCOPE_SPEAKERS`.
        entities: those with a name or alias among the names asked for, case-folded.
    """

    namespace: Namespace
    speakers: tuple[str, ...]
    entities: tuple[Entity, ...]


class Searches(Protocol):
    """What answering a query asks of a namespace; `graph.store.candidates` has the columns."""

    async def query_scope(self, names: Sequence[str]) -> QueryScope:
        """The namespace, its speakers, and its entities among these names, in one read."""
        ...

    async def candidates(self, query: CandidateQuery) -> Candidates:
        """Finds and measures candidates at the newest revision. Raises InvalidArgument for a vector of another dimension."""
        ...

    async def neighbourhood(
        self,
        seeds: Sequence[str],
        kinds: Collection[EdgeKind],
        hops: int,
        max_nodes: int,
        max_degree: int,
        before: datetime | None = None,
    ) -> Subgraph:
        """Walks edges of these kinds in both directions, breadth first; of a node with more than `max_degree` edges only that many.

        Retired nodes and those of older generations are not entered.

        Args:
            before: nothing is entered, seeds included, that was said at that moment or later or rests on a message sent then, and no
                entity or session that nothing before names or stands in; no edge is followed that such a statement states. `degree`
                counts all edges nevertheless.
        """
        ...

    async def known_before(self, ids: Sequence[str], moment: datetime) -> frozenset[str]:
        """Those of these nodes that a walk with `before` enters."""
        ...
