"""The workers: lease a job, run it, say how it ended; several at once, until asked to stop."""

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from typing import Any

from extract.leased_work import LeasedWork
from extract.outcome import log_fields
from graph.errors import LeaseLost, NotFound, StorageFull, StoreUnavailable, StructMemError
from graph.model import JobKind, Lease
from graph.store.port import Clock, JobDeferred, JobOutcome, Store

_log = logging.getLogger(__name__)

# How long a worker sleeps at most before it looks for work unasked, and after the store could not answer.
_LOOK_AGAIN = timedelta(seconds=5)
_STORE_TROUBLE = timedelta(seconds=1)
# How soon a store that could not take a job back is asked again: a look costs it little, and the job cannot go on before.
_ASK_AGAIN = timedelta(seconds=0.5)
# What handing a job back may take once the grace is over.
_HAND_BACK = timedelta(seconds=2)


class Worker:
    """Runs jobs, `concurrency` at a time, from `run()` until `stop()`."""

    def __init__(
        self,
        store: Store,
        works: Mapping[JobKind, LeasedWork],
        clock: Clock,
        name: str = "worker",
        concurrency: int = 2,
        lease: timedelta = timedelta(seconds=30),
    ) -> None:
        """`works` tells what is done with a job of a kind, others are left; `name` tells this process's leases apart; `lease` is theirs."""
        self._store = store
        self._works = works
        self._clock = clock
        self._name = name
        self._concurrency = concurrency
        self._lease = lease
        self._stopping = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._untold: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Works until stopped. Cancelling it stops at once; leases then pass by themselves."""
        self._tasks = {asyncio.create_task(self._run_jobs(f"{self._name}/{number}")) for number in range(self._concurrency)}
        try:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        finally:
            left = {*self._tasks, *self._untold}
            for task in left:
                task.cancel()
            await asyncio.gather(*left, return_exceptions=True)

    async def stop(self, grace: timedelta) -> None:
        """Takes no more jobs, lets those under way reach the end of their segment, and hands back what is not done within `grace`."""
        self._stopping.set()
        if not self._tasks:
            return
        _, late = await asyncio.wait(self._tasks, timeout=grace.total_seconds())
        for task in late:
            task.cancel()
        if late:
            await asyncio.wait(late, timeout=_HAND_BACK.total_seconds())

    async def _run_jobs(self, name: str) -> None:
        while not self._stopping.is_set():
            try:
                lease = await self._store.lease_job(name, self._lease, self._works.keys())
                if lease is not None:
                    await self._work(lease, name)
                    continue
                await self._until_stopped(self._store.wait_for_work(_LOOK_AGAIN), _LOOK_AGAIN)
            except Exception as error:  # noqa: BLE001  # a worker outlives whatever a store raises
                _log.warning("no job could be leased", extra={"worker": name, **log_fields(error)})
                await self._until_stopped(asyncio.sleep(_STORE_TROUBLE.total_seconds()), _STORE_TROUBLE)

    async def _work(self, lease: Lease, name: str) -> None:
        others = _OtherJobs(self, name, lease.job.namespace)
        try:
            outcome = await self._works[lease.job.kind].run(lease, self._stopping.is_set, others)
        except asyncio.CancelledError:
            await asyncio.shield(self._finish(lease, JobDeferred(self._clock.now())))
            raise
        if outcome is not None:
            await self.end(lease, outcome)

    async def lease_in(self, namespace: str, name: str) -> Lease | None:
        """A further job of a namespace whose jobs are worked on together; None when none is due or the workers are to stop."""
        if self._stopping.is_set():
            return None
        return await self._store.lease_job(name, self._lease, {JobKind.EXTRACTION}, namespace)

    async def end(self, lease: Lease, outcome: JobOutcome) -> None:
        """Says how a job ended, as soon as the store can hear it."""
        if not await self._finish(lease, outcome):
            # In a task of its own: the trouble of one namespace must not keep others from their work.
            telling = asyncio.create_task(self._finish_later(lease, outcome))
            self._untold.add(telling)
            telling.add_done_callback(self._untold.discard)

    async def _finish(self, lease: Lease, outcome: JobOutcome) -> bool:
        """Says how a job ended; whether there is nothing more to say, for it may help to say it again."""
        try:
            await self._store.namespace(lease.job.namespace).finish_job(lease, outcome)
        except (LeaseLost, NotFound):
            pass  # someone else has the job, or it is gone with its namespace
        except (StoreUnavailable, StorageFull) as error:
            _log.warning("a job could not be handed back yet", extra=log_fields(error, lease.job))
            return False
        except StructMemError as error:
            _log.warning("a job was left to its lease", extra=log_fields(error, lease.job))
        return True

    async def _finish_later(self, lease: Lease, outcome: JobOutcome) -> None:
        """Says it as soon as the store can hear it, so that the job need not wait until its lease runs out."""
        until = self._clock.now() + self._lease
        while self._clock.now() < until:
            await asyncio.sleep(_ASK_AGAIN.total_seconds())
            if await self._finish(lease, outcome):
                return

    async def _until_stopped(self, waiting: Coroutine[Any, Any, None], timeout: timedelta) -> None:
        """Awaits `waiting`, but not past the timeout nor once the workers are to stop."""
        waiter, stop = asyncio.create_task(waiting), asyncio.create_task(self._stopping.wait())
        try:
            done, _ = await asyncio.wait({waiter, stop}, timeout=timeout.total_seconds() + 1, return_when=asyncio.FIRST_COMPLETED)
            if waiter in done:
                waiter.result()
        finally:
            waiter.cancel()
            stop.cancel()
            await asyncio.gather(waiter, stop, return_exceptions=True)


class _OtherJobs:
    """The jobs of one namespace that a worker takes beside the first one. Implements `extract.leased_work.OtherJobs`."""

    def __init__(self, worker: "Worker", name: str, namespace: str) -> None:
        self._worker = worker
        self._name = name
        self._namespace = namespace

    async def lease(self) -> Lease | None:
        return await self._worker.lease_in(self._namespace, self._name)

    async def finish(self, lease: Lease, outcome: JobOutcome) -> None:
        await self._worker.end(lease, outcome)
