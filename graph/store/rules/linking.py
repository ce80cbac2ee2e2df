"""Links between entities: what extractors propose, and what somebody decided, which outlives every extraction.

What was proposed of a pair that was decided to be different is kept as DIFFERENT_FROM, which no walk follows, so that the decision can be
taken back.
"""

from collections.abc import Collection, Container, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

from graph.errors import InvalidArgument, NotFound
from graph.model import Edge, EdgeKind, LinkVerdict, NodeKind, from_micros, kind_of
from graph.store.port import LinkDecision

K = TypeVar("K")

# What a decision of this kind of edge says.
VERDICTS = {EdgeKind.SAME_AS: LinkVerdict.SAME, EdgeKind.DIFFERENT_FROM: LinkVerdict.DIFFERENT}


def kind_after(verdict: LinkVerdict) -> EdgeKind:
    """The kind that all links between two entities have once this was decided of them."""
    return EdgeKind.DIFFERENT_FROM if verdict is LinkVerdict.DIFFERENT else EdgeKind.SAME_AS


def decision_properties(decision: LinkDecision, now: int) -> dict[str, str] | None:
    """What the edge of a decision carries, `now` in microseconds since 1970; None when the decision is that nothing is decided."""
    if decision.verdict is LinkVerdict.UNDECIDED:
        return None
    properties = {"decided_at": from_micros(now).isoformat(), "decided_by": decision.decided_by}
    return properties if decision.verdict is LinkVerdict.DIFFERENT else properties | {"confidence": "1.0", "reason": "decision"}


def check_entities(decision: LinkDecision) -> None:
    """Refuses a decision that is not of two entities. Raises InvalidArgument."""
    for field, id_ in (("entity_id", decision.entity_id), ("other_id", decision.other_id)):
        if not _is_entity(id_):
            raise InvalidArgument.of(field, "must be the id of entity")
    if decision.entity_id == decision.other_id:
        raise InvalidArgument.of("other_id", "is the entity itself")


def require_entities(decision: LinkDecision, found: Collection[str]) -> None:
    """Refuses a decision of entities that are not among those that were found. Raises NotFound."""
    for id_ in (decision.entity_id, decision.other_id):
        if id_ not in found:
            raise NotFound("there is no entity with this id in the namespace", metadata={"node_id": id_})


def _is_entity(id_: str) -> bool:
    try:
        return kind_of(id_) is NodeKind.ENTITY
    except ValueError:
        return False


def proposed_pairs(edges: Sequence[Edge], keys: Mapping[str, K]) -> list[tuple[K, K]]:
    """The pairs of nodes that are proposed to be the same."""
    return [(keys[edge.source_id], keys[edge.target_id]) for edge in edges if edge.kind is EdgeKind.SAME_AS]


def heeding_decisions(edges: Sequence[Edge], keys: Mapping[str, K], rejected: Container[tuple[K, K]]) -> list[Edge]:
    """The edges as they may be stored. `rejected`: those of the proposed pairs that were decided to be different."""
    return [
        replace(edge, kind=EdgeKind.DIFFERENT_FROM)
        if edge.kind is EdgeKind.SAME_AS and (keys[edge.source_id], keys[edge.target_id]) in rejected
        else edge
        for edge in edges
    ]
