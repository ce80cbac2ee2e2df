"""A namespace as a `networkx.MultiDiGraph`, and as GraphML."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import fields
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

import networkx as nx

from graph.model import Edge, Node, NodeKind, TimeSpan, kind_of_node
from graph.store.exported_edges import ExportedEdges
from graph.store.port import ExportRecord, Store

# What a node's edges say is not said again in its attributes.
_KEPT_AS_EDGES = frozenset({"id", "kind", "evidence_ids", "statement_ids", "entity_ids", "participants"})


async def _records(store: Store, namespace: str) -> AsyncIterator[ExportRecord]:
    async for batch in store.namespace(namespace).export(with_vectors=False):
        for record in batch:
            yield record


async def to_networkx(store: Store, namespace: str) -> "nx.MultiDiGraph[str]":
    """The current graph of a namespace, of one revision.

    Nodes are keyed by their id; `kind` is the name of their NodeKind in lower case ("message"), the other attributes are the fields of
    `graph.model`'s nodes, times as aware datetimes, a time span as `time_start`, `time_end`, `time_granularity` and `time_expression`.
    Edges are keyed by the name of their EdgeKind in lower case ("evidenced_by"), with what tells parallel ones apart behind a colon: the
    relation behind RELATES ("relates:rel_…"), the role of INVOLVES ("involves:place"). They carry `kind`, `via_id` and their
    properties. The graph's own attributes hold `namespace`.

    Raises:
        NotFound: there is no such namespace.
    """
    graph: nx.MultiDiGraph[str] = nx.MultiDiGraph(namespace=namespace)
    edges = ExportedEdges()
    async for record in _records(store, namespace):
        if isinstance(record, Node):
            graph.add_node(record.id, **_attributes(record))
        for edge in edges.of(record):
            _add_edge(graph, edge)
    return graph


def _add_edge(graph: "nx.MultiDiGraph[str]", edge: Edge) -> None:
    kind = edge.kind.name.lower()
    apart = edge.via_id or edge.properties.get("role", "") or ("decision" if edge.is_decision else "")
    key = f"{kind}:{apart}" if apart else kind
    graph.add_edge(edge.source_id, edge.target_id, key=key, kind=kind, via_id=edge.via_id, **edge.properties)


def _attributes(node: Node) -> dict[str, Any]:
    attributes: dict[str, Any] = {"kind": kind_of_node(node).name.lower()}
    for field in fields(node):
        value = getattr(node, field.name)
        if isinstance(value, TimeSpan):
            attributes |= {f"{field.name}_{part.name}": _plain(getattr(value, part.name)) for part in fields(value)}
        elif field.name == "kind" and kind_of_node(node) is NodeKind.ENTITY:
            attributes["entity_kind"] = _plain(value)
        elif field.name not in _KEPT_AS_EDGES and value is not None:
            attributes[field.name] = _plain(value)
    return attributes


def _plain(value: Any) -> Any:
    return value.name.lower() if isinstance(value, Enum) else value


async def write_graphml(store: Store, namespace: str, path: Path) -> int:
    """Writes the current graph of a namespace as GraphML and returns how many nodes it holds.

    GraphML knows only numbers, booleans and strings: times become ISO 8601, labels become one attribute each ("label.KEY"), aliases are
    joined by "; ", and characters that XML cannot hold are replaced by U+FFFD.

    Raises:
        NotFound: there is no such namespace.
    """
    graph = await to_networkx(store, namespace)
    for _, attributes in graph.nodes(data=True):
        _make_flat(attributes)
    for *_, attributes in graph.edges(data=True):
        _make_flat(attributes)
    nx.write_graphml(graph, path)
    return graph.number_of_nodes()


def _make_flat(attributes: dict[str, Any]) -> None:
    for name, value in list(attributes.items()):
        if isinstance(value, datetime):
            attributes[name] = value.isoformat()
        elif isinstance(value, Mapping):
            del attributes[name]
            attributes |= {f"{name.removesuffix('s')}.{key}": _xml_text(text) for key, text in value.items()}
        elif isinstance(value, tuple):
            attributes[name] = "; ".join(_xml_text(text) for text in value)
        elif isinstance(value, str):
            attributes[name] = _xml_text(value)


def _xml_text(text: str) -> str:
    """The text without what XML 1.0 cannot hold (control characters other than tab and line ends, U+FFFE, U+FFFF)."""
    return "".join(c if c in "\t\n\r" or (" " <= c < "\ufffe" and not "\ud800" <= c <= "\udfff") or c > "\uffff" else "�" for c in text)
