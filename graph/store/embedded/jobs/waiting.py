"""Waiting for work."""

import asyncio
from datetime import timedelta

from graph.model import to_micros
from graph.store.embedded.jobs.work_schedule import WorkSchedule
from graph.store.port import Clock
from graph.store.signals import WORK


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


async def _until(future: "asyncio.Future[None]", seconds: float) -> None:
    """Waits for a future, at most so long."""
    await asyncio.wait([future], timeout=max(seconds, 0))
