"""What replaced, or repeats, what: edges between memories, and taking them back."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence, Set

import apsw
import orjson

from graph.model import Edge, EdgeKind, NodeKind, Supersession, Supersessions
from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.transaction import Transaction
from graph.store.embedded.rows.edge_rows import edges_of
from graph.store.embedded.rows.kind_numbers import CHANGES
from graph.store.embedded.rows.node_keys import ids_of, keys_of
from graph.store.port import Reversal, Reverted
from graph.store.rules.changes import (
    Anchor,
    after_reversal,
    anchor_of,
    by_older,
    changes_among,
    heeding_reversals,
    require_changes,
    supersession,
)

_EDGES = f"""SELECT e.kind, e.src, e.dst, e.properties FROM edges e JOIN nodes a ON a.key = e.src JOIN nodes b ON b.key = e.dst
    WHERE e.kind IN ({CHANGES}) AND e.properties ->> 'reverted_at' IS NULL AND a.retired_at IS NULL AND b.retired_at IS NULL
    ORDER BY e.kind, e.src, e.dst"""
_EVIDENCE = f"""SELECT e.src, e.dst FROM edges e WHERE e.kind = {EdgeKind.EVIDENCED_BY:d}
    AND e.src IN (SELECT src FROM edges WHERE kind IN ({CHANGES})) ORDER BY e.src, e.ordinal"""
_OF_OLDER = f"""SELECT e.src, e.dst, e.properties FROM edges e JOIN nodes a ON a.key = e.src JOIN nodes b ON b.key = e.dst
    WHERE e.dst = ? AND e.kind = {EdgeKind.SUPERSEDES:d} AND e.properties ->> 'reverted_at' IS NULL
    AND a.retired_at IS NULL AND b.retired_at IS NULL"""
_OF_NODE = f"SELECT src, dst FROM edges WHERE src = ? AND kind = {EdgeKind.EVIDENCED_BY:d} ORDER BY ordinal"
# A message, or what rests on it, whatever generation it is of.
_SAID_BY = f"SELECT ?1 UNION ALL SELECT src FROM edges WHERE dst = ?1 AND kind = {EdgeKind.EVIDENCED_BY:d}"
_REVERTED_FROM = f"""SELECT kind, src, dst, properties FROM edges
    WHERE src IN ({_SAID_BY}) AND kind IN ({CHANGES}) AND properties ->> 'reverted_at' IS NOT NULL"""
_BETWEEN = f"SELECT src, kind, ordinal, dst, via, properties FROM edges WHERE src = ? AND kind IN ({CHANGES}) AND dst = ?"
# Whether both ends are statements of the current generation.
_BOTH_CURRENT = f"SELECT count(*) = 2 FROM nodes WHERE key IN (?, ?) AND kind != {NodeKind.MESSAGE:d} AND retired_at IS NULL"


def supersessions(db: apsw.Connection, seen: int) -> Supersessions | None:
    """See `Memory.supersessions`."""
    version = int(db.execute("SELECT version FROM change_edges").get)
    if version <= seen:
        return None
    found = list(rows(db, _EDGES))
    rests_on: defaultdict[int, list[int]] = defaultdict(list)
    for source, target in rows(db, _EVIDENCE):
        rests_on[source].append(target)
    keys = {key for _, newer, older, _ in found for key in (newer, older)} | {key for evidence in rests_on.values() for key in evidence}
    ids = ids_of(db, list(keys))
    edges = (
        supersession(
            EdgeKind(kind), ids[newer], ids[older], orjson.loads(properties or "{}"), [ids[key] for key in rests_on.get(newer, ())]
        )
        for kind, newer, older, properties in found
    )
    return Supersessions(version, tuple(edges))


def replaced(db: apsw.Connection, ids: Sequence[str]) -> dict[str, tuple[Supersession, ...]]:
    """See `Memory.replaced`."""
    keys = keys_of(db, ids)
    found = list(db.executemany(_OF_OLDER, [(key,) for key in keys.values()]))
    newer = sorted({src for src, _, _ in found})
    rests_on: defaultdict[int, list[int]] = defaultdict(list)
    for source, target in db.executemany(_OF_NODE, [(key,) for key in newer]):
        rests_on[source].append(target)
    named = ids_of(db, list({key for src, dst, _ in found for key in (src, dst, *rests_on[src])}))
    return by_older(
        supersession(EdgeKind.SUPERSEDES, named[src], named[dst], orjson.loads(properties or "{}"), [named[key] for key in rests_on[src]])
        for src, dst, properties in found
    )


def revert(tx: Transaction, reversal: Reversal) -> Reverted:
    """See `Memory.revert`."""
    keys = keys_of(tx.db, (reversal.newer_id, reversal.older_id))
    ends = keys.get(reversal.newer_id), keys.get(reversal.older_id)
    found = edges_of(tx.db, list(rows(tx.db, _BETWEEN, ends)))
    require_changes(found, reversal)
    edges = [after_reversal(edge, reversal, tx.now) for edge in found]
    changed = [edge for edge, before in zip(edges, found, strict=True) if edge is not before]
    for edge in changed:
        if reversal.restore:
            _forget_others(tx.db, edge, keys)
        told = orjson.dumps(dict(edge.properties), option=orjson.OPT_SORT_KEYS).decode()
        tx.db.execute("UPDATE edges SET properties = ? WHERE src = ? AND kind = ? AND dst = ?", (told, ends[0], int(edge.kind), ends[1]))
    if changed:
        tx.db.execute("UPDATE change_edges SET version = version + 1")
        tx.step()
    return Reverted(tuple(edges), tx.revision)


def storable_changes(db: apsw.Connection, edges: Sequence[Edge], keys: Mapping[str, int]) -> list[Edge]:
    """The edges as they may be stored after what was reverted. The nodes they name are stored already."""
    changes = changes_among(edges)
    if not changes:
        return list(edges)
    rests_on = _messages_by_id(db, changes, keys)
    messages = {key for edge in changes for key in rests_on[edge.source_id]}
    reverted = [(anchor, orjson.loads(properties)) for anchor, _, _, properties in _reverted_from(db, messages)]
    return heeding_reversals(edges, rests_on, reverted)


def _forget_others(db: apsw.Connection, edge: Edge, keys: Mapping[str, int]) -> None:
    """Deletes the reverted edges about the same, but those between statements of the current generation: these were decided one by one."""
    anchor = anchor_of(edge, _messages_by_id(db, [edge], keys))
    for other, newer, older, _ in _reverted_from(db, anchor.newer):
        itself = (newer, older) == (keys[edge.source_id], keys[edge.target_id])
        if not itself and other.is_about_the_same_as(anchor) and not db.execute(_BOTH_CURRENT, (newer, older)).get:
            db.execute("DELETE FROM edges WHERE src = ? AND kind = ? AND dst = ?", (newer, int(other.kind), older))


def _reverted_from(db: apsw.Connection, messages: Collection[int]) -> list[tuple[Anchor, int, int, str]]:
    """The reverted edges whose newer end rests on one of these messages: what each is about, its ends and its properties."""
    found = {(kind, newer, older): told for kind, newer, older, told in db.executemany(_REVERTED_FROM, [(key,) for key in messages])}
    rests_on = _messages(db, {key for _, newer, older in found for key in (newer, older)})
    return [(Anchor(EdgeKind(kind), rests_on[a], rests_on[b]), a, b, told) for (kind, a, b), told in sorted(found.items())]


def _messages_by_id(db: apsw.Connection, edges: Sequence[Edge], keys: Mapping[str, int]) -> dict[str, Set[int]]:
    """The messages that the ends of these edges rest on."""
    ids = {id_ for edge in edges for id_ in (edge.source_id, edge.target_id)}
    found = _messages(db, {keys[id_] for id_ in ids})
    return {id_: found[keys[id_]] for id_ in ids}


def _messages(db: apsw.Connection, nodes: Collection[int]) -> dict[int, set[int]]:
    """The messages that these statements rest on; a message rests on itself."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for node, message in db.executemany(_OF_NODE, [(key,) for key in nodes]):
        found[node].add(message)
    return {key: found[key] or {key} for key in nodes}
