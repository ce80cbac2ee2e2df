"""Walking the graph: breadth first over the indexed adjacency, bounded in hops, nodes and degree."""

from collections.abc import Collection, Iterable, Sequence
from itertools import groupby
from operator import itemgetter

import apsw
import numpy as np

from graph.model import EdgeKind
from graph.store.candidates import Subgraph
from graph.store.embedded.rows.node_keys import keys_of, node_id

# A hub's edges are counted up to here in each direction; more would only cost time, for the weight of a hub is next to nothing by then.
_COUNTED_EDGES = 10_000


class _Kinds:
    """The condition that an edge is of one of these kinds: a range of the index, and a mask.

    An IN with a list would build a table at every execution, which takes longer than to find the edges of a node.
    """

    def __init__(self, kinds: Collection[EdgeKind]) -> None:
        mask = sum(1 << kind for kind in set(kinds))
        self._text = f"e.kind BETWEEN {int(min(kinds))} AND {int(max(kinds))} AND (1 << e.kind) & {mask}" if kinds else "0"

    def __str__(self) -> str:
        return self._text


class _Reached:
    """The nodes in the order in which the walk reached them."""

    def __init__(self, seeds: Iterable[int]) -> None:
        self.keys = list(dict.fromkeys(seeds))
        self.place = {key: index for index, key in enumerate(self.keys)}
        self.hops = [0] * len(self.keys)
        self.parent = [-1] * len(self.keys)
        self.parent_edge = [0] * len(self.keys)
        self.truncated = False

    def add(self, key: int, hops: int, parent: int, edge: int) -> None:
        self.place[key] = len(self.keys)
        self.keys.append(key)
        self.hops.append(hops)
        self.parent.append(self.place[parent])
        self.parent_edge.append(edge)


def neighbourhood(
    db: apsw.Connection, seeds: Sequence[str], kinds: Collection[EdgeKind], hops: int, max_nodes: int, max_degree: int
) -> Subgraph:
    """See `Store.neighbourhood`. `degree` counts at most 10,000 edges in each direction."""
    found = keys_of(db, seeds)
    current = _current(db, [found[seed] for seed in dict.fromkeys(seeds) if seed in found])
    reached = _Reached(current[:max_nodes])
    reached.truncated = len(current) > max_nodes
    allowed = _Kinds([EdgeKind(kind) for kind in kinds])
    edges = _edges_of_a_node(db, allowed)
    frontier = list(reached.keys)
    for hop in range(1, hops + 1):
        frontier = _step(db, reached, frontier, hop, edges, max_nodes, max_degree)
        if not frontier:
            break
    return _subgraph(db, reached, allowed)


def _current(db: apsw.Connection, keys: Sequence[int]) -> list[int]:
    found = db.executemany("SELECT key FROM nodes WHERE key = ? AND retired_at IS NULL", [(key,) for key in keys])
    return [key for (key,) in found]


def _step(
    db: apsw.Connection, reached: _Reached, frontier: Sequence[int], hop: int, edges: str, max_nodes: int, max_degree: int
) -> list[int]:
    """The nodes that are new one hop further."""
    before = len(reached.keys)
    rows = db.executemany(edges, [(key, max_degree + 1) for key in frontier])
    for key, found in groupby(rows, key=itemgetter(0)):
        for count, (_, kind, other) in enumerate(found):
            if count == max_degree:
                reached.truncated = True
                break
            if other in reached.place:
                continue
            if len(reached.keys) >= max_nodes:
                reached.truncated = True
                return reached.keys[before:]
            reached.add(other, hop, key, kind)
    return reached.keys[before:]


def _edges_of_a_node(db: apsw.Connection, kinds: _Kinds) -> str:
    """(node, kind, other node) of the edges of node ?1 in both directions, at most ?2 in each; those that it is the source of first."""
    some_retired = db.execute("SELECT 1 FROM nodes WHERE retired_at IS NOT NULL LIMIT 1").fetchone() is not None

    def half(here: str, there: str) -> str:
        current = f"AND (SELECT n.retired_at IS NULL FROM nodes n WHERE n.key = e.{there})" if some_retired else ""
        return f"SELECT ?1, * FROM (SELECT e.kind, e.{there} FROM edges e WHERE e.{here} = ?1 AND {kinds} {current} LIMIT ?2)"

    return f"{half('src', 'dst')} UNION ALL {half('dst', 'src')}"


def _subgraph(db: apsw.Connection, reached: _Reached, kinds: _Kinds) -> Subgraph:
    keys = [(key,) for key in reached.keys]
    nodes = list(db.executemany("SELECT uuid, kind FROM nodes WHERE key = ?", keys))
    degree = db.executemany(
        f"""SELECT (SELECT count(*) FROM (SELECT 1 FROM edges WHERE src = ?1 LIMIT {_COUNTED_EDGES}))
                + (SELECT count(*) FROM (SELECT 1 FROM edges WHERE dst = ?1 LIMIT {_COUNTED_EDGES}))""",
        keys,
    )
    edges = db.executemany(f"SELECT e.src, e.kind, e.dst FROM edges e WHERE e.src = ? AND {kinds}", keys)
    inside = list(dict.fromkeys((reached.place[s], kind, reached.place[t]) for s, kind, t in edges if t in reached.place))
    columns = np.array(inside, dtype=np.int32).reshape(-1, 3)
    return Subgraph(
        ids=tuple(node_id(kind, uuid) for uuid, kind in nodes),
        kind=np.array([kind for _, kind in nodes], dtype=np.int8),
        hops=np.array(reached.hops, dtype=np.int32),
        parent=np.array(reached.parent, dtype=np.int32),
        parent_edge=np.array(reached.parent_edge, dtype=np.int8),
        degree=np.array([count for (count,) in degree], dtype=np.int64),
        edge_source=columns[:, 0],
        edge_target=columns[:, 2],
        edge_kind=columns[:, 1].astype(np.int8),
        truncated=reached.truncated,
    )
