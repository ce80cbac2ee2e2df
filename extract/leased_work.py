"""Working on leased jobs: the lease is renewed meanwhile, and whatever happens ends as an outcome."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from extract.outcome import failed_attempt, log_fields
from graph.errors import LeaseLost, NotFound
from graph.model import Lease
from graph.store.port import Clock, JobOutcome, Store

_log = logging.getLogger(__name__)
T = TypeVar("T")


class OtherJobs(Protocol):
    """Further jobs of the namespace of a leased one."""

    async def lease(self) -> Lease | None:
        """The next due one; None when there is none."""
        ...

    async def finish(self, lease: Lease, outcome: JobOutcome) -> None:
        """Says how a job ended."""
        ...


class LeasedWork(ABC):
    """What a pipeline does with each job that it is given."""

    def __init__(self, store: Store, clock: Clock, lease: timedelta) -> None:
        """`clock` is the store's; `lease` is for how long a job is leased: renewed at a third of it."""
        self._store = store
        self._clock = clock
        self._lease = lease

    async def run(self, lease: Lease, stopping: Callable[[], bool] = lambda: False, others: OtherJobs | None = None) -> JobOutcome | None:
        """Works on the job for a turn, renewing the lease meanwhile; asked to stop, it hands the job back between two steps.

        A job that is not done when its turn ends is deferred until now: it is queued behind all that are due, and goes on where it was.
        Returns None when there is nothing left to say about the job: the lease was lost, the namespace is gone, or `others` was told.

        Args:
            others: where work that takes several jobs at once has them from. Such work tells of each there, also of this one.
        """
        renewal = asyncio.create_task(kept(self._store, lease, self._lease))
        try:
            return await while_kept(self._attempt(lease, stopping), [renewal])
        finally:
            renewal.cancel()
            await asyncio.gather(renewal, return_exceptions=True)

    @abstractmethod
    async def _work(self, lease: Lease, stopping: Callable[[], bool]) -> JobOutcome:
        """Works on the job. May raise anything."""

    async def _attempt(self, lease: Lease, stopping: Callable[[], bool]) -> JobOutcome | None:
        try:
            return await self._work(lease, stopping)
        except (LeaseLost, NotFound):
            return None
        except Exception as error:  # noqa: BLE001  # an attempt may fail on anything, and must end as an outcome
            _log.exception("an attempt at a job failed", extra={"attempt": lease.job.attempts, **log_fields(error, lease.job)})
            return failed_attempt(error, lease.job.attempts, self._clock.now())


async def kept(store: Store, lease: Lease, duration: timedelta) -> None:
    """Renews the lease at a third of its duration, and returns when it is lost. A store that cannot answer is asked again: the lease may
    outlive its trouble."""
    memory = store.namespace(lease.job.namespace)
    while True:
        await asyncio.sleep(duration.total_seconds() / 3)
        try:
            await memory.renew(lease, duration)
        except (LeaseLost, NotFound):
            return
        except Exception as error:  # noqa: BLE001  # whatever a store raises, the work itself will meet it
            _log.warning("a lease was not renewed", extra=log_fields(error, lease.job))


async def while_kept(work: Coroutine[Any, Any, T], renewals: Sequence[asyncio.Task[None]]) -> T | None:
    """What the work returns or raises; None when every renewal has ended before: then the work is cancelled, as nobody waits for it."""
    working = asyncio.create_task(work)
    losing = asyncio.create_task(_all_lost(renewals))
    try:
        await asyncio.wait({working, losing}, return_when=asyncio.FIRST_COMPLETED)
        return working.result() if working.done() else None
    finally:
        for task in (working, losing):
            task.cancel()
        await asyncio.gather(working, losing, return_exceptions=True)


async def _all_lost(renewals: Sequence[asyncio.Task[None]]) -> None:
    await asyncio.wait(renewals)
