"""Turns errors into statuses, in one place.

A StructMemError knows its status and reason. Anything else is a defect: the caller gets a fixed text and an incident id, the log gets the
rest. No exception text, path or SQL reaches a caller.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NoReturn

import grpc
import structlog

from graph.errors import StructMemError
from graph.model import IdSource
from service import call_context
from service.interceptors.call_interceptor import CallInterceptor, Context
from service.interceptors.request_ids import HEADER
from service.interceptors.statuses import DETAILS, status_of

_log = structlog.get_logger(__name__)


class Defect(StructMemError):
    """Something that should not have happened. The incident id finds it in the log."""


class Errors(CallInterceptor):
    """Ends failed calls with a status that carries google.rpc details."""

    def __init__(self, ids: IdSource) -> None:
        self._ids = ids

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncIterator[None]:
        """Catches what the call raises."""
        try:
            yield
        except (grpc.aio.AbortError, asyncio.CancelledError):
            raise
        except Exception as error:  # noqa: BLE001 - this is the place that keeps them from callers
            if isinstance(error, StructMemError) and error.reason != Defect.reason:
                await _abort(context, error)
            incident = self._ids.mint("inc")
            _log.exception("defect", method=method, incident=incident)
            came_so_far = error.metadata if isinstance(error, StructMemError) else {}
            await _abort(context, Defect(f"internal error; incident {incident}", metadata={**came_so_far, "incident": incident}))


async def _abort(context: Context, error: StructMemError) -> NoReturn:
    call = call_context.current()
    call.code, call.reason = grpc.StatusCode[error.status], error.reason
    status = status_of(error)
    try:
        await context.abort(call.code, status.message, ((DETAILS, status.SerializeToString()), (HEADER, call.request_id)))
    except grpc.aio.InternalError:
        # The caller is gone, and nothing can be sent to it any more.
        raise asyncio.CancelledError from None
