"""Signed, opaque tokens: what the service hands to a client so that it may hand it back later, unread and unchanged."""

import base64
import binascii
import hashlib
import hmac

import orjson

_MAC_BYTES = 16


class BadToken(Exception):
    """The token was not made with this key, or it was changed."""


class Signer:
    """Signs and opens payloads (JSON arrays) with HMAC-SHA-256, cut to 128 bits (RFC 2104 allows half)."""

    def __init__(self, key: bytes, purpose: str) -> None:
        # A key of its own for each purpose: a token of one kind is never taken for one of another.
        self._key = hmac.digest(key, purpose.encode(), hashlib.sha256)

    def seal(self, payload: list[object]) -> str:
        """The token for this payload: text of the URL alphabet."""
        body = orjson.dumps(payload)
        return base64.urlsafe_b64encode(self._mac(body) + body).rstrip(b"=").decode()

    def open(self, token: str) -> list[object]:
        """The payload.

        Raises:
            BadToken: it is not one of ours.
        """
        try:
            raw = base64.b64decode(token.encode("ascii") + b"=" * (-len(token) % 4), altchars=b"-_", validate=True)
        except (binascii.Error, UnicodeEncodeError, ValueError):
            raise BadToken from None
        body = raw[_MAC_BYTES:]
        if len(raw) <= _MAC_BYTES or not hmac.compare_digest(raw[:_MAC_BYTES], self._mac(body)):
            raise BadToken
        payload: list[object] = orjson.loads(body)
        return payload

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, hashlib.sha256)[:_MAC_BYTES]
