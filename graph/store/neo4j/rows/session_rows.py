"""Sessions: found by name, created by their first message."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from graph.model import IdSource, NodeKind
from graph.store.neo4j.driver.change_log import Operation
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.rows.node_rows import session_properties
from graph.store.neo4j.rows.node_writer import create_nodes
from graph.store.rules.sessions import SessionRow, no_session, require_time_zone

# Of the last message that is still there: messages at the end may have been deleted.
_TAIL = """CALL (s) { OPTIONAL MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = s.name AND m.seq > 0
        RETURN m ORDER BY m.namespace DESC, m.session DESC, m.seq DESC LIMIT 1 }"""
_COLUMNS = "[s.key, s.name, s.time_zone, s.last_seq, s.extracted_seq, coalesce(m.key, 0), coalesce(m.seq, 0)]"
_SESSION = f"MATCH (s:Session {{namespace: $namespace, name: $at.session}}) {_TAIL} RETURN {_COLUMNS}"
# The same as a subquery for a `Prefetch`; the first column is null when there is no such session.
SESSION_SEEN = f"""OPTIONAL MATCH (s:Session {{namespace: $namespace, name: $at.session}}) {_TAIL} WITH s, {_COLUMNS} AS session"""
_SESSIONS = """MATCH (s:Session) WHERE s.namespace = $namespace AND s.key > 0
    RETURN s.key, s.name, s.time_zone, s.last_seq, s.extracted_seq ORDER BY s.namespace, s.key"""


@dataclass(frozen=True, slots=True)
class LinkedSession(SessionRow):
    """A session with its last message that is still there, which the next one is linked to: its key and seq, 0 for none."""

    tail_key: int = 0
    tail_seq: int = 0


async def session_row(tx: Transaction, name: str) -> LinkedSession | None:
    """The session of this name, or None."""
    found = await tx.rows(_SESSION, {"session": name})
    return session_seen(found[0][0]) if found else None


def session_seen(columns: Sequence[Any]) -> LinkedSession | None:
    """The session that `SESSION_SEEN` found."""
    return None if columns[0] is None else LinkedSession(*columns)


async def session_rows(tx: Transaction) -> list[LinkedSession]:
    """All sessions, without their last messages, in the order in which they came."""
    return [LinkedSession(*row) for row in await tx.rows(_SESSIONS)]


async def existing_session(tx: Transaction, name: str) -> LinkedSession:
    """The session of this name. Raises NotFound."""
    row = await session_row(tx, name)
    if row is None:
        raise no_session(name)
    return row


async def ensure_session(tx: Transaction, ids: IdSource, row: LinkedSession | None, name: str, time_zone: str) -> LinkedSession:
    """The session that was found, or a new one of this name.

    Raises:
        InvalidArgument: it has another time zone.
    """
    if row is not None:
        require_time_zone(row, time_zone)
        return row
    [key] = tx.keys(1)
    zone = time_zone or tx.namespace.time_zone
    await create_nodes(tx, NodeKind.SESSION, [session_properties(tx.name, key, ids.mint("ses"), name, zone, tx.now)])
    tx.changed(Operation.ADDED, [key])
    return LinkedSession(key, name, zone, 0, 0)
