"""Tasks of which only so many run at once; whoever starts one more waits until another has ended."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class BoundedTasks:
    """At most `limit` tasks at once. The error of one that failed is raised by the next call."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._running: set[asyncio.Task[Any]] = set()

    async def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Starts the work as a task as soon as fewer than `limit` are running."""
        try:
            await self._wait_until_at_most(self._limit - 1)
        except BaseException:
            work.close()
            raise
        self._running.add(asyncio.create_task(work))

    async def join(self) -> None:
        """Waits for all tasks."""
        await self._wait_until_at_most(0)

    async def cancel(self) -> None:
        """Cancels all tasks and waits for their end, whatever becomes of them."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._running.clear()

    async def _wait_until_at_most(self, left: int) -> None:
        while len(self._running) > left:
            done, self._running = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
