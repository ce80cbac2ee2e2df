"""What a caller is told when a request cannot be answered: a status, a reason, a sentence, and the fields."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import JSONResponse

from structmem import _errors as errors

_MOST_VIOLATIONS = 20
# What the service says of a token is about the adapter's own: its callers cannot mend it.
_STATUSES: tuple[tuple[type[errors.StructMemError], int], ...] = (
    (errors.RequestTooLargeError, 413),
    (errors.InvalidArgumentError, 422),
    (errors.RequestReusedError, 409),
    (errors.DuplicateMessageError, 409),
    (errors.StaleWriteError, 503),
    (errors.ConflictError, 409),
    (errors.UnauthenticatedError, 502),
    (errors.PermissionDeniedError, 502),
    (errors.DeadlineExceededError, 504),
    (errors.StorageFullError, 507),
    (errors.UnavailableError, 503),
    (errors.JobFailedError, 502),
)
# The service's names of fields, and the adapter's.
_FIELDS = (("session", "session_id"), (".text", ".content"), (".sent_at", ".timestamp"), (".speaker", ".role"), ("query.text", "query"))
_RETRY_AFTER_S = 1


@dataclass(frozen=True, slots=True)
class Violation:
    """One field of a body, such as "messages[0].content", and what is wrong with it."""

    field: str
    reason: str


class Refusal(Exception):
    """An answer other than 200."""

    def __init__(
        self, status: int, reason: str, message: str, violations: Sequence[Violation] = (), retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.reason, self.violations, self.retry_after = status, reason, tuple(violations), retry_after

    def response(self) -> JSONResponse:
        """{"error": {"reason", "message", "violations": [{"field", "reason"}]}}"""
        shown = [{"field": one.field, "reason": one.reason} for one in self.violations[:_MOST_VIOLATIONS]]
        error: dict[str, object] = {"reason": self.reason, "message": str(self)}
        if shown:
            error["violations"] = shown
        headers = {} if self.retry_after is None else {"Retry-After": str(max(1, round(self.retry_after)))}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return JSONResponse({"error": error}, self.status, headers)


def refusal_of(error: errors.StructMemError) -> Refusal:
    """What the service's error is to a caller of the adapter."""
    status = next((status for kind, status in _STATUSES if isinstance(error, kind)), 500)
    violations = [Violation(_field(one.field), one.reason) for one in getattr(error, "violations", ())]
    retry_after = error.retry_after.total_seconds() if error.retry_after else _RETRY_AFTER_S if status == 503 else None
    return Refusal(status, str(error.reason), str(error), violations, retry_after)


def _field(name: str) -> str:
    for theirs, ours in _FIELDS:
        if name == theirs or (theirs.startswith(".") and name.endswith(theirs)):
            return name.removesuffix(theirs) + ours
    return name
