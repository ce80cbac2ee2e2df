"""Turns errors into statuses, in one place.

A StructMemError knows its status and reason. Anything else is a defect: the caller gets a fixed text and an incident id, the log gets the
rest. No exception text, path or SQL reaches a caller.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import grpc
import structlog
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from graph.errors import InvalidArgument, StructMemError
from graph.model import IdSource
from service import calls
from service.interceptors.around import Around, Context
from service.interceptors.request_ids import HEADER

DOMAIN = "structmem"
_DETAILS = "grpc-status-details-bin"
# Details travel as a header, and peers refuse headers beyond 8 KiB: the first violations tell enough.
_MAX_VIOLATIONS = 16
_MAX_MESSAGE = 600
# Where the error does not know better: a store that stumbles is back soon, space takes somebody who frees it.
_RETRY_AFTER = {"UNAVAILABLE": timedelta(seconds=1), "RESOURCE_EXHAUSTED": timedelta(seconds=30)}
_log = structlog.get_logger(__name__)


class Defect(StructMemError):
    """Something that should not have happened. The incident id finds it in the log."""


class Errors(Around):
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
        except StructMemError as error:
            await _abort(context, error)
        except Exception:  # noqa: BLE001 - this is the place that keeps them from callers
            incident = self._ids.mint("inc")
            _log.exception("defect", method=method, incident=incident)
            await _abort(context, Defect(f"internal error; incident {incident}", metadata={"incident": incident}))


async def _abort(context: Context, error: StructMemError) -> None:
    call = calls.current()
    call.code, call.reason = grpc.StatusCode[error.status], error.reason
    status = status_of(error)
    try:
        await context.abort(call.code, status.message, ((_DETAILS, status.SerializeToString()), (HEADER, call.request_id)))
    except grpc.aio.InternalError:
        # The caller is gone, and nothing can be sent to it any more.
        raise asyncio.CancelledError from None


def status_of(error: StructMemError) -> status_pb2.Status:
    """The error as google.rpc.Status with ErrorInfo, and BadRequest or RetryInfo where they say more."""
    message = str(error)
    if len(message) > _MAX_MESSAGE:
        message = message[:_MAX_MESSAGE] + " …"
    status = status_pb2.Status(code=grpc.StatusCode[error.status].value[0], message=message)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN, metadata=error.metadata))
    if isinstance(error, InvalidArgument):
        found = [
            error_details_pb2.BadRequest.FieldViolation(field=violation.field, description=violation.reason)
            for violation in error.violations[:_MAX_VIOLATIONS]
        ]
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=found))
    retry_after = error.retry_after or _RETRY_AFTER.get(error.status)
    if retry_after is not None:
        delay = Duration()
        delay.FromTimedelta(retry_after)
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    return status
