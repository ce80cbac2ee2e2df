"""Links between entities: what extractors propose, and what somebody decided (`decided_at`), which outlives every extraction.

What was proposed of a pair that was decided to be different is kept as DIFFERENT_FROM, which no walk follows, so that the decision can be
taken back.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from graph.errors import InvalidArgument, NotFound
from graph.model import LINK_KINDS, EdgeKind, LinkVerdict, NodeKind, from_micros, kind_of
from graph.store.neo4j.driver.change_log import Operation
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.rows.edge_rows import EdgeRow, NodeRef, edge_of
from graph.store.neo4j.rows.references import refs_of
from graph.store.port import LinkDecided, LinkDecision

_VERDICTS = {EdgeKind.SAME_AS: LinkVerdict.SAME, EdgeKind.DIFFERENT_FROM: LinkVerdict.DIFFERENT}
_PAIR = "MATCH (a:Entity {namespace: $namespace, key: $at.source}) MATCH (b:Entity {namespace: $namespace, key: $at.target})"
_LINKS = f"""{_PAIR} MATCH (a)-[r:SAME_AS|DIFFERENT_FROM]-(b)
    RETURN type(r), startNode(r).id, endNode(r).id, properties(r)
    ORDER BY r.decided_at IS NULL, startNode(r) <> a, coalesce(r.via_id, '')"""
_CLEAR = f"""{_PAIR} MATCH (a)-[r:SAME_AS|DIFFERENT_FROM]-(b) DELETE r"""


def _make(kind: EdgeKind) -> str:
    return f"""UNWIND $at.rows AS row MATCH (a:Entity {{namespace: $namespace, id: row[0]}})
        MATCH (b:Entity {{namespace: $namespace, id: row[1]}}) CREATE (a)-[r:{kind.name}]->(b) SET r = row[2]"""


async def decide_link(tx: Transaction, decision: LinkDecision) -> LinkDecided:
    """See `Store.decide_link`."""
    source, target = await _ends(tx, decision)
    pair = {"source": source.key, "target": target.key}
    found = await tx.rows(_LINKS, pair)
    if _verdict(found) is not decision.verdict:
        await tx.execute(_CLEAR, pair)
        kind = EdgeKind.DIFFERENT_FROM if decision.verdict is LinkVerdict.DIFFERENT else EdgeKind.SAME_AS
        proposed = [[a, b, properties] for _, a, b, properties in found if "decided_at" not in properties]
        await tx.execute(_make(kind), {"rows": _once(proposed) + _decided(tx, decision, kind)})
        tx.changed(Operation.DECIDED, pair.values())
        found = await tx.rows(_LINKS, pair)
    edges = tuple(edge_of(EdgeKind[kind], a, b, properties) for kind, a, b, properties in found)
    return LinkDecided(edges, tx.revision)


def _once(rows: list[list[Any]]) -> list[list[Any]]:
    """What the same statement proposes in the same direction, once."""
    return list({(a, b, properties.get("via_id")): [a, b, properties] for a, b, properties in rows}.values())


def _decided(tx: Transaction, decision: LinkDecision, kind: EdgeKind) -> list[list[Any]]:
    if decision.verdict is LinkVerdict.UNDECIDED:
        return []
    properties = {"decided_at": from_micros(tx.now).isoformat(), "decided_by": decision.decided_by}
    if kind is EdgeKind.SAME_AS:
        properties |= {"confidence": "1.0", "reason": "decision"}
    return [[decision.entity_id, decision.other_id, properties]]


def _verdict(links: Sequence[Sequence[Any]]) -> LinkVerdict:
    decided = [_VERDICTS[EdgeKind[kind]] for kind, _, _, properties in links if "decided_at" in properties]
    return decided[0] if decided else LinkVerdict.UNDECIDED


async def _ends(tx: Transaction, decision: LinkDecision) -> tuple[NodeRef, NodeRef]:
    for field, id_ in (("entity_id", decision.entity_id), ("other_id", decision.other_id)):
        if not _is_entity(id_):
            raise InvalidArgument.of(field, "must be the id of entity")
    if decision.entity_id == decision.other_id:
        raise InvalidArgument.of("other_id", "is the entity itself")
    refs = await refs_of(tx, (decision.entity_id, decision.other_id))
    for id_ in (decision.entity_id, decision.other_id):
        if id_ not in refs:
            raise NotFound("there is no entity with this id in the namespace", metadata={"id": id_})
    return refs[decision.entity_id], refs[decision.other_id]


def _is_entity(id_: str) -> bool:
    try:
        return kind_of(id_) is NodeKind.ENTITY
    except ValueError:
        return False


_REJECTED = """UNWIND $at.pairs AS pair MATCH (a:Entity {namespace: $namespace, key: pair[0]})
    MATCH (b:Entity {namespace: $namespace, key: pair[1]})
    WHERE EXISTS { MATCH (a)-[r:DIFFERENT_FROM]-(b) WHERE r.decided_at IS NOT NULL } RETURN collect(pair)"""


async def heeding_decisions(tx: Transaction, edges: Sequence[EdgeRow]) -> list[EdgeRow]:
    """The edges as they may be stored: a link between two that were decided to be different is set aside."""
    pairs = [[edge.source.key, edge.target.key] for edge in edges if edge.kind in LINK_KINDS]
    if not pairs:
        return list(edges)
    [[found]] = await tx.rows(_REJECTED, {"pairs": pairs})
    rejected = {tuple(pair) for pair in found}

    def heeded(edge: EdgeRow) -> EdgeRow:
        aside = edge.kind is EdgeKind.SAME_AS and (edge.source.key, edge.target.key) in rejected
        return replace(edge, kind=EdgeKind.DIFFERENT_FROM) if aside else edge

    return [heeded(edge) for edge in edges]
