"""Links between entities: what extractors propose (ordinal 0), and what somebody decided (ordinal 1), which outlives every extraction.

What was proposed of a pair that was decided to be different is kept as DIFFERENT_FROM, which no walk follows, so that the decision can be
taken back.
"""

from collections.abc import Sequence

import apsw
import orjson

from graph.errors import InvalidArgument, NotFound
from graph.model import EdgeKind, LinkVerdict, NodeKind, from_micros, kind_of
from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.transaction import Operation, Transaction
from graph.store.embedded.rows.edge_rows import edges_of
from graph.store.embedded.rows.node_keys import keys_of
from graph.store.embedded.rows.node_writer import EdgeValues
from graph.store.port import LinkDecided, LinkDecision

_SAME, _DIFFERENT = int(EdgeKind.SAME_AS), int(EdgeKind.DIFFERENT_FROM)
_LINKS = f"kind IN ({_SAME}, {_DIFFERENT})"
_VERDICTS = {_SAME: LinkVerdict.SAME, _DIFFERENT: LinkVerdict.DIFFERENT}


def decide_link(tx: Transaction, decision: LinkDecision) -> LinkDecided:
    """See `Store.decide_link`."""
    source, target = _ends(tx.db, decision)
    pair = (source, target, target, source)
    if _verdict(tx.db, source, target) is not decision.verdict:
        kind = _DIFFERENT if decision.verdict is LinkVerdict.DIFFERENT else _SAME
        for here, there in (pair[:2], pair[2:]):
            tx.db.execute(f"DELETE FROM edges WHERE src = ? AND {_LINKS} AND ordinal = 1 AND dst = ?", (here, there))
            tx.db.execute(f"UPDATE OR REPLACE edges SET kind = ? WHERE src = ? AND {_LINKS} AND dst = ?", (kind, here, there))
        if decision.verdict is not LinkVerdict.UNDECIDED:
            properties = {"decided_at": from_micros(tx.now).isoformat(), "decided_by": decision.decided_by}
            properties |= {"confidence": "1.0", "reason": "decision"} if kind == _SAME else {}
            tx.db.execute("INSERT INTO edges VALUES (?, ?, 1, ?, 0, ?)", (source, kind, target, orjson.dumps(properties).decode()))
        tx.changed(Operation.DECIDED, (source, target))
    found = rows(
        tx.db,
        f"""SELECT src, kind, ordinal, dst, via, properties FROM edges WHERE src = ?1 AND {_LINKS} AND dst = ?2 UNION ALL
            SELECT src, kind, ordinal, dst, via, properties FROM edges WHERE src = ?2 AND {_LINKS} AND dst = ?1 ORDER BY ordinal DESC""",
        (source, target),
    )
    return LinkDecided(tuple(edges_of(tx.db, found)), tx.revision)


def heeding_decisions(db: apsw.Connection, edges: Sequence[EdgeValues]) -> list[EdgeValues]:
    """The edges as they may be stored: a link between two that were decided to be different is set aside."""
    return [
        (src, _DIFFERENT if kind == _SAME and _verdict(db, src, dst) is LinkVerdict.DIFFERENT else kind, ordinal, dst, via, properties)
        for src, kind, ordinal, dst, via, properties in edges
    ]


def _ends(db: apsw.Connection, decision: LinkDecision) -> tuple[int, int]:
    for field, id_ in (("entity_id", decision.entity_id), ("other_id", decision.other_id)):
        if kind_of(id_) is not NodeKind.ENTITY:
            raise InvalidArgument.of(field, "must be the id of entity")
    if decision.entity_id == decision.other_id:
        raise InvalidArgument.of("other_id", "is the entity itself")
    keys = keys_of(db, (decision.entity_id, decision.other_id))
    for id_ in (decision.entity_id, decision.other_id):
        if id_ not in keys:
            raise NotFound("there is no entity with this id in the namespace", metadata={"id": id_})
    return keys[decision.entity_id], keys[decision.other_id]


def _verdict(db: apsw.Connection, source: int, target: int) -> LinkVerdict:
    """What was decided of the two, in whichever direction."""
    for pair in ((source, target), (target, source)):
        kind = db.execute(f"SELECT kind FROM edges WHERE src = ? AND {_LINKS} AND ordinal = 1 AND dst = ?", pair).get
        if kind is not None:
            return _VERDICTS[int(kind)]
    return LinkVerdict.UNDECIDED
