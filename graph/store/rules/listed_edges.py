"""The edges that what an extraction derives implies: what events and statements rest on, state, involve and mention."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from graph.model import EdgeKind, Event, Statement

# How a store refers to a node: by a key, or by a kind and a key.
K = TypeVar("K")


class ListedEdge(NamedTuple, Generic[K]):
    """An edge to the `order`-th of the nodes that its source lists under this kind, from 0. `role` is that of a participant."""

    kind: EdgeKind
    source: K
    target: K
    order: int
    role: str | None = None


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


def _listed(source: K, kind: EdgeKind, targets: Iterable[str], keys: Mapping[str, K]) -> list[ListedEdge[K]]:
    distinct = dict.fromkeys(keys[target] for target in targets)
    return [ListedEdge(kind, source, target, order) for order, target in enumerate(distinct)]
