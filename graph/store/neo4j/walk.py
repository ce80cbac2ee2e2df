"""Walking the graph: breadth first, one round trip a hop, bounded in hops, nodes and degree.

Nodes go by Neo4j's own numbers from hop to hop, which are looked up without an index. A number that was freed and taken by a node of
another namespace between two hops is caught by the namespace beside it.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import numpy as np

from graph.model import EdgeKind, NodeKind, kind_of
from graph.store.candidates import Subgraph
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.rows.node_edges import EDGE_ORDER, KIND_NUMBERS
from graph.store.neo4j.rows.node_reading import ids_by_kind
from graph.store.neo4j.schema import NODE_LABELS

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


class _Reached:
    """The nodes in the order in which the walk reached them."""

    def __init__(self, seeds: Sequence[tuple[int, str]], max_nodes: int) -> None:
        self.numbers: list[int] = []
        self.ids: list[str] = []
        self.hops: list[int] = []
        self.parent: list[int] = []
        self.parent_edge: list[int] = []
        self.place: dict[int, int] = {}
        self.truncated = len(seeds) > max_nodes
        for number, id_ in seeds[:max_nodes]:
            self.add(number, id_, 0, -1, 0)

    def add(self, number: int, id_: str, hops: int, parent: int, edge: int) -> None:
        self.place[number] = len(self.numbers)
        self.numbers.append(number)
        self.ids.append(id_)
        self.hops.append(hops)
        self.parent.append(parent)
        self.parent_edge.append(edge)


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
    frontier = [found_by_id[id_] for id_ in dict.fromkeys(seeds) if id_ in found_by_id]
    reached = _Reached([(number, id_) for number, id_, *_ in frontier], max_nodes)
    frontier = frontier[:max_nodes]
    new = reached.numbers
    for hop in range(1, hops + 1 if types else 1):
        if hop > 1:
            (frontier,) = await handle.row(_hop_query(types), values | {"at": {"nodes": new}})
        new = _step(reached, frontier, hop, max_nodes, max_degree)
        if not new:
            break
    if not reached.numbers:
        return _subgraph(reached, [], [])
    inside = _INSIDE.format(types=types, order=EDGE_ORDER) if types else _INSIDE.format(types="NEXT", order="0")
    degrees, edges = await handle.row(inside, {"at": {"nodes": reached.numbers}, "kinds": KIND_NUMBERS})
    return _subgraph(reached, degrees, edges if types else [])


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


def _step(reached: _Reached, frontier: Sequence[Any], hop: int, max_nodes: int, max_degree: int) -> list[int]:
    """The nodes that are new one hop further. A node's own edges come first, then those to it, each by kind, place and key."""
    before = len(reached.numbers)
    in_order = sorted(frontier, key=lambda row: reached.place[row[0]])
    for number, _, out, into in in_order:
        parent = reached.place[number]
        for count, (kind, _, _, other, id_) in enumerate([*sorted(out), *sorted(into)]):
            if count == max_degree:
                reached.truncated = True
                break
            if other in reached.place:
                continue
            if len(reached.numbers) >= max_nodes:
                reached.truncated = True
                return reached.numbers[before:]
            reached.add(other, id_, hop, parent, kind)
    return reached.numbers[before:]


def _subgraph(reached: _Reached, degrees: Iterable[Any], edges: Iterable[Any]) -> Subgraph:
    degree = dict(degrees)
    inside = sorted((reached.place[source], kind, order, reached.place[target]) for source, kind, order, target in edges)
    distinct = list(dict.fromkeys((source, kind, target) for source, kind, _, target in inside))
    columns = np.array(distinct, dtype=np.int32).reshape(-1, 3)
    return Subgraph(
        ids=tuple(reached.ids),
        kind=np.array([kind_of(id_) for id_ in reached.ids], dtype=np.int8),
        hops=np.array(reached.hops, dtype=np.int32),
        parent=np.array(reached.parent, dtype=np.int32),
        parent_edge=np.array(reached.parent_edge, dtype=np.int8),
        degree=np.array([degree.get(number, 0) for number in reached.numbers], dtype=np.int64),
        edge_source=columns[:, 0],
        edge_target=columns[:, 2],
        edge_kind=columns[:, 1].astype(np.int8),
        truncated=reached.truncated,
    )
