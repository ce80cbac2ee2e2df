"""A deadline that several calls share."""

import time

from structmem._errors import DeadlineExceededError


class Deadline:
    """Counts down from `timeout` seconds; None never ends."""

    def __init__(self, timeout: float | None) -> None:
        self._end = None if timeout is None else time.monotonic() + timeout

    def left(self) -> float | None:
        """Seconds left. Raises DeadlineExceededError when there are none."""
        if self._end is None:
            return None
        left = self._end - time.monotonic()
        if left <= 0:
            raise DeadlineExceededError("the work did not end within the timeout; it goes on")
        return left
