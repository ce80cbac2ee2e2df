"""What replaced, or repeats, what: relationships between memories, and taking them back."""

from collections.abc import Collection, Mapping, Sequence, Set
from typing import NamedTuple

from graph.model import CHANGE_KINDS, Edge, EdgeKind, NodeKind, Supersession, Supersessions
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.rows.edge_rows import NodeRef, edge_of
from graph.store.neo4j.rows.node_reading import ids_by_kind
from graph.store.neo4j.rows.references import refs_of
from graph.store.neo4j.schema import NODE_LABELS
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

_KINDS = "|".join(kind.name for kind in sorted(CHANGE_KINDS))
_VERSION = "RETURN coalesce(n.changes_revision, 0)"
_EDGES = """CALL (n) {{ MATCH (a)-[r:{kind}]->(b)
    WHERE r.namespace = n.name AND r.reverted_at IS NULL AND a.retired_at IS NULL AND b.retired_at IS NULL
    WITH a, r, b ORDER BY a.key, b.key
    RETURN collect([a.id, b.id, properties(r), [(a)-[e:EVIDENCED_BY]->(m) | [e.order, m.id]]]) AS found }} RETURN found"""


async def supersessions(handle: Handle, seen: int) -> Supersessions | None:
    """See `Memory.supersessions`. What is written while they are read may be among them; it is then read again the next time."""
    (version,) = await handle.row(_VERSION)
    if version <= seen:
        return None
    edges = []
    for kind in sorted(CHANGE_KINDS):
        (found,) = await handle.row(_EDGES.format(kind=EdgeKind(kind).name))
        for newer, older, properties, evidence in found:
            edges.append(supersession(kind, newer, older, properties, [id_ for _, id_ in sorted(evidence)]))
    return Supersessions(version, tuple(edges))


_OF_OLDER = """CALL (n) {{ UNWIND $ids.{name} AS id MATCH (b:{label} {{namespace: n.name, id: id}})<-[r:SUPERSEDES]-(a)
    WHERE r.reverted_at IS NULL AND a.retired_at IS NULL AND b.retired_at IS NULL
    RETURN collect([a.id, b.id, properties(r), [(a)-[e:EVIDENCED_BY]->(m) | [e.order, m.id]]]) AS {name} }}"""


async def replaced(handle: Handle, ids: Sequence[str]) -> dict[str, tuple[Supersession, ...]]:
    """See `Memory.replaced`."""
    wanted = {kind.name: (NODE_LABELS[kind], found) for kind, found in ids_by_kind(ids).items()}
    if not wanted:
        return {}
    body = " ".join(_OF_OLDER.format(name=name, label=label) for name, (label, _) in wanted.items())
    asked = {"ids": {name: found for name, (_, found) in wanted.items()}}
    rows = await handle.row(f"{body} RETURN {', '.join(wanted)}", asked)
    return by_older(
        supersession(EdgeKind.SUPERSEDES, newer, older, properties, [id_ for _, id_ in sorted(evidence)])
        for found in rows
        for newer, older, properties, evidence in found
    )


# The keys of the messages that a node rests on; a message rests on itself.
_RESTS_ON = "CASE WHEN {0}:Message THEN [{0}.key] ELSE [({0})-[:EVIDENCED_BY]->(m:Message) | m.key] END"
_PAIR = "MATCH (a:%s {namespace: $namespace, key: $at.newer}) MATCH (b:%s {namespace: $namespace, key: $at.older})"
_BETWEEN = f"{_PAIR} MATCH (a)-[r:{_KINDS}]->(b) RETURN type(r), properties(r) ORDER BY type(r) DESC"
_SET = f"{_PAIR} MATCH (a)-[r:%s]->(b) REMOVE r.reverted_at, r.reverted_by SET r += $at.properties"


