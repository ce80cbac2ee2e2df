"""The edges that what was derived implies: what events and statements rest on, state, involve and mention; what summaries tell of."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from graph.model import EdgeKind, Event, Statement, Summary

# How a store refers to a node: by a key, or by a kind and a key.
K = TypeVar("K")


class ListedEdge(NamedTuple, Generic[K]):
    """An edge to the `order`-th of the nodes that its source lists under this kind, from 0.

    `role` is that of a participant, `similarity` that of a seed, as texts.
    """

    kind: EdgeKind
    source: K
    target: K
    order: int
    role: str | None = None
    similarity: str | None = None

    @property
    def properties(self) -> dict[str, str]:
        """What the edge carries besides its order."""
        told = {"role": self.role, "similarity": self.similarity}
        return {name: value for name, value in told.items() if value is not None}


def derived_edges(statements: Sequence[Statement], events: Sequence[Event], keys: Mapping[str, K]) -> list[ListedEdge[K]]:
    """All edges of events and statements that were derived together: a statement that names its event is stated by it."""
    stating: defaultdict[str, list[str]] = defaultdict(list)
    for statement in statements:
        if statement.event_id:
            stating[statement.event_id].append(statement.id)
    edges = [edge for event in events for edge in event_edges(keys[event.id], event, keys, stating[event.id])]
    return edges + [edge for statement in statements for edge in statement_edges(keys[statement.id], statement, keys)]


def event_edges(source: K, event: Event, keys: Mapping[str, K], statements: Iterable[str] = ()) -> list[ListedEdge[K]]:
    """EVIDENCED_BY, STATES and INVOLVES of an event. `statements` are those that name it besides those that it lists."""
    parts = dict.fromkeys((keys[part.entity_id], part.role) for part in event.participants)
    return [
        *_listed(source, EdgeKind.EVIDENCED_BY, event.evidence_ids, keys),
        *_listed(source, EdgeKind.STATES, (*event.statement_ids, *statements), keys),
        *(ListedEdge(EdgeKind.INVOLVES, source, entity, order, role) for order, (entity, role) in enumerate(parts)),
    ]


def statement_edges(source: K, statement: Statement, keys: Mapping[str, K]) -> list[ListedEdge[K]]:
    """EVIDENCED_BY and MENTIONS of a statement."""
    evidence = _listed(source, EdgeKind.EVIDENCED_BY, statement.evidence_ids, keys)
    return evidence + _listed(source, EdgeKind.MENTIONS, statement.entity_ids, keys)


def summary_edges(source: K, summary: Summary, keys: Mapping[str, K]) -> list[ListedEdge[K]]:
    """SUMMARIZES and SEEDED_BY of a summary."""
    seeds = enumerate(summary.seeds)
    return [
        *_listed(source, EdgeKind.SUMMARIZES, summary.member_ids, keys),
        *(ListedEdge(EdgeKind.SEEDED_BY, source, keys[one.event_id], order, similarity=f"{one.similarity:.4f}") for order, one in seeds),
    ]


def _listed(source: K, kind: EdgeKind, targets: Iterable[str], keys: Mapping[str, K]) -> list[ListedEdge[K]]:
    distinct = dict.fromkeys(keys[target] for target in targets)
    return [ListedEdge(kind, source, target, order) for order, target in enumerate(distinct)]
