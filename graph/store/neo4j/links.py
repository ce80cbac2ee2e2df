"""Links between entities as relationships: those that somebody decided have `decided_at`."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graph.model import Edge, EdgeKind, LinkVerdict
from graph.store.neo4j.driver.change_log import Operation
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.rows.edge_rows import NodeRef, edge_of
from graph.store.neo4j.rows.references import refs_of
from graph.store.port import LinkDecided, LinkDecision
from graph.store.rules import linking

_PAIR = "MATCH (a:Entity {namespace: $namespace, key: $at.source}) MATCH (b:Entity {namespace: $namespace, key: $at.target})"
_LINKS = f"""{_PAIR} MATCH (a)-[r:SAME_AS|DIFFERENT_FROM]-(b)
    RETURN type(r), startNode(r).id, endNode(r).id, properties(r)
    ORDER BY r.decided_at IS NULL, startNode(r) <> a, coalesce(r.via_id, '')"""
_CLEAR = f"""{_PAIR} MATCH (a)-[r:SAME_AS|DIFFERENT_FROM]-(b) DELETE r"""


def _make(kind: EdgeKind) -> str:
    return f"""UNWIND $at.rows AS row MATCH (a:Entity {{namespace: $namespace, id: row[0]}})
        MATCH (b:Entity {{namespace: $namespace, id: row[1]}}) CREATE (a)-[r:{kind.name}]->(b) SET r = row[2]"""


async def decide_link(tx: Transaction, decision: LinkDecision) -> LinkDecided:
    """See `Memory.decide_link`."""
    linking.check_entities(decision)
    refs = await refs_of(tx, (decision.entity_id, decision.other_id))
    linking.require_entities(decision, refs)
    pair = {"source": refs[decision.entity_id].key, "target": refs[decision.other_id].key}
    found = await tx.rows(_LINKS, pair)
    if _verdict(found) is not decision.verdict:
        await tx.execute(_CLEAR, pair)
        links = _once([a, b, properties] for _, a, b, properties in found if "decided_at" not in properties)
        decided = linking.decision_properties(decision, tx.now)
        if decided is not None:
            links.append([decision.entity_id, decision.other_id, decided])
        await tx.execute(_make(linking.kind_after(decision.verdict)), {"rows": links})
        tx.changed(Operation.DECIDED, pair.values())
        found = await tx.rows(_LINKS, pair)
    edges = tuple(edge_of(EdgeKind[kind], a, b, properties) for kind, a, b, properties in found)
    return LinkDecided(edges, tx.revision)


def _once(rows: Iterable[list[Any]]) -> list[list[Any]]:
    """What the same statement proposes in the same direction, once."""
    return list({(a, b, properties.get("via_id")): [a, b, properties] for a, b, properties in rows}.values())


def _verdict(links: Sequence[Sequence[Any]]) -> LinkVerdict:
    decided = [linking.VERDICTS[EdgeKind[kind]] for kind, _, _, properties in links if "decided_at" in properties]
    return decided[0] if decided else LinkVerdict.UNDECIDED


_REJECTED = """UNWIND $at.pairs AS pair MATCH (a:Entity {namespace: $namespace, key: pair[0]})
    MATCH (b:Entity {namespace: $namespace, key: pair[1]})
    WHERE EXISTS { MATCH (a)-[r:DIFFERENT_FROM]-(b) WHERE r.decided_at IS NOT NULL } RETURN collect(pair)"""


async def storable_edges(tx: Transaction, edges: Sequence[Edge], refs: Mapping[str, NodeRef]) -> list[Edge]:
    """The edges as they may be stored after what was decided of their entities."""
    proposed = {(source.key, target.key): (source, target) for source, target in linking.proposed_pairs(edges, refs)}
    if not proposed:
        return list(edges)
    [[rejected]] = await tx.rows(_REJECTED, {"pairs": [list(pair) for pair in proposed]})
    return linking.heeding_decisions(edges, refs, {proposed[source, target] for source, target in rejected})
