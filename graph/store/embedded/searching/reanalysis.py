"""Bringing the passages of a file to the present analyser: what one analyser wrote, another one's queries would miss."""

import apsw

from graph.store.embedded.files.connection import row, rows
from graph.store.embedded.rows.node_rows import read_memories
from graph.store.memory_rows import MemoryRow, memory_rows, source_of
from graph.store.rules.reanalysis import recut
from graph.text import ANALYSER_VERSION


def analysed_by_other(db: apsw.Connection) -> bool:
    """Whether another version of the analyser made the passages."""
    found = rows(db, "SELECT analyser FROM state")
    return bool(found) and found[0][0] != ANALYSER_VERSION


def reanalyse(db: apsw.Connection, *, wait: bool) -> None:
    """Makes all passages anew in one transaction. A vector stays where the text of its passage did; others wait if `wait`."""
    db.execute("BEGIN IMMEDIATE")
    try:
        sessions = {name: (key, zone) for key, name, zone in rows(db, "SELECT key, name, time_zone FROM sessions")}
        for nodes in read_memories(db):
            for key, node in nodes.items():
                session, zone = sessions[node.session]
                [columns] = memory_rows([source_of(node, zone)])
                _replace(db, key, session, columns, wait=wait)
        db.execute("UPDATE state SET analyser = ?, revision = revision + 1", (ANALYSER_VERSION,))
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _replace(db: apsw.Connection, owner: int, session: int, columns: MemoryRow, *, wait: bool) -> None:
    old = {
        ordinal: (key, digest) for key, ordinal, digest in rows(db, "SELECT key, ordinal, digest FROM passages WHERE owner = ?", (owner,))
    }
    kept, fresh, gone = recut({ordinal: digest for ordinal, (_, digest) in old.items()}, columns.passages)
    for passage in kept:
        terms = (passage.length, passage.terms, passage.counts, old[passage.ordinal][0])
        db.execute("UPDATE passages SET length = ?, terms = ?, counts = ? WHERE key = ?", terms)
    made = [(owner, p.ordinal, session, p.length, p.terms, p.counts, p.digest, int(wait)) for p in fresh]
    db.executemany("DELETE FROM vectors WHERE passage = ?", [(old[ordinal][0],) for ordinal in gone])
    db.executemany("DELETE FROM passages WHERE key = ?", [(old[ordinal][0],) for ordinal in gone])
    (first,) = row(db, "SELECT next_passage FROM state")
    db.executemany("INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", [(first + i, *values) for i, values in enumerate(made)])
    if made:
        db.execute("UPDATE state SET next_passage = next_passage + ?", (len(made),))
    db.execute("UPDATE nodes SET features = ?, spans = ? WHERE key = ?", (columns.features, columns.spans, owner))
