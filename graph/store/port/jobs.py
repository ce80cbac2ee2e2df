"""Jobs of a namespace: leased work handed back, looked at and steered."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from graph.model import Job, JobError, JobKind, JobState, Lease
from graph.store.port.reading import PAGE_BYTES, Cursor, Page


@dataclass(frozen=True, slots=True)
class JobSucceeded:
    """The job is done."""


@dataclass(frozen=True, slots=True)
class JobDeferred:
    """The job goes back into the queue until `run_after`: it waits for more messages, or its worker is shutting down.

    Who does not want to wait ends that, unless it is a `pause`: what could not be done now is not to be tried again at once.
    """

    run_after: datetime
    pause: bool = False


@dataclass(frozen=True, slots=True)
class JobAttemptFailed:
    """The attempt failed. With `retry_at` the job is tried again then; without, it rests as FAILED."""

    error: JobError
    retry_at: datetime | None


JobOutcome = JobSucceeded | JobDeferred | JobAttemptFailed


@dataclass(frozen=True, slots=True)
class JobQuery:
    """Which jobs to list: of any of these states and kinds; of all where there are none."""

    states: frozenset[JobState] = frozenset()
    kinds: frozenset[JobKind] = frozenset()


class Jobs(Protocol):
    """Jobs of a namespace: leased work handed back, looked at and steered."""

    async def renew(self, lease: Lease, duration: timedelta) -> Lease:
        """Prolongs a lease. Raises LeaseLost."""
        ...

    async def finish_job(self, lease: Lease, outcome: JobOutcome) -> Job:
        """Ends or hands back a leased job.

        JobSucceeded while unextracted messages up to the job's target remain leaves it queued. Raises LeaseLost.
        """
        ...

    async def get_job(self, job_id: str) -> Job:
        """One job."""
        ...

    async def list_jobs(self, query: JobQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Job]:
        """Jobs, newest first. A page ends early where it would have more than `max_bytes`."""
        ...

    async def wait_for_job_change(self, job_id: str, seen: datetime, timeout: timedelta) -> Job:
        """The job as soon as its `updated_at` is later than `seen`, or as it is at the timeout."""
        ...

    async def expedite_job(self, job_id: str) -> Job:
        """Flushes the job's session, so that the job does not wait for more messages."""
        ...

    async def cancel_job(self, job_id: str) -> Job:
        """Cancels a job; its lease, if any, is lost. Raises Conflict when it has ended."""
        ...

    async def retry_job(self, job_id: str) -> Job:
        """Queues a failed or cancelled job again. Raises Conflict when it is neither."""
        ...
