"""Holds each call to its caller's deadline: when it passes, the work stops and the caller is told so."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from service import call_context
from service.errors import DeadlineExceeded
from service.interceptors.call_interceptor import CallInterceptor, Context


class Deadlines(CallInterceptor):
    """Cancels the call at its deadline and notes it, so that whatever waits on a caller's behalf knows how long it may."""

    @asynccontextmanager
    async def around(self, method: str, context: Context) -> AsyncIterator[None]:
        """Runs the call within its time. Raises DeadlineExceeded."""
        remaining = context.time_remaining()
        # Callers without a deadline are given a time of centuries by some clients.
        if remaining is None or remaining > 10**8:
            yield
            return
        call_context.current().deadline = asyncio.get_running_loop().time() + remaining
        limit = asyncio.timeout(remaining)
        try:
            async with limit:
                yield
        except TimeoutError:
            if not limit.expired():
                raise
            raise DeadlineExceeded("the deadline passed before the answer was there") from None
