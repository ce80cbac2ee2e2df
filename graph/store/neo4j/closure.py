"""What goes when memories are deleted: they, and all that rests on them."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from graph.model import NodeKind
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.rows.edge_rows import NodeRef
from graph.store.neo4j.schema import NODE_LABELS

Doomed = dict[NodeRef, None]

_KIND = "CASE WHEN x:Event THEN 'EVENT' WHEN x:Fact THEN 'FACT' ELSE 'RELATION' END"
# Statements and events rest on messages.
_RESTING = f"""UNWIND $at.keys AS key MATCH (m:Message {{namespace: $namespace, key: key}})<-[:EVIDENCED_BY]-(x)
    RETURN collect(DISTINCT [{_KIND}, x.key])"""
_STATED = f"""UNWIND $at.keys AS key MATCH (e:Event {{namespace: $namespace, key: key}})-[:STATES]->(x)
    RETURN collect(DISTINCT [{_KIND}, x.key])"""
_STATING = """UNWIND $at.keys AS key MATCH (s:%s {namespace: $namespace, key: key})<-[:STATES]-(e:Event)
    RETURN collect(DISTINCT [e.key, [(e)-[:STATES]->(x) | [CASE WHEN x:Fact THEN 'FACT' ELSE 'RELATION' END, x.key]]])"""


def by_kind(refs: Iterable[NodeRef]) -> dict[NodeKind, list[int]]:
    """Keys by kind."""
    keys: defaultdict[NodeKind, list[int]] = defaultdict(list)
    for ref in refs:
        keys[ref.kind].append(ref.key)
    return keys


async def close(tx: Transaction, doomed: Doomed) -> None:
    """Adds all that rests on what is doomed: with a message the statements and events that rest on it, with an event its statements, with
    the last statement of an event the event."""
    fresh = list(doomed)
    while fresh:
        keys = by_kind(fresh)
        found: Doomed = {}
        if NodeKind.MESSAGE in keys:
            found |= await _found(tx, _RESTING, keys[NodeKind.MESSAGE])
        if NodeKind.EVENT in keys:
            found |= await _found(tx, _STATED, keys[NodeKind.EVENT])
        for kind in (NodeKind.FACT, NodeKind.RELATION):
            if kind in keys:
                found |= await _emptied(tx, kind, keys[kind], doomed | found)
        fresh = [ref for ref in found if ref not in doomed]
        doomed |= dict.fromkeys(fresh)


async def _found(tx: Transaction, query: str, keys: list[int]) -> Doomed:
    [[rows]] = await tx.rows(query, {"keys": keys})
    return dict.fromkeys(NodeRef(NodeKind[kind], key) for kind, key in rows)


async def _emptied(tx: Transaction, kind: NodeKind, keys: list[int], gone: Doomed) -> Doomed:
    """The events that lose their last statement."""
    rows: list[Any]
    [[rows]] = await tx.rows(_STATING % NODE_LABELS[kind], {"keys": keys})
    return {
        NodeRef(NodeKind.EVENT, event): None
        for event, statements in rows
        if all(NodeRef(NodeKind[name], key) in gone for name, key in statements)
    }
