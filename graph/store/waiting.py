"""Waiting for a job to change."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime, timedelta

from graph.model import Job
from graph.store.signals import Signals


async def wait_for_job_change(
    changes: Signals,
    keys: Collection[str],
    read: Callable[[], Awaitable[Job]],
    seen: datetime,
    timeout: timedelta,
    meanwhile: Callable[[Job], AbstractContextManager[None]] = lambda _: nullcontext(),
) -> Job:
    """The job as soon as it was updated after `seen`, or as it is at the timeout; read again only when one of the keys is notified.

    Args:
        meanwhile: entered while the job as it was read is waited for.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout.total_seconds()
    while True:
        with changes.subscribed(*keys) as woken:
            job = await read()
            left = deadline - loop.time()
            if job.updated_at > seen or left <= 0:
                return job
            with meanwhile(job):
                await asyncio.wait([woken], timeout=left)
