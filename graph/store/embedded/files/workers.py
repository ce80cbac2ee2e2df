"""The threads in which the store blocks."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from graph.errors import StoreUnavailable
from graph.giving_up import told

T = TypeVar("T")


class Workers:
    """A small thread pool for an asyncio caller."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="store")

    async def run(self, work: Callable[[], T]) -> T:
        """Runs `work` in a thread. When the caller is cancelled, work that has not begun never does; work under way sees `given_up()`."""
        future, token = self._submit(work)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            token.set()
            future.cancel()
            raise

    async def run_to_end(self, work: Callable[[], T]) -> T:
        """As `run`, but a cancelled caller is only let go when the work has ended: for steps that share something with the next one.

        A caller may be cancelled more than once, by its deadline and by whoever waits for it: none of that cuts the waiting short.
        """
        future, token = self._submit(work)
        return await _ended(asyncio.wrap_future(future), token)

    async def let_go(self, work: Callable[[], None]) -> None:
        """As `run_to_end`, for work that closes something: where the threads have ended already, it is done in this one."""
        try:
            future, token = self._submit(work)
        except StoreUnavailable:
            work()
        else:
            await _ended(asyncio.wrap_future(future), token)

    def _submit(self, work: Callable[[], T]) -> tuple[Future[T], threading.Event]:
        token = threading.Event()
        try:
            return self._pool.submit(told(token, work)), token
        except RuntimeError:
            raise StoreUnavailable("the store is closed") from None

    def later(self, work: Callable[[], None]) -> None:
        """Runs `work` in a thread some time, unless the pool closes first."""
        with suppress(RuntimeError):
            self._pool.submit(work)

    def close(self) -> None:
        """Waits for what is under way."""
        self._pool.shutdown(wait=True)


async def _ended(work: "asyncio.Future[T]", token: threading.Event) -> T:
    """What the work gives, once it has ended; the first cancellation is told to the work, and raised after its end."""
    cancellation: asyncio.CancelledError | None = None
    while not work.done():
        try:
            await asyncio.wait([work])
        except asyncio.CancelledError as error:
            cancellation = cancellation or error
            token.set()
    if cancellation is None:
        return work.result()
    if not work.cancelled():
        work.exception()  # seen: the cancellation is what the caller gets
    raise cancellation
