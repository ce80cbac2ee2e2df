"""Errors of the process itself; the domain's are in `graph.errors`, whose tree these extend."""

from graph.errors import InvalidArgument, StructMemError


class InvalidSettings(InvalidArgument):
    """A setting is wrong; `violations` names each and why. Raised before anything starts."""

    reason = "INVALID_SETTINGS"


class DeadlineExceeded(StructMemError):
    """The caller's deadline passed before the answer was there; its work was stopped."""

    status = "DEADLINE_EXCEEDED"
    reason = "DEADLINE_EXCEEDED"


class ShuttingDown(StructMemError):
    """The service is stopping and no longer waits on behalf of callers."""

    status = "UNAVAILABLE"
    reason = "SHUTTING_DOWN"
