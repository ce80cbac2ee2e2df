"""Every error that the client raises on purpose.

StructMemError
├── InvalidArgumentError       the request is wrong; `violations` names each field and why
│   ├── RequestTooLargeError   the whole request is larger than the service takes; send less at once
│   └── CypherRefusedError     a query asks for more than to read; metadata["clause"] names the word
├── CypherLimitError           a query, or the namespace it asks, is larger than what the limits allow
├── NotFoundError              no such session, node or job
│   └── NamespaceNotFoundError no such namespace; metadata["namespace"] names it
├── AlreadyExistsError         the name is taken
├── ConflictError              the state does not allow it
│   ├── RequestReusedError     the request_id was used with another body
│   ├── DuplicateMessageError  the client_id was used with other content
│   └── StaleWriteError        what the writer saw has changed
├── PermissionDeniedError      the token may not do that
├── UnauthenticatedError       no token, or an unknown one
├── UnavailableError           the service cannot be reached or cannot answer now; waiting may help
├── StorageFullError           the service has no space left
├── StoreLimitError            more at once than the service's store takes
├── AnswerTooLargeError        an answer that cannot be cut is larger than the service sends
│   └── ElementTooLargeError   one node or record alone is; metadata["id"] names it
├── LanguageModelMissingError  an answer was asked for, and the service has no language model
├── NamespaceCorruptError      the namespace's data is damaged; other namespaces are not affected
├── DeadlineExceededError      no answer within the timeout
├── CallCanceledError         the call was canceled
├── JobFailedError             the job that was waited for failed or was canceled; `job` has it
└── InternalError              a fault of the service
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from structmem._answers import Job
from structmem._kinds import ErrorReason


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field of a request and what is wrong with it."""

    field: str
    reason: str


class StructMemError(Exception):
    """Every error of StructMem.

    Attributes:
        reason: an ErrorReason; plain text where a newer service has one that this client does not know.
        metadata: what belongs to the reason, such as "batch" or "incident".
        retry_after: how long the service asks to wait, if it does.
    """

    default_reason: ClassVar[ErrorReason] = ErrorReason.INTERNAL

    def __init__(
        self,
        message: str,
        *,
        reason: ErrorReason | str = "",
        metadata: Mapping[str, str] | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message)
        self.reason: ErrorReason | str = reason or self.default_reason
        self.metadata: Mapping[str, str] = dict(metadata or {})
        self.retry_after = retry_after


class InvalidArgumentError(StructMemError):
    """The request is wrong; `violations` names each field and why."""

    default_reason = ErrorReason.INVALID_ARGUMENT

    def __init__(
        self,
        message: str,
        *,
        violations: Sequence[FieldViolation] = (),
        reason: ErrorReason | str = "",
        metadata: Mapping[str, str] | None = None,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(message, reason=reason, metadata=metadata, retry_after=retry_after)
        self.violations = tuple(violations)

    @classmethod
    def of(cls, field: str, reason: str) -> "InvalidArgumentError":
        """The error for a single field."""
        return cls(f"{field}: {reason}", violations=(FieldViolation(field, reason),))


class RequestTooLargeError(InvalidArgumentError):
    """The whole request is larger than the service takes (`max_receive_mb`, 16 MB); gRPC refuses it unread, however often it is sent."""

    default_reason = ErrorReason.UNSPECIFIED


class CypherRefusedError(InvalidArgumentError):
    """A query in Cypher asks for more than to read. `metadata["clause"]` names the word or the operator."""

    default_reason = ErrorReason.CYPHER_REFUSED


class CypherLimitError(StructMemError):
    """A query wants more memory than it may take, or the namespace is too large for one."""

    default_reason = ErrorReason.CYPHER_LIMIT


class NotFoundError(StructMemError):
    """There is no such thing."""

    default_reason = ErrorReason.NOT_FOUND


class NamespaceNotFoundError(NotFoundError):
    """There is no such namespace."""

    default_reason = ErrorReason.NAMESPACE_NOT_FOUND


class AlreadyExistsError(StructMemError):
    """The name is taken."""

    default_reason = ErrorReason.ALREADY_EXISTS


class ConflictError(StructMemError):
    """The state does not allow it."""

    default_reason = ErrorReason.CONFLICT


class RequestReusedError(ConflictError):
    """The request_id was used with another body."""

    default_reason = ErrorReason.REQUEST_ID_REUSED


class DuplicateMessageError(ConflictError):
    """The client_id was used with other content."""

    default_reason = ErrorReason.MESSAGE_ID_REUSED


class StaleWriteError(ConflictError):
    """What the writer saw has changed; read again."""

    default_reason = ErrorReason.STALE_WRITE


class PermissionDeniedError(StructMemError):
    """The token may not do that."""

    default_reason = ErrorReason.PERMISSION_DENIED


class UnauthenticatedError(StructMemError):
    """There is no token, or nobody has it."""

    default_reason = ErrorReason.UNAUTHENTICATED


class UnavailableError(StructMemError):
    """The service cannot be reached or cannot answer now."""

    default_reason = ErrorReason.STORE_UNAVAILABLE


class StorageFullError(StructMemError):
    """The service has no space left to write."""

    default_reason = ErrorReason.STORAGE_FULL


class StoreLimitError(StructMemError):
    """The service's store gives one call less memory than this one needs; the same call meets the same limit again."""

    default_reason = ErrorReason.STORE_LIMIT


class AnswerTooLargeError(StructMemError):
    """An answer that cannot be cut is larger than the service sends; ask for less."""

    default_reason = ErrorReason.ANSWER_TOO_LARGE


class ElementTooLargeError(AnswerTooLargeError):
    """One node or record alone is larger than the service sends. `metadata["id"]` names it."""

    default_reason = ErrorReason.ELEMENT_TOO_LARGE


class LanguageModelMissingError(StructMemError):
    """An answer was asked for, and the service has no language model; the message says which setting is missing."""

    default_reason = ErrorReason.LANGUAGE_MODEL_MISSING


class NamespaceCorruptError(StructMemError):
    """The namespace's data is damaged; `structmem doctor` tells more."""

    default_reason = ErrorReason.NAMESPACE_CORRUPT


class DeadlineExceededError(StructMemError):
    """There was no answer within the timeout."""

    default_reason = ErrorReason.DEADLINE_EXCEEDED


class CallCanceledError(StructMemError):
    """The call was canceled."""

    default_reason = ErrorReason.UNSPECIFIED


class InternalError(StructMemError):
    """A fault of the service."""


class JobFailedError(StructMemError):
    """A job that was waited for failed or was canceled. The messages are kept; `retry_job` starts it again."""

    default_reason = ErrorReason.UNSPECIFIED

    def __init__(self, job: Job) -> None:
        why = f": {job.error.message}" if job.error else ""
        super().__init__(f"job {job.id} is {job.state}{why}", reason=job.error.reason if job.error else "")
        self.job = job
