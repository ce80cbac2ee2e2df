"""Links between entities as edges: those that extractors propose have the ordinal 0, those that somebody decided 1."""

from collections.abc import Mapping, Sequence

import apsw
import orjson

from graph.model import Edge, EdgeKind, LinkVerdict
from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.transaction import Operation, Transaction
from graph.store.embedded.rows.edge_rows import edges_of
from graph.store.embedded.rows.kind_numbers import LINKS
from graph.store.embedded.rows.node_keys import keys_of
from graph.store.port import LinkDecided, LinkDecision
from graph.store.rules import linking

_LINKS = f"kind IN ({LINKS})"
_DECIDED = f"SELECT kind FROM edges WHERE src = ? AND {_LINKS} AND ordinal = 1 AND dst = ?"


def decide_link(tx: Transaction, decision: LinkDecision) -> LinkDecided:
    """See `Memory.decide_link`."""
    linking.check_entities(decision)
    keys = keys_of(tx.db, (decision.entity_id, decision.other_id))
    linking.require_entities(decision, keys)
    source, target = keys[decision.entity_id], keys[decision.other_id]
    if _verdict(tx.db, source, target) is not decision.verdict:
        kind = int(linking.kind_after(decision.verdict))
        for here, there in ((source, target), (target, source)):
            tx.db.execute(f"DELETE FROM edges WHERE src = ? AND {_LINKS} AND ordinal = 1 AND dst = ?", (here, there))
            tx.db.execute(f"UPDATE OR REPLACE edges SET kind = ? WHERE src = ? AND {_LINKS} AND dst = ?", (kind, here, there))
        properties = linking.decision_properties(decision, tx.now)
        if properties is not None:
            tx.db.execute("INSERT INTO edges VALUES (?, ?, 1, ?, 0, ?)", (source, kind, target, orjson.dumps(properties).decode()))
        tx.changed(Operation.DECIDED, (source, target))
    found = rows(
        tx.db,
        f"""SELECT src, kind, ordinal, dst, via, properties FROM edges WHERE src = ?1 AND {_LINKS} AND dst = ?2 UNION ALL
            SELECT src, kind, ordinal, dst, via, properties FROM edges WHERE src = ?2 AND {_LINKS} AND dst = ?1 ORDER BY ordinal DESC""",
        (source, target),
    )
    return LinkDecided(tuple(edges_of(tx.db, found)), tx.revision)


def storable_edges(db: apsw.Connection, edges: Sequence[Edge], keys: Mapping[str, int]) -> list[Edge]:
    """The edges as they may be stored after what was decided of their entities."""
    rejected = {pair for pair in linking.proposed_pairs(edges, keys) if _verdict(db, *pair) is LinkVerdict.DIFFERENT}
    return linking.heeding_decisions(edges, keys, rejected)


def _verdict(db: apsw.Connection, source: int, target: int) -> LinkVerdict:
    """What was decided of the two, in whichever direction."""
    for pair in ((source, target), (target, source)):
        kind = db.execute(_DECIDED, pair).get
        if kind is not None:
            return linking.VERDICTS[EdgeKind(kind)]
    return LinkVerdict.UNDECIDED
