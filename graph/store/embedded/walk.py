"""Walking the graph: breadth first over the indexed adjacency, bounded in hops, nodes and degree."""

from collections.abc import Collection, Sequence
from datetime import datetime
from itertools import groupby
from operator import itemgetter

import apsw

from graph.model import CHANGE_KINDS, SUMMARY_KINDS, EdgeKind, NodeKind, to_micros
from graph.store.candidates import Subgraph
from graph.store.embedded.as_of import said_before
from graph.store.embedded.rows.node_keys import keys_of, node_id
from graph.store.rules.walk import Walk

# A hub's edges are counted up to here in each direction; more would only cost time, for the weight of a hub is next to nothing by then.
_COUNTED_EDGES = 10_000

# Summaries come and go while what they tell of stays as it is; the weight of a node in a walk does not depend on them.
_COUNTED = f"NOT (1 << kind) & {sum(1 << kind for kind in SUMMARY_KINDS | CHANGE_KINDS)}"


class _Kinds:
    """The condition that an edge is of one of these kinds: a range of the index, and a mask.

    An IN with a list would build a table at every execution, which takes longer than to find the edges of a node.
    """

    def __init__(self, kinds: Collection[EdgeKind]) -> None:
        mask = sum(1 << kind for kind in set(kinds))
        self._text = f"e.kind BETWEEN {int(min(kinds))} AND {int(max(kinds))} AND (1 << e.kind) & {mask}" if kinds else "0"

    def __str__(self) -> str:
        return self._text


class _Known:
    """Conditions on the node of a key that something was known before a moment; with None, that are always true."""

    def __init__(self, before: datetime | None) -> None:
        self._before = None if before is None else to_micros(before)

    def node(self, key: str) -> str:
        """That the node was: an entity by what names it, a session by what was said in it."""
        if self._before is None:
            return "1"
        into = f"m.kind IN ({EdgeKind.MENTIONS:d}, {EdgeKind.INVOLVES:d}, {EdgeKind.IN_SESSION:d})"
        return f"""(SELECT CASE WHEN k.kind IN ({NodeKind.ENTITY:d}, {NodeKind.SESSION:d})
            THEN EXISTS (SELECT 1 FROM edges m JOIN nodes o ON o.key = m.src
                WHERE m.dst = k.key AND {into} AND o.retired_at IS NULL AND {said_before("o", self._before)})
            ELSE {said_before("k", self._before)} END
            FROM nodes k WHERE k.key = {key})"""

    def edge(self, edge: str) -> str:
        """That the statement was which states the edge, if one does."""
        return "1" if self._before is None else f"({edge}.via = 0 OR {self.node(f'{edge}.via')})"


def neighbourhood(
    db: apsw.Connection,
    seeds: Sequence[str],
    kinds: Collection[EdgeKind],
    hops: int,
    max_nodes: int,
    max_degree: int,
    before: datetime | None = None,
) -> Subgraph:
    """See `Memory.neighbourhood`. `degree` counts at most 10,000 edges in each direction."""
    found, known = keys_of(db, seeds), _Known(before)
    walk = Walk(_current(db, [found[seed] for seed in dict.fromkeys(seeds) if seed in found], known), max_nodes, max_degree)
    allowed = _Kinds([EdgeKind(kind) for kind in kinds])
    edges = _edges_of_a_node(db, allowed, known)
    for _ in range(hops):
        if not walk.frontier:
            break
        rows = db.executemany(edges, [(key, max_degree + 1) for key in walk.frontier])
        walk.step((key, ((kind, other) for _, kind, other in group)) for key, group in groupby(rows, key=itemgetter(0)))
    return _subgraph(db, walk, allowed, known)


def known_before(db: apsw.Connection, ids: Sequence[str], moment: datetime) -> frozenset[str]:
    """See `Memory.known_before`."""
    found = keys_of(db, ids)
    known = frozenset(_current(db, list(found.values()), _Known(moment)))
    return frozenset(id_ for id_, key in found.items() if key in known)


def _current(db: apsw.Connection, keys: Sequence[int], known: _Known) -> list[int]:
    query = f"SELECT key FROM nodes n WHERE key = ? AND retired_at IS NULL AND {known.node('n.key')}"
    found = db.executemany(query, [(key,) for key in keys])
    return [key for (key,) in found]


def _edges_of_a_node(db: apsw.Connection, kinds: _Kinds, known: _Known) -> str:
    """(node, kind, other node) of the edges of node ?1 in both directions, at most ?2 in each; those that it is the source of first."""
    some_retired = db.execute("SELECT 1 FROM nodes WHERE retired_at IS NOT NULL LIMIT 1").fetchone() is not None

    def half(here: str, there: str) -> str:
        current = f"(SELECT n.retired_at IS NULL FROM nodes n WHERE n.key = e.{there})" if some_retired else "1"
        passing = f"{kinds} AND {current} AND {known.node(f'e.{there}')} AND {known.edge('e')}"
        return f"SELECT ?1, * FROM (SELECT e.kind, e.{there} FROM edges e WHERE e.{here} = ?1 AND {passing} LIMIT ?2)"

    return f"{half('src', 'dst')} UNION ALL {half('dst', 'src')}"


def _subgraph(db: apsw.Connection, walk: Walk, kinds: _Kinds, known: _Known) -> Subgraph:
    keys = [(key,) for key in walk.nodes]
    nodes = db.executemany("SELECT kind, uuid FROM nodes WHERE key = ?", keys)
    ids = [node_id(kind, uuid) for kind, uuid in nodes]
    degrees = db.executemany(
        f"""SELECT (SELECT count(*) FROM (SELECT 1 FROM edges WHERE src = ?1 AND {_COUNTED} LIMIT {_COUNTED_EDGES}))
                + (SELECT count(*) FROM (SELECT 1 FROM edges WHERE dst = ?1 AND {_COUNTED} LIMIT {_COUNTED_EDGES}))""",
        keys,
    )
    counts = [count for (count,) in degrees]
    edges = db.executemany(f"SELECT e.src, e.kind, e.dst FROM edges e WHERE e.src = ? AND {kinds} AND {known.edge('e')}", keys)
    return walk.subgraph(ids, counts, edges)
