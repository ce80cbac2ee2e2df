"""Request ids: a repeat within 24 hours gets the first answer, the same id with another body is refused."""

from datetime import timedelta
from typing import Any

import orjson

from graph.errors import RequestReused
from graph.store.neo4j.transaction import Transaction
from graph.store.retention import REQUEST_ID_RETENTION

_RETENTION_MICROS = REQUEST_ID_RETENTION // timedelta(microseconds=1)
_ANSWER = "MATCH (r:Request {namespace: $namespace, id: $id}) WHERE r.expires_at > $now RETURN r.digest, r.answer"
_FORGET = "MATCH (r:Request) WHERE r.namespace = $namespace AND r.expires_at <= $now DELETE r"
_KEEP = """MERGE (r:Request {namespace: $namespace, id: $id})
    SET r.digest = $digest, r.answer = $answer, r.expires_at = $expires_at"""


async def first_answer(tx: Transaction, request_id: str, digest: bytes) -> Any | None:
    """The answer that this request got before, or None.

    Raises:
        RequestReused: the id came with another body.
    """
    if not request_id:
        return None
    found = await tx.rows(_ANSWER, {"id": request_id, "now": tx.now})
    if not found:
        return None
    if found[0][0] != digest:
        raise RequestReused("the request_id was used within the last 24 hours with another body", metadata={"request_id": request_id})
    return orjson.loads(found[0][1])


async def remember_answer(tx: Transaction, request_id: str, digest: bytes, answer: object) -> None:
    """Keeps the answer for repeats, and forgets those that are too old."""
    await tx.execute(_FORGET, {"now": tx.now})
    if request_id:
        values = {"id": request_id, "digest": digest, "answer": orjson.dumps(answer).decode(), "expires_at": tx.now + _RETENTION_MICROS}
        await tx.execute(_KEEP, values)
