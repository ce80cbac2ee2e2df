"""Jobs: durable background work with a state, a lease and progress."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class JobKind(IntEnum):
    """What a job does. The numbers are stored and are those of the contract."""

    EXTRACTION = 1
    CONSOLIDATION = 2


class JobState(IntEnum):
    """Where a job stands. The numbers are stored and are those of the contract."""

    QUEUED = 1
    RUNNING = 2
    SUCCEEDED = 3
    FAILED = 4
    CANCELED = 5


TERMINAL_STATES = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED})


@dataclass(frozen=True, slots=True)
class JobError:
    """Why a job, an attempt or a part of it failed: a stable reason and a sentence for people."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Job:
    """One job. `done` and `total` count messages for an extraction, events for a consolidation, which has no session."""

    id: str
    namespace: str
    kind: JobKind
    state: JobState
    created_at: datetime
    updated_at: datetime
    run_after: datetime
    session: str = ""
    done: int = 0
    total: int = 0
    attempts: int = 0
    error: JobError | None = None
    partial_failures: tuple[JobError, ...] = ()


@dataclass(frozen=True, slots=True)
class Lease:
    """A worker's hold on a job until `expires_at` of the store's clock. `epoch` fences out a worker whose lease has passed."""

    job: Job
    worker: str
    epoch: int
    expires_at: datetime
