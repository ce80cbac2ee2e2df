"""What each step of a session's extraction read, as rows."""

from collections.abc import Iterable, Sequence

import apsw

from graph.model import NodeKind
from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.transaction import Transaction
from graph.store.port import ExtractedSpan
from graph.store.rules.deleting import MOST_SPANS

_READING = f"""SELECT session, first, last, call FROM
    (SELECT * FROM extraction_spans WHERE session = ?1 AND last >= ?2 ORDER BY last LIMIT {MOST_SPANS}) WHERE read_from <= ?2"""
_MESSAGES = f"""SELECT n.key FROM nodes n JOIN sessions s ON s.key = n.session
    WHERE n.kind = {NodeKind.MESSAGE:d} AND n.session = ? AND n.seq >= ? AND n.seq <= ? AND n.seq <= s.extracted_seq"""


def insert_spans(tx: Transaction, session: int, spans: Sequence[ExtractedSpan]) -> None:
    """Stores spans of a session; one that is there already is replaced."""
    values = [(session, span.last, span.first, span.read_from, span.call) for span in spans]
    tx.db.executemany("INSERT OR REPLACE INTO extraction_spans VALUES (?, ?, ?, ?, ?)", values)


def spans_of(db: apsw.Connection, session: int) -> tuple[ExtractedSpan, ...]:
    """The spans of a session."""
    found = rows(db, "SELECT first, last, read_from, call FROM extraction_spans WHERE session = ? ORDER BY last, first", (session,))
    return tuple(ExtractedSpan(*row) for row in found)


def extracted_in_view_of(db: apsw.Connection, messages: Iterable[int]) -> list[int]:
    """The messages that were extracted with one of these in view."""
    places = db.executemany("SELECT session, seq FROM nodes WHERE key = ?", [(key,) for key in messages]).fetchall()
    reading = set(db.executemany(_READING, places))
    calls = {call for *_, call in reading if call}
    spans = {span[:3] for span in reading}
    spans |= set(
        db.executemany("SELECT session, first, last FROM extraction_spans WHERE call = ? AND call != ''", [(call,) for call in calls])
    )
    return list(dict.fromkeys(key for (key,) in db.executemany(_MESSAGES, sorted(spans))))
