"""Walking the graph: breadth first, one round trip a hop, bounded in hops, nodes and degree.

Nodes go by Neo4j's own numbers from hop to hop, which are looked up without an index. A number that was freed and taken by a node of
another namespace between two hops is caught by the namespace beside it.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from graph.model import CHANGE_KINDS, SUMMARY_KINDS, EdgeKind, NodeKind, to_micros
from graph.store.candidates import Subgraph
from graph.store.neo4j.as_of import said_before
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.rows.node_edges import EDGE_ORDER, KIND_NUMBERS
from graph.store.neo4j.rows.node_reading import ids_by_kind
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.rules.walk import Walk

_SEEDS = """CALL (n) {{ UNWIND $at.{name} AS id MATCH (m:{label} {{namespace: n.name, id: id}}) WHERE m.retired_at IS NULL AND {known}
    RETURN collect(m) AS {name} }}"""
# Of each node: its own number and id, and its edges as (kind, place, key, number, id) of the other end.
_EDGES = """CALL (m) {{ MATCH (m){left}[r:{types}]{right}(x) WHERE x.retired_at IS NULL AND {known} WITH r, x LIMIT $limit
    RETURN collect([$kinds[type(r)], {order}, x.key, id(x), x.id]) AS {name} }}"""
_INSIDE = """CALL (n) {{ UNWIND $at.nodes AS number MATCH (m) WHERE id(m) = number AND m.namespace = n.name
    RETURN collect([number, COUNT {{ (m)--() }}{uncounted}]) AS degrees }}
    CALL (n) {{ UNWIND $at.nodes AS number MATCH (m) WHERE id(m) = number AND m.namespace = n.name
    MATCH (m)-[r:{types}]->(x) WHERE id(x) IN $at.nodes AND {known} RETURN collect([number, $kinds[type(r)], {order}, id(x)]) AS edges }}
    RETURN degrees, edges"""
# What the weight of a node does not depend on: bookkeeping, and summaries, which come and go while what they tell of stays as it is.
_UNCOUNTED = "".join(
    f" - COUNT {{ (m)-[:{type_}]-() }}"
    for type_ in ("HAS_PASSAGE", "NAMES_TIME", *sorted(kind.name for kind in SUMMARY_KINDS | CHANGE_KINDS))
)

_STATING = tuple(NODE_LABELS[kind] for kind in (NodeKind.RELATION, NodeKind.FACT, NodeKind.EVENT, NodeKind.MESSAGE))


class _Known:
    """Conditions that something was known before the moment `$before`; with None, that are always true."""

    def __init__(self, before: datetime | None) -> None:
        self.values = {} if before is None else {"before": to_micros(before)}

    def node(self, node: str) -> str:
        """That a node was: an entity by what names it, a session by what was said in it."""
        if not self.values:
            return "true"
        said = f"o.retired_at IS NULL AND {said_before('o', '$before')}"
        return f"""CASE WHEN {node}:Entity OR {node}:Session
            THEN EXISTS {{ MATCH ({node})<-[:MENTIONS|INVOLVES|IN_SESSION]-(o) WHERE {said} }}
            ELSE {said_before(node, "$before")} END"""

    def edge(self, edge: str, end: str) -> str:
        """That the node was which states the edge to or from this end, if one does."""
        if not self.values:
            return "true"
        stating = f"{{namespace: {end}.namespace, id: {edge}.via_id}}"
        stated = [f"EXISTS {{ MATCH (s:{label} {stating}) WHERE {said_before('s', '$before')} }}" for label in _STATING]
        return f"({edge}.via_id IS NULL OR {' OR '.join(stated)})"


async def neighbourhood(
    handle: Handle,
    seeds: Sequence[str],
    kinds: Collection[EdgeKind],
    hops: int,
    max_nodes: int,
    max_degree: int,
    before: datetime | None = None,
) -> Subgraph:
    """See `Memory.neighbourhood`."""
    types = "|".join(sorted(EdgeKind(kind).name for kind in kinds))
    known = _Known(before)
    values = {"limit": max_degree + 1, "kinds": KIND_NUMBERS, **known.values}
    wanted = ids_by_kind(seeds)
    query = _seeds_query(wanted, types if hops > 0 else "", known)
    (found,) = await handle.row(query, values | {"at": {kind.name: ids for kind, ids in wanted.items()}})
    found_by_id = {row[1]: row for row in found}
    rows = [found_by_id[id_] for id_ in dict.fromkeys(seeds) if id_ in found_by_id]
    walk = Walk([row[0] for row in rows], max_nodes, max_degree)
    if not walk.nodes:
        return walk.subgraph((), (), ())
    ids = {row[0]: row[1] for row in rows}
    for hop in range(1, hops + 1 if types else 1):
        if hop > 1:
            (rows,) = await handle.row(_hop_query(types, known), values | {"at": {"nodes": walk.frontier}})
        _step(walk, rows[: len(walk.frontier)], ids)
        if not walk.frontier:
            break
    order = EDGE_ORDER if types else "0"
    inside = _INSIDE.format(types=types or EdgeKind.NEXT.name, order=order, known=known.edge("r", "x"), uncounted=_UNCOUNTED)
    degrees, edges = await handle.row(inside, {"at": {"nodes": walk.nodes}, "kinds": KIND_NUMBERS, **known.values})
    degree = dict(degrees)
    # Each node's own edges by kind, place in its list, and the other end.
    in_order = sorted((walk.index[source], kind, place, walk.index[target]) for source, kind, place, target in edges if types)
    return walk.subgraph(
        [ids[node] for node in walk.nodes],
        [degree.get(node, 0) for node in walk.nodes],
        [(walk.nodes[source], kind, walk.nodes[target]) for source, kind, _, target in in_order],
    )


async def known_before(handle: Handle, ids: Sequence[str], moment: datetime) -> frozenset[str]:
    """See `Memory.known_before`."""
    wanted, known = ids_by_kind(ids), _Known(moment)
    if not wanted:
        return frozenset()
    (found,) = await handle.row(_seeds_query(wanted, "", known), known.values | {"at": {kind.name: ids for kind, ids in wanted.items()}})
    return frozenset(row[1] for row in found)


def _seeds_query(wanted: Collection[NodeKind], types: str, known: _Known) -> str:
    """The seeds that exist and are current, as rows of `_row`."""
    parts = [_SEEDS.format(name=kind.name, label=NODE_LABELS[kind], known=known.node("m")) for kind in wanted]
    nodes = " + ".join(kind.name for kind in wanted) or "[]"
    return f"{' '.join(parts)} CALL ({', '.join(kind.name for kind in wanted)}) {{ UNWIND {nodes} AS m {_row(types, known)} }} RETURN rows"


def _hop_query(types: str, known: _Known) -> str:
    nodes = "CALL (n) { UNWIND $at.nodes AS number MATCH (m) WHERE id(m) = number AND m.namespace = n.name"
    return f"{nodes} {_row(types, known)} }} RETURN rows"


def _row(types: str, known: _Known) -> str:
    """Of each `m`: its number, its id, the edges that it is the source of, and those that it is the target of."""
    if not types:
        return "RETURN collect([id(m), m.id, [], []]) AS rows"
    passing = f"{known.node('x')} AND {known.edge('r', 'x')}"
    out = _EDGES.format(left="-", right="->", types=types, order=EDGE_ORDER, name="out", known=passing)
    into = _EDGES.format(left="<-", right="-", types=types, order="0", name="into", known=passing)
    return f"{out} {into} RETURN collect([id(m), m.id, out, into]) AS rows"


def _step(walk: Walk, rows: Sequence[Any], ids: dict[int, str]) -> None:
    """One hop further. A node's own edges come first, then those to it, each by kind, place and key. Notes the ids of the nodes."""
    edges = {number: [*sorted(out), *sorted(into)] for number, _, out, into in rows}
    ids.update((other, id_) for some in edges.values() for *_, other, id_ in some)
    walk.step((number, [(kind, other) for kind, _, _, other, _ in edges[number]]) for number in walk.frontier if number in edges)
