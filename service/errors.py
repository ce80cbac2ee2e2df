"""Errors of the process itself; the domain's are in `graph.errors`, whose tree these extend."""

from graph.errors import InvalidArgument, StructMemError


class InvalidSettings(InvalidArgument):
    """A setting is wrong; `violations` names each and why. Raised before anything starts."""

    reason = "INVALID_SETTINGS"


class DeadlineExceeded(StructMemError):
    """The caller's deadline passed before the answer was there; its work was stopped."""

    status = "DEADLINE_EXCEEDED"
    reason = "DEADLINE_EXCEEDED"


class StreamStalled(StructMemError):
    """The reader of a stream stood still; what the stream held has been let go."""

    status = "DEADLINE_EXCEEDED"
    reason = "STREAM_STALLED"


class ShuttingDown(StructMemError):
    """The service is stopping and no longer waits on behalf of callers."""

    status = "UNAVAILABLE"
    reason = "SHUTTING_DOWN"


class AnswerTooLarge(StructMemError):
    """An answer that cannot be cut is larger than answers may be (`max_send_mb`). The metadata has its `bytes` and the `limit`."""

    # Not RESOURCE_EXHAUSTED: the same call meets the same limit again, so that nobody should repeat it.
    status = "FAILED_PRECONDITION"
    reason = "ANSWER_TOO_LARGE"

    def __init__(self, size: int, limit: int) -> None:
        told = f"the answer has {size:,} bytes; {limit:,} is the most that is sent (max_send_mb). Ask for less"
        super().__init__(told, metadata={"bytes": str(size), "limit": str(limit)})


class ElementTooLarge(StructMemError):
    """One element alone is larger than an answer may be. The metadata has its `id`, its `bytes`, the `limit`, and in listings the
    `next_page_token` that goes on after it.
    """

    status = "FAILED_PRECONDITION"
    reason = "ELEMENT_TOO_LARGE"

    def __init__(self, id_: str, size: int, limit: int, next_page_token: str = "") -> None:
        told = f"{id_} alone has {size:,} bytes; one may have {limit:,} (max_send_mb, less what an answer holds beside it)"
        more = {"next_page_token": next_page_token} if next_page_token else {}
        super().__init__(told, metadata={"id": id_, "bytes": str(size), "limit": str(limit), **more})
