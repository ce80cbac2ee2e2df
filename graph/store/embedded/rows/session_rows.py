"""Sessions: found by name, created by their first message."""

import apsw

from graph.model import IdSource, NodeKind
from graph.store.embedded.files.transaction import Operation, Transaction
from graph.store.embedded.rows.node_keys import id_columns
from graph.store.embedded.rows.node_writer import insert_nodes
from graph.store.rules.sessions import SessionRow, no_session, require_time_zone


def session_row(db: apsw.Connection, name: str) -> SessionRow | None:
    """The session of this name, or None."""
    row = db.execute("SELECT key, name, time_zone, last_seq, extracted_seq FROM sessions WHERE name = ?", (name,)).fetchone()
    return None if row is None else SessionRow(*row)


def existing_session(db: apsw.Connection, name: str) -> SessionRow:
    """The session of this name. Raises NotFound."""
    row = session_row(db, name)
    if row is None:
        raise no_session(name)
    return row


def ensure_session(tx: Transaction, ids: IdSource, name: str, time_zone: str, default_zone: str) -> SessionRow:
    """The session of this name, created when it is not there.

    Raises:
        InvalidArgument: it has another time zone.
    """
    row = session_row(tx.db, name)
    if row is not None:
        require_time_zone(row, time_zone)
        return row
    (key,) = tx.node_keys(1)
    insert_session(tx, key, ids.mint("ses"), name, time_zone or default_zone, tx.now)
    tx.changed(Operation.ADDED, [key])
    return SessionRow(key, name, time_zone or default_zone, 0, 0)


def insert_session(tx: Transaction, key: int, id_: str, name: str, time_zone: str, recorded_at: int) -> None:
    """Stores a session without messages."""
    uuid, kind = id_columns(id_)
    assert kind == NodeKind.SESSION
    insert_nodes(tx, [(key, uuid, kind, key, 0, None, 0, 0, 0, 0, recorded_at, None, 0, 0, None, None, b"{}")])
    tx.db.execute("INSERT INTO sessions VALUES (?, ?, ?, 0, 0, NULL, NULL, 0)", (key, name, time_zone))
