"""A node with its edges."""

from typing import Any

import apsw
import orjson

from graph.errors import NotFound
from graph.model import Edge, EdgeKind
from graph.store.embedded.rows.node_keys import ids_of, keys_of
from graph.store.embedded.rows.node_rows import read_nodes
from graph.store.port import NodeEdges

_ORDERED = (EdgeKind.EVIDENCED_BY, EdgeKind.STATES, EdgeKind.SUMMARIZES)
# Of a current node no edge to a retired one shows: answers never mix generations. A retired node shows all that it had.
_VISIBLE = "(?2 OR n.retired_at IS NULL)"
_OUT = f"""SELECT e.src, e.kind, e.ordinal, e.dst, e.via, e.properties FROM edges e JOIN nodes n ON n.key = e.dst
    WHERE e.src = ?1 AND {_VISIBLE} ORDER BY e.kind, e.ordinal, e.dst LIMIT ?3"""
_IN = f"""SELECT e.src, e.kind, e.ordinal, e.dst, e.via, e.properties FROM edges e JOIN nodes n ON n.key = e.src
    WHERE e.dst = ?1 AND {_VISIBLE} ORDER BY e.kind, e.src LIMIT ?3"""


def get_node_edges(db: apsw.Connection, node_id: str, limit: int) -> NodeEdges:
    """See `Memory.get_node_edges`."""
    key = keys_of(db, [node_id]).get(node_id)
    if key is None:
        raise NotFound("there is no node with this id in the namespace", metadata={"node_id": node_id})
    retired = db.execute("SELECT retired_at IS NOT NULL FROM nodes WHERE key = ?", (key,)).get
    out = db.execute(_OUT, (key, retired, limit + 1)).fetchall()
    into = db.execute(_IN, (key, retired, limit + 1)).fetchall()
    rows = out[:limit] + into[:limit]
    return NodeEdges(read_nodes(db, [key])[key], tuple(edges_of(db, rows)), len(out) > limit or len(into) > limit)


def edges_of(db: apsw.Connection, rows: list[tuple[Any, ...]]) -> list[Edge]:
    """The edges that rows (src, kind, ordinal, dst, via, properties) hold."""
    ids = ids_of(db, list({key for row in rows for key in (row[0], row[3], row[4]) if key}))
    return [
        Edge(EdgeKind(kind), ids[source], ids[target], ids.get(via, ""), edge_properties(kind, ordinal, properties))
        for source, kind, ordinal, target, via, properties in rows
    ]


def edge_properties(kind: int, ordinal: int, properties: str | None) -> dict[str, str]:
    """What an edge carries; where order matters, its position."""
    if kind in _ORDERED:
        return {"order": str(ordinal)}
    return dict(orjson.loads(properties)) if properties else {}
