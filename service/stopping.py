"""The signal that the service is stopping, for calls that wait on their callers' behalf."""

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from typing import Any, TypeVar

from service.errors import ShuttingDown

T = TypeVar("T")


class Stopping:
    """Set once, when the service begins to stop."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """The service stops."""
        self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()

    async def unless(self, work: Awaitable[T]) -> T:
        """What the work gives; raises ShuttingDown, and stops the work, as soon as the service stops."""
        task = asyncio.ensure_future(work)
        signal = asyncio.ensure_future(self._event.wait())
        try:
            await asyncio.wait({task, signal}, return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                raise ShuttingDown("the service is stopping; ask again", retry_after=timedelta(seconds=2))
            return await task
        finally:
            task.cancel()
            task.add_done_callback(_seen)
            signal.cancel()


def _seen(ended: "asyncio.Future[Any]") -> None:
    """Whoever waited is gone: an error of the work concerns nobody any more."""
    if not ended.cancelled():
        ended.exception()
