"""Request ids: a repeat within 24 hours gets the first answer, the same id with another body is refused."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import blake2b
from typing import Any

import orjson

from graph.errors import RequestReused
from graph.store.port import REQUEST_ID_RETENTION

REQUEST_ID_MICROS = REQUEST_ID_RETENTION // timedelta(microseconds=1)


def body_digest(*parts: object) -> bytes:
    """Identifies the body of a request, so that a repeat can be told from another request. Parts are JSON values."""
    return blake2b(orjson.dumps(parts, option=orjson.OPT_SORT_KEYS), digest_size=16).digest()


def answer_to_repeat(stored: Sequence[Any] | None, now: int, request_id: str, digest: bytes) -> Any | None:
    """The answer that this request got before, as JSON values; None when it comes for the first time or the answer has expired.

    `stored` is what the store holds of the request id: digest of the body, answer as JSON, when it expires (all None, or None itself:
    nothing); `now` and that time are microseconds since 1970.

    Raises:
        RequestReused: the id came with another body.
    """
    if stored is None or stored[2] is None or stored[2] <= now:
        return None
    if stored[0] != digest:
        raise RequestReused("the request_id was used within the last 24 hours with another body", metadata={"request_id": request_id})
    return orjson.loads(stored[1])
