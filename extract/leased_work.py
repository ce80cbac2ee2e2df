"""Working on leased jobs: the lease is renewed meanwhile, and whatever happens ends as an outcome."""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import timedelta

from extract.outcome import failed_attempt, log_fields
from graph.errors import LeaseLost, NotFound
from graph.model import Lease
from graph.store.port import Clock, JobOutcome, Store

_log = logging.getLogger(__name__)


class LeasedWork(ABC):
    """What a pipeline does with each job that it is given."""

    def __init__(self, store: Store, clock: Clock, lease: timedelta) -> None:
        """`clock` is the store's; `lease` is for how long a job is leased: renewed at a third of it."""
        self._store = store
        self._clock = clock
        self._lease = lease

    async def run(self, lease: Lease, stopping: Callable[[], bool] = lambda: False) -> JobOutcome | None:
        """Works on the job for a turn, renewing the lease meanwhile; asked to stop, it hands the job back between two steps.

        A job that is not done when its turn ends is deferred until now: it is queued behind all that are due, and goes on where it was.
        Returns None when the lease was lost or the namespace is gone: then there is nothing left to say about the job.
        """
        work = asyncio.create_task(self._attempt(lease, stopping))
        renewal = asyncio.create_task(self._keep(lease))
        try:
            await asyncio.wait({work, renewal}, return_when=asyncio.FIRST_COMPLETED)
            return work.result() if work.done() else None
        finally:
            for task in (work, renewal):
                task.cancel()
            await asyncio.gather(work, renewal, return_exceptions=True)

    @abstractmethod
    async def _work(self, lease: Lease, stopping: Callable[[], bool]) -> JobOutcome:
        """Works on the job. May raise anything."""

    async def _keep(self, lease: Lease) -> None:
        """Renews the lease until it is lost. A store that cannot answer is asked again: the lease may outlive its trouble."""
        memory = self._store.namespace(lease.job.namespace)
        while True:
            await asyncio.sleep(self._lease.total_seconds() / 3)
            try:
                await memory.renew(lease, self._lease)
            except (LeaseLost, NotFound):
                return
            except Exception as error:  # noqa: BLE001  # whatever a store raises, the work itself will meet it
                _log.warning("a lease was not renewed", extra=log_fields(error, lease.job))

    async def _attempt(self, lease: Lease, stopping: Callable[[], bool]) -> JobOutcome | None:
        try:
            return await self._work(lease, stopping)
        except (LeaseLost, NotFound):
            return None
        except Exception as error:  # noqa: BLE001  # an attempt may fail on anything, and must end as an outcome
            _log.exception("an attempt at a job failed", extra={"attempt": lease.job.attempts, **log_fields(error, lease.job)})
            return failed_attempt(error, lease.job.attempts, self._clock.now())
