"""Every error that StructMem raises on purpose.

    StructMemError
    ├── InvalidArgument            bad input; names the field and the reason
    ├── NotFound                   no such node or job
    │   └── NamespaceNotFound      no such namespace
    ├── AlreadyExists              the name of a namespace is taken
    ├── Conflict                   the state does not allow it
    │   ├── RequestReused          the same request_id with another body
    │   ├── DuplicateMessage       the same client_id with other content
    │   ├── LeaseLost              another worker holds the job, or it was cancelled
    │   └── StaleWrite             watermark, generation or evidence is not what the writer saw
    ├── PermissionDenied           the principal may not do that
    ├── Unauthenticated            no principal, or an unknown token
    ├── StoreBusy                  another process owns the data directory
    ├── StoreUnavailable           the store cannot answer now (I/O error, read-only disk); waiting may help
    ├── RevisionNotReached         the store is behind a write that the reader has to see
    ├── StorageFull                no space left
    ├── StoreLimit                 more at once than the store takes; the same again meets the same limit
    ├── TooManyExports             as many exports are read as may be at once; one of them has to end first
    ├── EmbedderUnavailable        the embedding model gives no vectors now; waiting may help
    ├── LanguageModelMissing       an answer was asked for, and there is no language model
    ├── LanguageModelUnavailable   the language model gives no answer now; waiting may help
    ├── NamespaceCorrupt           the namespace's file is damaged; other namespaces are not affected
    ├── CypherRefused              a query may not do what it asks for; names the word and why
    ├── CypherInvalid              a query that cannot be understood, or fails as it runs
    ├── CypherTimeout              a query took longer than it may
    ├── CypherLimit                a query, or the namespace it asks, is larger than what the limits allow
    └── CypherUnavailable          queries cannot be run here as it is set up

Each class knows its gRPC status by name and a stable reason; one interceptor turns it into a status. `str(error)` is written for the
caller and never holds a path, SQL, another tenant's data or a library's own text.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One field of a request and what is wrong with it."""

    field: str
    reason: str


class StructMemError(Exception):
    """Base of every error of StructMem."""

    status: ClassVar[str] = "INTERNAL"
    reason: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, *, metadata: Mapping[str, str] | None = None, retry_after: timedelta | None = None):
        super().__init__(message)
        self.metadata: Mapping[str, str] = dict(metadata or {})
        self.retry_after = retry_after


class InvalidArgument(StructMemError):
    """The request is wrong; `violations` names each field and why."""

    status = "INVALID_ARGUMENT"
    reason = "INVALID_ARGUMENT"

    def __init__(self, violations: Sequence[FieldViolation]):
        super().__init__("; ".join(f"{v.field}: {v.reason}" for v in violations))
        self.violations = tuple(violations)

    @classmethod
    def of(cls, field: str, reason: str) -> "InvalidArgument":
        """The error for a single field."""
        return cls([FieldViolation(field, reason)])


class NotFound(StructMemError):
    """There is no such thing."""

    status = "NOT_FOUND"
    reason = "NOT_FOUND"


class NamespaceNotFound(NotFound):
    """There is no such namespace, or not the one any more that was meant."""

    reason = "NAMESPACE_NOT_FOUND"

    def __init__(self, name: str) -> None:
        super().__init__(f"namespace {name!r} does not exist", metadata={"namespace": name})


class AlreadyExists(StructMemError):
    """A namespace of that name is there."""

    status = "ALREADY_EXISTS"
    reason = "ALREADY_EXISTS"

    def __init__(self, name: str) -> None:
        super().__init__(f"namespace {name!r} already exists", metadata={"namespace": name})


class Conflict(StructMemError):
    """The state does not allow it."""

    status = "FAILED_PRECONDITION"
    reason = "CONFLICT"


class RequestReused(Conflict):
    """The request_id was used with another body."""

    status = "ALREADY_EXISTS"
    reason = "REQUEST_ID_REUSED"


class DuplicateMessage(Conflict):
    """The client_id was used with other content."""

    status = "ALREADY_EXISTS"
    reason = "MESSAGE_ID_REUSED"


