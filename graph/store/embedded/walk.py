"""Walking the graph: breadth first over the indexed adjacency, bounded in hops, nodes and degree."""

from collections.abc import Collection, Sequence
from itertools import groupby
from operator import itemgetter

import apsw

from graph.model import EdgeKind
from graph.store.candidates import Subgraph
from graph.store.embedded.rows.node_keys import keys_of, node_id
from graph.store.rules.walk import Walk

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


def neighbourhood(
    db: apsw.Connection, seeds: Sequence[str], kinds: Collection[EdgeKind], hops: int, max_nodes: int, max_degree: int
) -> Subgraph:
    """See `Memory.neighbourhood`. `degree` counts at most 10,000 edges in each direction."""
    found = keys_of(db, seeds)
    walk = Walk(_current(db, [found[seed] for seed in dict.fromkeys(seeds) if seed in found]), max_nodes, max_degree)
    allowed = _Kinds([EdgeKind(kind) for kind in kinds])
    edges = _edges_of_a_node(db, allowed)
    for _ in range(hops):
        if not walk.frontier:
            break
        rows = db.executemany(edges, [(key, max_degree + 1) for key in walk.frontier])
        walk.step((key, ((kind, other) for _, kind, other in group)) for key, group in groupby(rows, key=itemgetter(0)))
    return _subgraph(db, walk, allowed)


def _current(db: apsw.Connection, keys: Sequence[int]) -> list[int]:
    found = db.executemany("SELECT key FROM nodes WHERE key = ? AND retired_at IS NULL", [(key,) for key in keys])
    return [key for (key,) in found]


def _edges_of_a_node(db: apsw.Connection, kinds: _Kinds) -> str:
    """(node, kind, other node) of the edges of node ?1 in both directions, at most ?2 in each; those that it is the source of first."""
    some_retired = db.execute("SELECT 1 FROM nodes WHERE retired_at IS NOT NULL LIMIT 1").fetchone() is not None

    def half(here: str, there: str) -> str:
        current = f"AND (SELECT n.retired_at IS NULL FROM nodes n WHERE n.key = e.{there})" if some_retired else ""
        return f"SELECT ?1, * FROM (SELECT e.kind, e.{there} FROM edges e WHERE e.{here} = ?1 AND {kinds} {current} LIMIT ?2)"

    return f"{half('src', 'dst')} UNION ALL {half('dst', 'src')}"


def _subgraph(db: apsw.Connection, walk: Walk, kinds: _Kinds) -> Subgraph:
    keys = [(key,) for key in walk.nodes]
    nodes = db.executemany("SELECT kind, uuid FROM nodes WHERE key = ?", keys)
    ids = [node_id(kind, uuid) for kind, uuid in nodes]
    degrees = db.executemany(
        f"""SELECT (SELECT count(*) FROM (SELECT 1 FROM edges WHERE src = ?1 LIMIT {_COUNTED_EDGES}))
                + (SELECT count(*) FROM (SELECT 1 FROM edges WHERE dst = ?1 LIMIT {_COUNTED_EDGES}))""",
        keys,
    )
    counts = [count for (count,) in degrees]
    edges = db.executemany(f"SELECT e.src, e.kind, e.dst FROM edges e WHERE e.src = ? AND {kinds}", keys)
    return walk.subgraph(ids, counts, edges)
