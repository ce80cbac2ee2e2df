"""Request ids: a repeat within 24 hours gets the first answer, the same id with another body is refused."""

from datetime import timedelta
from typing import Any

import orjson

from graph.errors import RequestReused
from graph.store.embedded.files.transaction import Transaction
from graph.store.rules.retention import REQUEST_ID_RETENTION

_RETENTION_MICROS = REQUEST_ID_RETENTION // timedelta(microseconds=1)


def first_answer(tx: Transaction, request_id: str, digest: bytes) -> Any | None:
    """The answer that this request got before, or None.

    Raises:
        RequestReused: the id came with another body.
    """
    if not request_id:
        return None
    row = tx.db.execute("SELECT digest, answer FROM requests WHERE id = ? AND expires_at > ?", (request_id, tx.now)).fetchone()
    if row is None:
        return None
    if row[0] != digest:
        raise RequestReused("the request_id was used within the last 24 hours with another body", metadata={"request_id": request_id})
    return orjson.loads(row[1])


def remember_answer(tx: Transaction, request_id: str, digest: bytes, answer: object) -> None:
    """Keeps the answer for repeats, and forgets those that are too old."""
    tx.db.execute("DELETE FROM requests WHERE expires_at <= ?", (tx.now,))
    if request_id:
        tx.db.execute(
            "INSERT OR REPLACE INTO requests VALUES (?, ?, ?, ?)",
            (request_id, digest, orjson.dumps(answer).decode(), tx.now + _RETENTION_MICROS),
        )
