"""From a gRPC status with its google.rpc details to an exception."""

from datetime import timedelta
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from structmem import _errors as errors
from structmem._kinds import ErrorReason

_PREFIX = "ERROR_REASON_"
_BY_REASON: dict[ErrorReason | str, type[errors.StructMemError]] = {
    kind.default_reason: kind
    for kind in (
        errors.InvalidArgumentError,
        errors.CypherRefusedError,
        errors.CypherLimitError,
        errors.NotFoundError,
        errors.NamespaceNotFoundError,
        errors.AlreadyExistsError,
        errors.ConflictError,
        errors.RequestReusedError,
        errors.DuplicateMessageError,
        errors.StaleWriteError,
        errors.PermissionDeniedError,
        errors.UnauthenticatedError,
        errors.UnavailableError,
        errors.StorageFullError,
        errors.StoreLimitError,
        errors.AnswerTooLargeError,
        errors.ElementTooLargeError,
        errors.LanguageModelMissingError,
        errors.NamespaceCorruptError,
        errors.DeadlineExceededError,
    )
}
_BY_CODE: dict[grpc.StatusCode, type[errors.StructMemError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidArgumentError,
    grpc.StatusCode.OUT_OF_RANGE: errors.InvalidArgumentError,
    grpc.StatusCode.NOT_FOUND: errors.NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: errors.AlreadyExistsError,
    grpc.StatusCode.FAILED_PRECONDITION: errors.ConflictError,
    grpc.StatusCode.ABORTED: errors.ConflictError,
    grpc.StatusCode.PERMISSION_DENIED: errors.PermissionDeniedError,
    grpc.StatusCode.UNAUTHENTICATED: errors.UnauthenticatedError,
    grpc.StatusCode.UNAVAILABLE: errors.UnavailableError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.UnavailableError,
    grpc.StatusCode.DATA_LOSS: errors.NamespaceCorruptError,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceededError,
    grpc.StatusCode.CANCELLED: errors.CallCanceledError,
}
# What gRPC's core itself says of a request beyond the limit that a service takes; this client takes answers of any size.
_REQUEST_TOO_LARGE = "larger than max"
_DETAILS_KEY = "grpc-status-details-bin"


def error_of(call: Any, target: str) -> errors.StructMemError:
    """The exception that stands for a failed call to `target`: a grpc.RpcError, sync or aio."""
    code: grpc.StatusCode = call.code()
    text: str = call.details() or ""
    info = error_details_pb2.ErrorInfo()
    bad_request = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    for detail in _details(call):
        for message in (info, bad_request, retry):
            if detail.Is(message.DESCRIPTOR):
                detail.Unpack(message)
    # Whether a deadline is told by the service or by the transport is a race of milliseconds, and the same to whoever set it.
    deadline = code is grpc.StatusCode.DEADLINE_EXCEEDED and not info.reason
    reason = ErrorReason.DEADLINE_EXCEEDED if deadline else _reason(info.reason)
    kind = _BY_REASON.get(reason) or _BY_CODE.get(code, errors.InternalError)
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and not info.reason and _REQUEST_TOO_LARGE in text:
        kind = errors.RequestTooLargeError
    retry_after = retry.retry_delay.ToTimedelta() if retry.HasField("retry_delay") else None
    message_text = text if info.reason else _of_transport(code, text, target)
    metadata = dict(info.metadata)
    if issubclass(kind, errors.InvalidArgumentError):
        violations = [errors.FieldViolation(v.field, v.description) for v in bad_request.field_violations]
        return kind(message_text, violations=violations, reason=reason, metadata=metadata, retry_after=retry_after)
    return kind(message_text, reason=reason, metadata=metadata, retry_after=retry_after)


def _reason(name: str) -> ErrorReason | str:
    """The reason of this name; the name without its prefix where this client does not know it; UNSPECIFIED where the service wrote none."""
    if not name:
        return ErrorReason.UNSPECIFIED
    plain = name.removeprefix(_PREFIX)
    return ErrorReason(plain) if plain in ErrorReason.__members__ else plain


def retry_delay_of(call: Any) -> timedelta | None:
    """How long the service asks to wait before the call is tried again."""
    retry = error_details_pb2.RetryInfo()
    for detail in _details(call):
        if detail.Is(retry.DESCRIPTOR):
            detail.Unpack(retry)
            return retry.retry_delay.ToTimedelta()
    return None


def _details(call: Any) -> list[Any]:
    for key, value in call.trailing_metadata() or ():
        if key == _DETAILS_KEY:
            return list(status_pb2.Status.FromString(value).details)
    return []


def _of_transport(code: grpc.StatusCode, text: str, target: str) -> str:
    """A sentence for a status that the service itself did not write."""
    match code:
        case grpc.StatusCode.UNAVAILABLE:
            return f"the service at {target} cannot be reached"
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return "no answer within the timeout"
        case grpc.StatusCode.RESOURCE_EXHAUSTED if _REQUEST_TOO_LARGE in text:
            return f"the request is larger than the service takes; send less at once ({text})"
        case grpc.StatusCode.CANCELLED:
            return "the call was canceled"
        case grpc.StatusCode.UNIMPLEMENTED:
            return f"the service at {target} does not know this call; is it a StructMem service of this version?"
        case _:
            return text or code.name
