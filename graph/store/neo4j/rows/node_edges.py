"""A node with its edges."""

from collections.abc import Sequence
from typing import Any

from graph.errors import NotFound
from graph.model import Edge, EdgeKind, kind_of
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.rows.edge_rows import edge_of
from graph.store.neo4j.rows.node_reading import node_map, node_of
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.port import NodeEdges

KIND_NUMBERS = {kind.name: int(kind) for kind in EdgeKind}
EDGE_TYPES = "|".join(KIND_NUMBERS)
# Of a relationship: its position among what its source lists; a decided link comes after proposed ones.
EDGE_ORDER = "coalesce(r.order, CASE WHEN r.decided_at IS NULL THEN 0 ELSE 1 END)"
# Of a current node no edge to a retired one shows: answers never mix generations. A retired node shows all that it had.
_VISIBLE = "(m.retired_at IS NOT NULL OR x.retired_at IS NULL)"
_OUT = f"""MATCH (m)-[r:{EDGE_TYPES}]->(x) WHERE {_VISIBLE} WITH r, x, $kinds[type(r)] AS kind, {EDGE_ORDER} AS position
    ORDER BY kind, position, x.key LIMIT $limit RETURN collect([type(r), x.id, properties(r)]) AS out"""
_IN = f"""MATCH (m)<-[r:{EDGE_TYPES}]-(x) WHERE {_VISIBLE} WITH r, x, $kinds[type(r)] AS kind
    ORDER BY kind, x.key LIMIT $limit RETURN collect([type(r), x.id, properties(r)]) AS into"""


async def get_node_edges(handle: Handle, node_id: str, limit: int) -> NodeEdges:
    """See `Memory.get_node_edges`."""
    try:
        kind = kind_of(node_id)
    except ValueError:
        kind = None
    row: Any = None
    if kind is not None:
        (row,) = await handle.row(
            f"""OPTIONAL MATCH (m:{NODE_LABELS[kind]} {{namespace: n.name, id: $id}})
                CALL (m) {{ {_OUT} }} CALL (m) {{ {_IN} }} RETURN CASE WHEN m IS NULL THEN null ELSE [{node_map(kind)}, out, into] END""",
            {"id": node_id, "limit": limit + 1, "kinds": KIND_NUMBERS},
        )
    else:
        await handle.row("RETURN 0")
    if kind is None or row is None:
        raise NotFound("there is no node with this id in the namespace", metadata={"node_id": node_id})
    node, out, into = row
    edges = [*_edges(node_id, out[:limit], outgoing=True), *_edges(node_id, into[:limit], outgoing=False)]
    return NodeEdges(node_of(kind, node), tuple(edges), len(out) > limit or len(into) > limit)


def _edges(node_id: str, rows: Sequence[Any], *, outgoing: bool) -> list[Edge]:
    edges: list[Edge] = []
    for name, other, properties in rows:
        source, target = (node_id, other) if outgoing else (other, node_id)
        edges.append(edge_of(EdgeKind[name], source, target, properties))
    return edges
