"""Request ids: a repeat within 24 hours gets the first answer, the same id with another body is refused."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import orjson

from graph.errors import RequestReused
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.rules.retention import REQUEST_ID_RETENTION

_RETENTION_MICROS = REQUEST_ID_RETENTION // timedelta(microseconds=1)
_ANSWER = "MATCH (r:Request {namespace: $namespace, id: $at.id}) RETURN [r.digest, r.answer, r.expires_at]"
_FORGET = "MATCH (r:Request) WHERE r.namespace = $namespace AND r.expires_at <= $at.now DELETE r"
_KEEP = """MERGE (r:Request {namespace: $namespace, id: $at.id})
    SET r.digest = $at.digest, r.answer = $at.answer, r.expires_at = $at.expires_at"""


async def first_answer(tx: Transaction, request_id: str, digest: bytes) -> Any | None:
    """The answer that this request got before, or None.

    Raises:
        RequestReused: the id came with another body.
    """
    found = await tx.rows(_ANSWER, {"id": request_id}) if request_id else []
    return answer_in(found[0][0], tx.now, request_id, digest) if found else None


def answer_in(kept: Sequence[Any], now: int, request_id: str, digest: bytes) -> Any | None:
    """The same of a :Request that was read already, as (digest, answer, expires_at)."""
    first, answer, expires_at = kept
    if expires_at is None or expires_at <= now:
        return None
    if first != digest:
        raise RequestReused("the request_id was used within the last 24 hours with another body", metadata={"request_id": request_id})
    return orjson.loads(answer)


async def remember_answer(tx: Transaction, request_id: str, digest: bytes, answer: object) -> None:
    """Keeps the answer for repeats, and forgets those that are too old."""
    await tx.execute(_FORGET, {"now": tx.now})
    if request_id:
        values = {"id": request_id, "digest": digest, "answer": orjson.dumps(answer).decode(), "expires_at": tx.now + _RETENTION_MICROS}
        await tx.execute(_KEEP, values)
