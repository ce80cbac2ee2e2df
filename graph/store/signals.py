"""Waking those who wait in event loops from the threads that write."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# The key of those who wait for work: jobs of any namespace have become due earlier or later.
WORK = "work"


class Signals:
    """Things may have changed, each named by a key. Waiters of any event loop are woken by `notify` from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiters: dict[str, set[asyncio.Future[None]]] = {}

    @contextmanager
    def subscribed(self, *keys: str) -> "Iterator[asyncio.Future[None]]":
        """A future that the next `notify` of any of the keys completes. Take it before looking at the state: then no change is missed."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with self._lock:
            for key in keys:
                self._waiters.setdefault(key, set()).add(future)
        try:
            yield future
        finally:
            with self._lock:
                for key in keys:
                    self._forget(key, future)
            future.cancel()

    def notify(self, *keys: str) -> None:
        """Wakes everyone who has subscribed to one of the keys."""
        with self._lock:
            woken = {future for key in keys for future in self._waiters.pop(key, ())}
        for future in woken:
            loop = future.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(_complete, future)

    def _forget(self, key: str, future: "asyncio.Future[None]") -> None:
        waiters = self._waiters.get(key, set())
        waiters.discard(future)
        if not waiters:
            self._waiters.pop(key, None)


def _complete(future: "asyncio.Future[None]") -> None:
    if not future.done():
        future.set_result(None)
