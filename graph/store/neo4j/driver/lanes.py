"""A few writes at once, and no more: what comes after waits for a free lane."""

import asyncio
from collections.abc import Coroutine
from typing import Any


class Lanes:
    """Runs what it is given, `count` at once. The first that fails stops the rest: its error is raised by the next call."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._running: set[asyncio.Task[Any]] = set()

    async def run(self, work: Coroutine[Any, Any, Any]) -> None:
        """Begins the work as soon as there is a free lane."""
        try:
            await self._until(self._count - 1)
        except BaseException:
            work.close()
            raise
        self._running.add(asyncio.create_task(work))

    async def complete(self) -> None:
        """Waits for all that was begun."""
        await self._until(0)

    async def abandon(self) -> None:
        """Ends what is under way, whatever becomes of it."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        self._running.clear()

    async def _until(self, left: int) -> None:
        while len(self._running) > left:
            done, self._running = await asyncio.wait(self._running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
