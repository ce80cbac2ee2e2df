"""Page tokens: where the next page of a listing starts, signed and bound to what was asked.

A token holds only for the method, the namespace (by its immutable uid, so that a namespace of the same name made later does not take it)
and the request that it came from; the page size and `at_least` may change. It expires after 24 hours.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from google.protobuf.message import Message as ProtoMessage

from graph.errors import InvalidArgument
from graph.store.port import Cursor
from service.tokens import BadToken, Signer

_OF_ANOTHER = "belongs to another request; begin again without it"
LIFETIME = timedelta(hours=24)


class PageTokens:
    """Makes and reads page tokens."""

    def __init__(self, key: bytes, now: Callable[[], datetime]) -> None:
        self._signer = Signer(key, "page")
        self._now = now

    def make(self, request: ProtoMessage, namespace_uid: str, cursor: Cursor | None) -> str:
        """The token for the page after this request's; "" when there is none."""
        if cursor is None:
            return ""
        return self._signer.seal([_question(request), namespace_uid, int(self._now().timestamp()), list(cursor)])

    def read(self, request: Any, namespace_uid: str) -> Cursor | None:
        """Where the page that the request asks for starts; None for the first.

        Raises:
            InvalidArgument: the token is not ours, has expired, or belongs to another request or namespace.
        """
        found = self._opened(request)
        if found is None:
            return None
        uid, cursor = found
        if uid != namespace_uid:
            raise InvalidArgument.of("page_token", _OF_ANOTHER)
        return cursor

    def check(self, request: Any) -> None:
        """What `read` checks before the namespace is looked up. Raises InvalidArgument."""
        self._opened(request)

    def _opened(self, request: Any) -> tuple[str, Cursor] | None:
        if not request.page_token:
            return None
        try:
            question, uid, issued, cursor = self._signer.open(request.page_token)
        except (BadToken, ValueError):
            raise InvalidArgument.of("page_token", "is not a token of this service") from None
        if question != _question(request):
            raise InvalidArgument.of("page_token", _OF_ANOTHER)
        assert isinstance(issued, int)
        assert isinstance(cursor, list)
        if self._now().timestamp() - issued > LIFETIME.total_seconds():
            raise InvalidArgument.of("page_token", "has expired; begin again without it")
        return str(uid), tuple(cursor)


def _question(request: Any) -> str:
    """What is asked, whatever the page: a digest of the method's request type and its other fields."""
    rest = type(request)()
    rest.CopyFrom(request)
    rest.ClearField("page_token")
    rest.ClearField("page_size")
    rest.ClearField("at_least")
    content = rest.DESCRIPTOR.full_name.encode() + b"\0" + rest.SerializeToString(deterministic=True)
    return hashlib.sha256(content).hexdigest()[:32]
