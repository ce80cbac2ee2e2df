"""What goes when memories are deleted: they, and all that rests on them."""

from collections import defaultdict
from collections.abc import Iterable

from graph.model import STATEMENT_KINDS, NodeKind
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.rows.edge_rows import NodeRef
from graph.store.neo4j.rows.span_rows import extracted_in_view_of
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.rules.deleting import newly_doomed

Doomed = dict[NodeRef, None]

_KIND = "CASE WHEN x:Event THEN 'EVENT' WHEN x:Fact THEN 'FACT' ELSE 'RELATION' END"
# Statements and events rest on messages.
_RESTING = f"""UNWIND $at.keys AS key MATCH (m:Message {{namespace: $namespace, key: key}})<-[:EVIDENCED_BY]-(x)
    RETURN collect(DISTINCT [{_KIND}, x.key])"""
_STATED = f"""UNWIND $at.keys AS key MATCH (e:Event {{namespace: $namespace, key: key}})-[:STATES]->(x)
    RETURN collect(DISTINCT [{_KIND}, x.key])"""
_STATING = """UNWIND $at.keys AS key MATCH (s:%s {namespace: $namespace, key: key})<-[:STATES]-(e:Event)
    RETURN collect(DISTINCT [e.key, [(e)-[:STATES]->(x) | [CASE WHEN x:Fact THEN 'FACT' ELSE 'RELATION' END, x.key]]])"""
# The messages, itself among them, that current nodes rest on which rest on a message, with the nodes.
_SHARING = f"""UNWIND $at.keys AS key MATCH (:Message {{namespace: $namespace, key: key}})<-[:EVIDENCED_BY]-(x)
    WHERE x.retired_at IS NULL MATCH (x)-[:EVIDENCED_BY]->(o:Message) RETURN collect(DISTINCT [o.key, {_KIND}, x.key])"""


def by_kind(refs: Iterable[NodeRef]) -> dict[NodeKind, list[int]]:
    """Keys by kind."""
    keys: defaultdict[NodeKind, list[int]] = defaultdict(list)
    for ref in refs:
        keys[ref.kind].append(ref.key)
    return keys


async def close(tx: Transaction, doomed: Doomed) -> set[int]:
    """Adds all that rests on what is doomed: with a message the statements and events that rest on it, with an event its statements, with
    the last statement of an event the event. Returns the messages that stay and are to be extracted anew."""
    deleted = {ref.key for ref in doomed if ref.kind is NodeKind.MESSAGE}
    again = await extracted_in_view_of(tx, deleted) - deleted
    await _close_down(tx, doomed, list(doomed))
    fallen = [*deleted, *again]
    while fallen:
        [[shared]] = await tx.rows(_SHARING, {"keys": fallen})
        fresh = [ref for ref in dict.fromkeys(_refs(row[1:] for row in shared)) if ref not in doomed]
        doomed |= dict.fromkeys(fresh)
        await _close_down(tx, doomed, fresh)
        fallen = list(dict.fromkeys(key for key, _, _ in shared if key not in again and key not in deleted))
        again.update(fallen)
    return again


async def _close_down(tx: Transaction, doomed: Doomed, fresh: list[NodeRef]) -> None:
    while fresh:
        keys = by_kind(fresh)
        dependents: list[NodeRef] = []
        for kind, query in ((NodeKind.MESSAGE, _RESTING), (NodeKind.EVENT, _STATED)):
            if kind in keys:
                [[rows]] = await tx.rows(query, {"keys": keys[kind]})
                dependents += _refs(rows)
        stating: dict[NodeRef, list[NodeRef]] = {}
        for kind in STATEMENT_KINDS & keys.keys():
            [[rows]] = await tx.rows(_STATING % NODE_LABELS[kind], {"keys": keys[kind]})
            stating |= {NodeRef(NodeKind.EVENT, event): _refs(statements) for event, statements in rows}
        fresh = newly_doomed(doomed, dependents, stating)
        doomed |= dict.fromkeys(fresh)


def _refs(rows: Iterable[tuple[str, int]]) -> list[NodeRef]:
    return [NodeRef(NodeKind[kind], key) for kind, key in rows]
