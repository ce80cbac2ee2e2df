"""Jobs from several stores: each has its turn, and one that is away does not keep the others waiting."""

import asyncio
from collections.abc import Collection
from datetime import timedelta

from graph.errors import StructMemError
from graph.model import JobKind, Lease
from graph.store.partitioned.routes import Absences, Partition, Routes

# When no store can be asked, this long passes until they are asked again.
_PAUSE_S = 5.0
# How long a job of a misplaced namespace is held before it is looked at again: somebody may have mended the map meanwhile.
_STRAY_REST = timedelta(minutes=10)


class Turns:
    """Leases jobs of all partitions, in turn."""

    def __init__(self, routes: Routes) -> None:
        self._routes = routes
        self._absences = Absences()
        self._partitions = list(routes.partitions)

    async def lease_job(self, worker: str, duration: timedelta, kinds: Collection[JobKind]) -> Lease | None:
        """A job of the partition that has waited longest for its turn and has one due; None when none has.

        Raises what the partitions raise when not one of them could be asked.
        """
        fault: StructMemError | None = None
        for partition in self._absences.without(self._partitions):
            try:
                lease = await self._own_job(partition, worker, duration, kinds)
            except StructMemError as error:
                fault = error
                self._absences.note(partition)
                continue
            if lease is not None:
                self._partitions.remove(partition)
                self._partitions.append(partition)
                return lease
        if fault is not None and not self._absences.without(self._partitions):
            raise fault
        return None

    async def _own_job(self, partition: Partition, worker: str, duration: timedelta, kinds: Collection[JobKind]) -> Lease | None:
        """A job of a namespace that belongs to the partition. One of a namespace that the map sends elsewhere is kept from
        workers, whom the owner would refuse."""
        while (lease := await partition.store.lease_job(worker, duration, kinds)) is not None:
            if self._routes.owner(lease.job.namespace) is partition:
                return lease
            await partition.store.namespace(lease.job.namespace).renew(lease, _STRAY_REST)
        return None

    async def wait_for_work(self, timeout: timedelta) -> None:
        """Returns when a job of any partition may have become due, or at the timeout."""
        waiting = {asyncio.create_task(partition.store.wait_for_work(timeout)) for partition in self._partitions}
        try:
            while waiting:
                done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if any(task.exception() is None for task in done):
                    return
            # Nobody could be asked: as long as that is so, whoever asks again at once would only be in the way.
            await asyncio.sleep(min(timeout.total_seconds(), _PAUSE_S))
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