async def revert(tx: Transaction, reversal: Reversal) -> Reverted:
    """See `Memory.revert`."""
    refs = await refs_of(tx, (reversal.newer_id, reversal.older_id))
    newer, older = refs.get(reversal.newer_id), refs.get(reversal.older_id)
    found: list[Edge] = []
    if newer is not None and older is not None:
        labels, ends = (NODE_LABELS[newer.kind], NODE_LABELS[older.kind]), {"newer": newer.key, "older": older.key}
        rows = await tx.rows(_BETWEEN % labels, ends)
        found = [edge_of(EdgeKind[kind], reversal.newer_id, reversal.older_id, properties) for kind, properties in rows]
    require_changes(found, reversal)
    edges = [after_reversal(edge, reversal, tx.now) for edge in found]
    changed = [edge for edge, before in zip(edges, found, strict=True) if edge is not before]
    for edge in changed:
        if reversal.restore:
            await _forget_others(tx, edge, refs)
        await tx.execute(_SET % (*labels, edge.kind.name), {**ends, "properties": dict(edge.properties)})
    if changed:
        tx.supersessions_changed()
    return Reverted(tuple(edges), tx.revision)


async def storable_changes(tx: Transaction, edges: Sequence[Edge], refs: Mapping[str, NodeRef]) -> list[Edge]:
    """The edges as they may be stored after what was reverted. The nodes they name are stored already."""
    rests_on = await _messages(tx, changes_among(edges), refs)
    messages = {key for edge in changes_among(edges) for key in rests_on[edge.source_id]}
    return heeding_reversals(edges, rests_on, [(one.anchor, one.properties) for one in await _reverted_from(tx, messages)])


class _RevertedEdge(NamedTuple):
    """A reverted edge. `both_current`: it is between statements of the current generation."""

    anchor: Anchor
    id: str
    ends: tuple[int, int]
    both_current: bool
    properties: Mapping[str, str]


_REVERTED_FROM = f"""UNWIND $at.keys AS key MATCH (m:Message {{namespace: $namespace, key: key}})<-[:EVIDENCED_BY*0..1]-(a)
    MATCH (a)-[r:{_KINDS}]->(b) WHERE r.reverted_at IS NOT NULL WITH DISTINCT a, r, b
    RETURN type(r), elementId(r), a.key, b.key, properties(r), {_RESTS_ON.format("a")}, {_RESTS_ON.format("b")},
        none(x IN [a, b] WHERE x:Message OR x.retired_at IS NOT NULL)
    ORDER BY type(r) DESC, a.key, b.key"""
_FORGET = "MATCH ()-[r]->() WHERE elementId(r) = $at.id DELETE r"


async def _forget_others(tx: Transaction, edge: Edge, refs: Mapping[str, NodeRef]) -> None:
    """Deletes the reverted edges about the same, but those between statements of the current generation: these were decided one by one."""
    anchor = anchor_of(edge, await _messages(tx, [edge], refs))
    itself = refs[edge.source_id].key, refs[edge.target_id].key
    for other in await _reverted_from(tx, anchor.newer):
        if other.ends != itself and not other.both_current and other.anchor.is_about_the_same_as(anchor):
            await tx.execute(_FORGET, {"id": other.id})


async def _reverted_from(tx: Transaction, messages: Collection[int]) -> list[_RevertedEdge]:
    """The reverted edges whose newer end rests on one of these messages."""
    found = await tx.rows(_REVERTED_FROM, {"keys": sorted(messages)})
    return [
        _RevertedEdge(Anchor(EdgeKind[kind], set(newer), set(older)), id_, (a, b), both_current, properties)
        for kind, id_, a, b, properties, newer, older, both_current in found
    ]


_MESSAGES = f"""UNWIND $at.keys AS key MATCH (x:%s {{namespace: $namespace, key: key}})
    RETURN collect([x.id, {_RESTS_ON.format("x")}])"""


async def _messages(tx: Transaction, edges: Sequence[Edge], refs: Mapping[str, NodeRef]) -> dict[str, Set[int]]:
    """The messages that the ends of these edges rest on; a message rests on itself."""
    by_kind: dict[NodeKind, set[int]] = {}
    for id_ in {id_ for edge in edges for id_ in (edge.source_id, edge.target_id)}:
        by_kind.setdefault(refs[id_].kind, set()).add(refs[id_].key)
    found: dict[str, Set[int]] = {}
    for kind, keys in sorted(by_kind.items()):
        [[pairs]] = await tx.rows(_MESSAGES % NODE_LABELS[kind], {"keys": sorted(keys)})
        found |= {id_: set(messages) for id_, messages in pairs}
    return found
