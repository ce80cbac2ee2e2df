"""Walking the graph: breadth first, one round trip a hop, bounded in hops, nodes and degree.

Nodes go by Neo4j's own numbers from hop to hop, which are looked up without an index. A number that was freed and taken by a node of
another namespace between two hops is caught by the namespace beside it.
"""

from collections.abc import Collection, Sequence
from typing import Any

from graph.model import EdgeKind, NodeKind
from graph.store.candidates import Subgraph
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.rows.node_edges import EDGE_ORDER, KIND_NUMBERS
from graph.store.neo4j.rows.node_reading import ids_by_kind
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.rules.walk import Walk

_SEEDS = """CALL (n) {{ UNWIND $at.{name} AS id MATCH (m:{label} {{namespace: n.name, id: id}}) WHERE m.retired_at IS NULL
    RETURN collect(m) AS {name} }}"""
# Of each node: its own number and id, and its edges as (kind, place, key, number, id) of the other end.
_EDGES = """CALL (m) {{ MATCH (m){left}[r:{types}]{right}(x) WHERE x.retired_at IS NULL WITH r, x LIMIT $limit
    RETURN collect([$kinds[type(r)], {order}, x.key, id(x), x.id]) AS {name} }}"""
_INSIDE = """CALL (n) {{ UNWIND $at.nodes AS number MATCH (m) WHERE id(m) = number AND m.namespace = n.name
    RETURN collect([number, COUNT {{ (m)--() }} - COUNT {{ (m)-[:HAS_PASSAGE]-() }} - COUNT {{ (m)-[:NAMES_TIME]-() }}]) AS degrees }}
    CALL (n) {{ UNWIND $at.nodes AS number MATCH (m) WHERE id(m) = number AND m.namespace = n.name
    MATCH (m)-[r:{types}]->(x) WHERE id(x) IN $at.nodes RETURN collect([number, $kinds[type(r)], {order}, id(x)]) AS edges }}
    RETURN degrees, edges"""


async def neighbourhood(
    handle: Handle, seeds: Sequence[str], kinds: Collection[EdgeKind], hops: int, max_nodes: int, max_degree: int
) -> Subgraph:
    """See `Memory.neighbourhood`."""
    types = "|".join(sorted(EdgeKind(kind).name for kind in kinds))
    values = {"limit": max_degree + 1, "kinds": KIND_NUMBERS}
    wanted = ids_by_kind(seeds)
    query = _seeds_query(wanted, types if hops > 0 else "")
    (found,) = await handle.row(query, values | {"at": {kind.name: ids for kind, ids in wanted.items()}})
    found_by_id = {row[1]: row for row in found}
    rows = [found_by_id[id_] for id_ in dict.fromkeys(seeds) if id_ in found_by_id]
    walk = Walk([row[0] for row in rows], max_nodes, max_degree)
    if not walk.nodes:
        return walk.subgraph((), (), ())
    ids = {row[0]: row[1] for row in rows}
    for hop in range(1, hops + 1 if types else 1):
        if hop > 1:
            (rows,) = await handle.row(_hop_query(types), values | {"at": {"nodes": walk.frontier}})
        _step(walk, rows[: len(walk.frontier)], ids)
        if not walk.frontier:
            break
    inside = _INSIDE.format(types=types, order=EDGE_ORDER) if types else _INSIDE.format(types="NEXT", order="0")
    degrees, edges = await handle.row(inside, {"at": {"nodes": walk.nodes}, "kinds": KIND_NUMBERS})
    degree = dict(degrees)
    # Each node's own edges by kind, place in its list, and the other end.
    in_order = sorted((walk.index[source], kind, place, walk.index[target]) for source, kind, place, target in edges if types)
    return walk.subgraph(
        [ids[node] for node in walk.nodes],
        [degree.get(node, 0) for node in walk.nodes],
        [(walk.nodes[source], kind, walk.nodes[target]) for source, kind, _, target in in_order],
    )


def _seeds_query(wanted: Collection[NodeKind], types: str) -> str:
    """The seeds that exist and are current, as rows of `_row`."""
    parts = [_SEEDS.format(name=kind.name, label=NODE_LABELS[kind]) for kind in wanted]
    nodes = " + ".join(kind.name for kind in wanted) or "[]"
    return f"{' '.join(parts)} CALL ({', '.join(kind.name for kind in wanted)}) {{ UNWIND {nodes} AS m {_row(types)} }} RETURN rows"


def _hop_query(types: str) -> str:
    return (
        f"""CALL (n) {{ UNWIND $at.nodes AS number MATCH (m) WHERE id(m) = number AND m.namespace = n.name {_row(types)} }} RETURN rows"""
    )


def _row(types: str) -> str:
    """Of each `m`: its number, its id, the edges that it is the source of, and those that it is the target of."""
    if not types:
        return "RETURN collect([id(m), m.id, [], []]) AS rows"
    out = _EDGES.format(left="-", right="->", types=types, order=EDGE_ORDER, name="out")
    into = _EDGES.format(left="<-", right="-", types=types, order="0", name="into")
    return f"{out} {into} RETURN collect([id(m), m.id, out, into]) AS rows"


def _step(walk: Walk, rows: Sequence[Any], ids: dict[int, str]) -> None:
    """One hop further. A node's own edges come first, then those to it, each by kind, place and key. Notes the ids of the nodes."""
    edges = {number: [*sorted(out), *sorted(into)] for number, _, out, into in rows}
    ids.update((other, id_) for some in edges.values() for *_, other, id_ in some)
    walk.step((number, [(kind, other) for kind, _, _, other, _ in edges[number]]) for number in walk.frontier if number in edges)
