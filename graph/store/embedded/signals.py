"""Waking those who wait in event loops from the threads that write."""

import asyncio
import threading


class Signal:
    """Something may have changed. Waiters of any event loop are woken by `notify` from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiters: set[asyncio.Future[None]] = set()

    def subscribe(self) -> "asyncio.Future[None]":
        """A future that the next `notify` completes. Take it before looking at the state, so that no change is missed."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            self._waiters.add(future)
        return future

    def unsubscribe(self, future: "asyncio.Future[None]") -> None:
        """Forgets a future that nobody waits for any more."""
        with self._lock:
            self._waiters.discard(future)
        future.cancel()

    def notify(self) -> None:
        """Wakes everyone who has subscribed."""
        with self._lock:
            waiters, self._waiters = self._waiters, set()
        for future in waiters:
            loop = future.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_complete, future)


def _complete(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
