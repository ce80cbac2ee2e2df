"""An error as a `google.rpc.Status` that every client can take: bounded by what it weighs in the trailing headers of a call.

Clients refuse headers beyond 8 KiB in all (Java and Python end the call, or the connection, with an error of their own), and count them as
they travel: the message percent-encoded, where a Japanese character takes nine bytes, and the details in base64.
"""

from collections.abc import Iterable, Mapping
from datetime import timedelta

import grpc
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from graph.errors import FieldViolation, InvalidArgument, StructMemError
from service.convert.reasons import reason_name

DOMAIN = "structmem"
DETAILS = "grpc-status-details-bin"
# Bytes as they travel. With the names of these headers, 32 bytes that HTTP/2 adds for each (RFC 7540, 6.5.2), the request id and what gRPC
# itself sends (some 500 bytes), they stay below 8 KiB.
MAX_MESSAGE_BYTES = 2_048
MAX_DETAILS_BYTES = 5_000
_MAX_MESSAGE = 600
_MAX_VALUE_BYTES = 200
# What a caller sends back as it is, and what is of no use in part: a token of ours, of some hundred bytes.
_WHOLE = frozenset({"next_page_token"})
_MAX_FIELD_BYTES = 300
_MAX_DESCRIPTION_BYTES = 1_000
# What gRPC sends as it is: printable ASCII but for the percent sign (gRPC over HTTP/2, "Percent-Byte").
_PLAIN = frozenset(range(0x20, 0x7F)) - {0x25}
# Where the error does not know better: a store that stumbles is back soon, space takes somebody who frees it.
_RETRY_AFTER = {"UNAVAILABLE": timedelta(seconds=1), "RESOURCE_EXHAUSTED": timedelta(seconds=30)}


def status_of(error: StructMemError) -> status_pb2.Status:
    """The error with ErrorInfo, and BadRequest or RetryInfo where they say more.

    Of violations the first ones are told, as many as there is room for; ErrorInfo's `violations` then counts all of them.
    """
    status = status_pb2.Status(code=grpc.StatusCode[error.status].value[0], message=_message(str(error)))
    retry_after = error.retry_after or _RETRY_AFTER.get(error.status)
    if retry_after is not None:
        delay = Duration()
        delay.FromTimedelta(retry_after)
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    violations = error.violations if isinstance(error, InvalidArgument) else ()
    info = error_details_pb2.ErrorInfo(reason=reason_name(error.reason), domain=DOMAIN, metadata=_metadata(error.metadata))
    told = _told(status, [info], violations)
    if len(told.field_violations) < len(violations):
        info.metadata["violations"] = str(len(violations))
        told = _told(status, [info], violations)
    for detail in (info, told) if violations else (info,):
        status.details.add().Pack(detail)
    return status


def encoded_message_bytes(message: str) -> int:
    """How many bytes a message is as the header `grpc-message`."""
    return sum(1 if byte in _PLAIN else 3 for byte in message.encode())


def encoded_details_bytes(status: status_pb2.Status) -> int:
    """How many bytes a status is as the header `grpc-status-details-bin`."""
    return -(-status.ByteSize() * 4 // 3)


def _message(text: str) -> str:
    """The text, or as much of it as may be sent."""
    if len(text) <= _MAX_MESSAGE and encoded_message_bytes(text) <= MAX_MESSAGE_BYTES:
        return text
    ending = " …"
    room = MAX_MESSAGE_BYTES - encoded_message_bytes(ending)
    for end, sign in enumerate(text[:_MAX_MESSAGE]):
        room -= encoded_message_bytes(sign)
        if room < 0:
            return text[:end] + ending
    return text[:_MAX_MESSAGE] + ending


def _metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    return {key: value if key in _WHOLE else _cut(value, _MAX_VALUE_BYTES) for key, value in metadata.items()}


def _told(status: status_pb2.Status, others: Iterable[Message], violations: Iterable[FieldViolation]) -> error_details_pb2.BadRequest:
    """As many violations, from the first on, as fit beside the status and its other details; always the first."""
    told = error_details_pb2.BadRequest()
    for violation in violations:
        tried = status_pb2.Status()
        tried.CopyFrom(status)
        longer = error_details_pb2.BadRequest()
        longer.CopyFrom(told)
        longer.field_violations.add(
            field=_cut(violation.field, _MAX_FIELD_BYTES), description=_cut(violation.reason, _MAX_DESCRIPTION_BYTES)
        )
        for detail in (*others, longer):
            tried.details.add().Pack(detail)
        if told.field_violations and encoded_details_bytes(tried) > MAX_DETAILS_BYTES:
            break
        told = longer
    return told


def _cut(text: str, limit: int) -> str:
    """At most so many bytes of UTF-8, whole characters."""
    data = text.encode()
    return text if len(data) <= limit else data[: limit - 3].decode(errors="ignore") + "…"
