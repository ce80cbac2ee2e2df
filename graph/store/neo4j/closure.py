"""What goes when memories are deleted: they, and all that rests on them."""

from collections import defaultdict
from collections.abc import Iterable

from graph.model import STATEMENT_KINDS, NodeKind
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.rows.edge_rows import NodeRef
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
