"""Request ids with their answers in the file."""

from typing import Any

import orjson

from graph.store.embedded.files.transaction import Transaction
from graph.store.rules.requests import REQUEST_ID_MICROS, answer_to_repeat


def first_answer(tx: Transaction, request_id: str, digest: bytes) -> Any | None:
    """The answer that this request got before, or None. Raises RequestReused."""
    if not request_id:
        return None
    stored = tx.db.execute("SELECT digest, answer, expires_at FROM requests WHERE id = ?", (request_id,)).fetchone()
    return answer_to_repeat(stored, tx.now, request_id, digest)


def remember_answer(tx: Transaction, request_id: str, digest: bytes, answer: object) -> None:
    """Keeps the answer for repeats, and forgets those that are too old."""
    tx.db.execute("DELETE FROM requests WHERE expires_at <= ?", (tx.now,))
    if request_id:
        values = (request_id, digest, orjson.dumps(answer).decode(), tx.now + REQUEST_ID_MICROS)
        tx.db.execute("INSERT OR REPLACE INTO requests VALUES (?, ?, ?, ?)", values)