class LeaseLost(Conflict):
    """Another worker holds the job, or it was cancelled."""

    status = "ABORTED"
    reason = "LEASE_LOST"


class StaleWrite(Conflict):
    """What the writer read has changed; read again."""

    status = "ABORTED"
    reason = "STALE_WRITE"


class PermissionDenied(StructMemError):
    """The principal may not do that."""

    status = "PERMISSION_DENIED"
    reason = "PERMISSION_DENIED"


class Unauthenticated(StructMemError):
    """There is no token, or nobody has it."""

    status = "UNAUTHENTICATED"
    reason = "UNAUTHENTICATED"


class StoreBusy(StructMemError):
    """Another process owns the data directory."""

    status = "FAILED_PRECONDITION"
    reason = "STORE_BUSY"


class StoreUnavailable(StructMemError):
    """The store cannot answer now."""

    status = "UNAVAILABLE"
    reason = "STORE_UNAVAILABLE"


class RevisionNotReached(StructMemError):
    """The store is behind the caller's consistency token, such as one restored from a backup."""

    status = "UNAVAILABLE"
    reason = "REVISION_NOT_REACHED"


class StorageFull(StructMemError):
    """There is no space left to write."""

    status = "RESOURCE_EXHAUSTED"
    reason = "STORAGE_FULL"


class StoreLimit(StructMemError):
    """The store gives one call less memory than this one needs."""

    # Not RESOURCE_EXHAUSTED: the same call meets the same limit again, so that nobody should repeat it.
    status = "FAILED_PRECONDITION"
    reason = "STORE_LIMIT"


class TooManyExports(StructMemError):
    """As many exports are read at once as may be; each holds files open for as long as its reader takes."""

    status = "RESOURCE_EXHAUSTED"
    reason = "TOO_MANY_EXPORTS"


class EmbedderUnavailable(StructMemError):
    """The embedding model cannot be reached, or what it answers cannot be used. Jobs are tried again, queries go on without vectors."""

    status = "UNAVAILABLE"
    reason = "EMBEDDER_UNAVAILABLE"


class LanguageModelMissing(StructMemError):
    """An answer was asked for, and the service was set up without a language model."""

    status = "FAILED_PRECONDITION"
    reason = "LANGUAGE_MODEL_MISSING"


class LanguageModelUnavailable(StructMemError):
    """The language model cannot be asked, or broke off. The metadata's `cause` is a stable word or a status."""

    status = "UNAVAILABLE"
    reason = "LANGUAGE_MODEL_UNAVAILABLE"

    def __init__(self, cause: str) -> None:
        told = f"the language model gave no answer ({cause})"
        # The service has tried several times already.
        super().__init__(told, metadata={"cause": cause}, retry_after=timedelta(seconds=10))


class NamespaceCorrupt(StructMemError):
    """The namespace's file is damaged; `structmem doctor` tells more."""

    status = "DATA_LOSS"
    reason = "NAMESPACE_CORRUPT"


class CypherRefused(StructMemError):
    """A query asks for something that is not allowed: to write, to call a procedure, to read a file."""

    status = "INVALID_ARGUMENT"
    reason = "CYPHER_REFUSED"


class CypherInvalid(StructMemError):
    """A query cannot be understood, or failed as it ran."""

    status = "INVALID_ARGUMENT"
    reason = "CYPHER_INVALID"


class CypherTimeout(StructMemError):
    """A query took longer than it may; it was stopped."""

    status = "DEADLINE_EXCEEDED"
    reason = "CYPHER_TIMEOUT"


class CypherLimit(StructMemError):
    """A query wants more memory, or the namespace is larger, than the limits allow."""

    # Not RESOURCE_EXHAUSTED: the same query meets the same limit again, so that nobody should repeat it.
    status = "FAILED_PRECONDITION"
    reason = "CYPHER_LIMIT"


class CypherUnavailable(StructMemError):
    """Queries cannot be run here: the engine is not installed, cannot be locked in, or the store is not the one that is asked for."""

    status = "FAILED_PRECONDITION"
    reason = "CYPHER_UNAVAILABLE"
