"""Edges as relationships: their type is the EdgeKind's name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graph.model import Edge, EdgeKind, NodeKind
from graph.store.rules.listed_edges import ListedEdge

# What a relationship has besides the edge's own properties. `order` keeps the order of what a node lists; those that are found by
# themselves name their `namespace`.
OWN_PROPERTIES = frozenset({"order", "seq", "via_id", "namespace"})
_SHOWN_ORDER = frozenset({EdgeKind.EVIDENCED_BY, EdgeKind.STATES, EdgeKind.SUMMARIZES})
# Kinds whose relationships carry only what `OWN_PROPERTIES` names.
_BARE = frozenset({EdgeKind.IN_SESSION, EdgeKind.NEXT, EdgeKind.EVIDENCED_BY, EdgeKind.STATES})


class NodeRef(NamedTuple):
    """A stored node: its kind says its label, its key which of them."""

    kind: NodeKind
    key: int


@dataclass(frozen=True, slots=True)
class EdgeRow:
    """A relationship to make. `explicit`: no node implies it, and it may be there already."""

    kind: EdgeKind
    source: NodeRef
    target: NodeRef
    properties: Mapping[str, Any] = field(default_factory=dict)
    explicit: bool = False


def edge_of(kind: EdgeKind, source_id: str, target_id: str, properties: Mapping[str, Any]) -> Edge:
    """The edge of a relationship's properties."""
    return Edge(kind, source_id, target_id, str(properties.get("via_id", "")), _shown(kind, properties))


def _shown(kind: EdgeKind, properties: Mapping[str, Any]) -> dict[str, str]:
    if kind in _SHOWN_ORDER:
        return {"order": str(properties["order"])}
    if kind in _BARE:
        return {}
    return {name: value for name, value in sorted(properties.items()) if name not in OWN_PROPERTIES}


def edge_row(edge: ListedEdge[NodeRef]) -> EdgeRow:
    """An edge that a node's lists imply, as a relationship to make."""
    return EdgeRow(edge.kind, edge.source, edge.target, {"order": edge.order, **edge.properties})


def explicit_edges(edges: Sequence[Edge], refs: Mapping[str, NodeRef]) -> list[EdgeRow]:
    """Edges that no node implies, each once."""
    rows: dict[tuple[object, ...], EdgeRow] = {}
    for edge in edges:
        properties: dict[str, Any] = dict(edge.properties)
        if edge.via_id:
            properties["via_id"] = edge.via_id
        source, target = refs[edge.source_id], refs[edge.target_id]
        rows.setdefault(
            (edge.kind, source, target, edge.via_id, edge.is_decision), EdgeRow(edge.kind, source, target, properties, explicit=True)
        )
    return list(rows.values())
