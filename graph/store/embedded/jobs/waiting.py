"""Waiting for work and for changes of a job."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime, timedelta

from graph.model import Job, to_micros
from graph.store.embedded.jobs.work_schedule import WORK, WorkSchedule
from graph.store.port import Clock
from graph.store.signals import Signals


async def wait_for_work(jobs: WorkSchedule, clock: Clock, timeout: timedelta) -> None:
    """Returns when a job may have become due, or at the timeout."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout.total_seconds()
    while True:
        with jobs.changed.subscribed(WORK) as woken:
            now, due = to_micros(clock.now()), jobs.next_due()
            if due is not None and due <= now:
                return
            left = deadline - loop.time()
            await _until(woken, left if due is None else min(left, (due - now) / 1e6))
            if loop.time() >= deadline or (due is not None and not woken.done()):
                return


async def wait_for_job_change(
    changes: Signals, keys: Collection[str], read: Callable[[], Awaitable[Job]], seen: datetime, timeout: timedelta
) -> Job:
    """The job as soon as it was updated after `seen`, or as it is at the timeout; read again only when one of the keys is notified."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + timeout.total_seconds()
    while True:
        with changes.subscribed(*keys) as woken:
            job = await read()
            left = deadline - loop.time()
            if job.updated_at > seen or left <= 0:
                return job
            await _until(woken, left)


async def _until(future: "asyncio.Future[None]", seconds: float) -> None:
    """Waits for a future, at most so long."""
    await asyncio.wait([future], timeout=max(seconds, 0))
