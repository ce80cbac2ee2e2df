"""Gives every call an id: the caller's `x-request-id`, or one of ours. It is in the trailing metadata, in errors and in the logs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from graph.model import IdSource
from service import call_context
from service.interceptors.call_interceptor import CallInterceptor, Context

HEADER = "x-request-id"
_MAX_LENGTH = 128


class RequestIds(CallInterceptor):
    """Begins the call's record."""

    def __init__(self, ids: IdSource) -> None:
        self._ids = ids

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncIterator[None]:
        """Binds the id to the call and to all that is logged during it."""
        request_id = _given(context) or self._ids.mint("req")
        call_context.begin(call_context.CallContext(method=method, request_id=request_id))
        context.set_trailing_metadata(((HEADER, request_id),))
        structlog.contextvars.bind_contextvars(request_id=request_id)
        yield


def _given(context: Context) -> str:
    for key, value in context.invocation_metadata() or ():
        # Anything else could not be sent back as a header, or would garble the log.
        if key == HEADER and isinstance(value, str) and 0 < len(value) <= _MAX_LENGTH and value.isascii() and value.isprintable():
            return value
    return ""
