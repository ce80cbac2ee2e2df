"""Request ids with their answers in the database."""

from typing import Any

import orjson

from graph.store.neo4j.driver.transaction import Transaction
from graph.store.rules.requests import REQUEST_ID_MICROS, answer_to_repeat

_ANSWER = "MATCH (r:Request {namespace: $namespace, id: $at.id}) RETURN [r.digest, r.answer, r.expires_at]"
_FORGET = "MATCH (r:Request) WHERE r.namespace = $namespace AND r.expires_at <= $at.now DELETE r"
_KEEP = """MERGE (r:Request {namespace: $namespace, id: $at.id})
    SET r.digest = $at.digest, r.answer = $at.answer, r.expires_at = $at.expires_at"""


async def first_answer(tx: Transaction, request_id: str, digest: bytes) -> Any | None:
    """The answer that this request got before, or None. Raises RequestReused."""
    found = await tx.rows(_ANSWER, {"id": request_id}) if request_id else []
    return answer_to_repeat(found[0][0] if found else None, tx.now, request_id, digest)


async def remember_answer(tx: Transaction, request_id: str, digest: bytes, answer: object) -> None:
    """Keeps the answer for repeats, and forgets those that are too old."""
    await tx.execute(_FORGET, {"now": tx.now})
    if request_id:
        values = {"id": request_id, "digest": digest, "answer": orjson.dumps(answer).decode(), "expires_at": tx.now + REQUEST_ID_MICROS}
        await tx.execute(_KEEP, values)
