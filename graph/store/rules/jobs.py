"""Jobs, and all that every store decides about them: a store reads a `JobRow`, and keeps the one that these functions make of it.

A lease's epoch fences out a worker whose lease has passed to another. Times are in microseconds.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from typing import Any

import orjson

from graph.errors import Conflict, LeaseLost, NotFound
from graph.model import (
    DISTANT_FUTURE,
    TERMINAL_STATES,
    ExtractionMode,
    Job,
    JobError,
    JobKind,
    JobState,
    Lease,
    Namespace,
    from_micros,
    to_micros,
)
from graph.store.port import JOB_RETENTION, JobAttemptFailed, JobDeferred, JobOutcome, Page
from graph.store.rules.paging import page_within
from graph.store.rules.spec_rules import waits_for_vectors

# What could not be taken of a job's messages is told of the last ones: a model that fails throughout fills neither a file nor an answer.
MAX_PARTIAL_FAILURES = 100
OPEN_STATES = (JobState.QUEUED, JobState.RUNNING)
_MICROSECOND = timedelta(microseconds=1)
# `idle_until` of a job that nobody hurries.
_NEVER = to_micros(DISTANT_FUTURE)


@dataclass(frozen=True, slots=True)
class JobRow:
    """A stored job.

    `session` is "" when it was deleted, and of a consolidation; `expires_at` is when the lease of a running one ends, 0 for others.
    """

    id: str
    key: int
    kind: JobKind
    state: JobState
    session: str
    created_at: int
    updated_at: int
    run_after: int
    idle_until: int
    target: int
    done: int = 0
    total: int = 0
    attempts: int = 0
    epoch: int = 0
    expires_at: int = 0
    worker: str = ""
    error: JobError | None = None
    partial_failures: tuple[JobError, ...] = ()

    @property
    def due_at(self) -> int | None:
        """When a worker may take it; None when it has ended."""
        if self.state in TERMINAL_STATES:
            return None
        return self.expires_at if self.state is JobState.RUNNING else self.run_after


def job_of(namespace: str, row: JobRow) -> Job:
    """The job that a row holds."""
    return Job(
        id=row.id,
        namespace=namespace,
        kind=row.kind,
        state=row.state,
        created_at=from_micros(row.created_at),
        updated_at=from_micros(row.updated_at),
        run_after=from_micros(row.run_after),
        session=row.session,
        done=row.done,
        total=max(row.total, row.done),
        attempts=row.attempts,
        error=row.error,
        partial_failures=row.partial_failures,
    )


def page_of_jobs(namespace: str, found: Sequence[JobRow], limit: int, max_bytes: int) -> Page[Job]:
    """A page of at most `limit` of the rows that were found and of so many bytes; a row beyond the limit tells that there are more."""
    return page_within(max_bytes, [job_of(namespace, row) for row in found[:limit]], [(row.key,) for row in found])


def stored_values(row: JobRow) -> dict[str, Any]:
    """The fields of a job by name, as every store keeps them; None for what is not there."""
    values = {field.name: getattr(row, field.name) for field in fields(row)}
    failures = [[error.reason, error.message] for error in row.partial_failures]
    return values | {
        "worker": row.worker or None,
        "error": orjson.dumps([row.error.reason, row.error.message]).decode() if row.error else None,
        "partial_failures": orjson.dumps(failures).decode() if failures else None,
    }


def error_of(text: str | None) -> JobError | None:
    """The error that is stored so."""
    return JobError(*orjson.loads(text)) if text else None


def errors_of(text: str | None) -> tuple[JobError, ...]:
    """The errors that are stored so."""
    return tuple(JobError(*values) for values in orjson.loads(text or "[]"))


def found_job(row: JobRow | None, job_id: str) -> JobRow:
    """The row that was looked for. Raises NotFound."""
    if row is None:
        raise NotFound("there is no such job in the namespace", metadata={"job_id": job_id})
    return row


# Work for messages that wait


def needs_work(settings: Namespace) -> bool:
    """Whether anything is done with messages after they were stored."""
    return settings.extraction_mode is not ExtractionMode.OFF or waits_for_vectors(settings.embedding)


def new_job(id_: str, key: int, session: str, now: int, upto: int, idle: timedelta, waiting: int) -> JobRow:
    """A job for a session's messages up to a seq, of which so many wait.

    It is due at once, so that vectors come promptly; what is left half full then waits until `idle_until`.
    """
    return JobRow(id_, key, JobKind.EXTRACTION, JobState.QUEUED, session, now, now, now, now + idle // _MICROSECOND, upto, total=waiting)


def new_consolidation(id_: str, key: int, now: int, waiting: int) -> JobRow:
    """A job for the events that no summary tells of, of which so many wait.

    It is due at once; how long it waits for more its worker says.
    """
    return JobRow(id_, key, JobKind.CONSOLIDATION, JobState.QUEUED, "", now, now, now, _NEVER, 0, total=waiting)


def queued_among(open_jobs: Iterable[JobRow]) -> JobRow | None:
    """The newest queued one of a session's open jobs, oldest first: it covers what comes."""
    return max((job for job in open_jobs if job.state is JobState.QUEUED), key=lambda job: job.key, default=None)


def covering(queued: JobRow, now: int, upto: int, idle: timedelta, waiting: int) -> JobRow:
    """The queued job, which covers messages up to a seq from now on.

    Only a job whose attempts have failed keeps its time: what backs off is not hurried by more messages.
    """
    return _changed(
        queued,
        now,
        target=max(queued.target, upto),
        total=queued.done + waiting,
        idle_until=now + idle // _MICROSECOND,
        run_after=queued.run_after if queued.attempts else min(queued.run_after, now),
    )


def open_job_of(open_jobs: Iterable[JobRow], extracted_seq: int, seq: int) -> str:
    """The id of the first open job that covers a message of a session which is extracted so far, or ""."""
    if extracted_seq >= seq > 0:
        return ""
    return next((job.id for job in open_jobs if job.target >= seq), "")


def is_hurried(row: JobRow, now: int) -> bool:
    """Whether the job waits for no more."""
    return row.idle_until <= now


def hurried(row: JobRow, now: int) -> JobRow:
    """The job, which waits for no more messages."""
    return _changed(row, now, run_after=min(row.run_after, now), idle_until=now)


# Leases


def is_due(row: JobRow, others: Iterable[JobRow], now: int) -> bool:
    """Whether a worker may have the job. `others`: the other open jobs of its session.

    A running job whose lease has passed is due; a queued one is, from its time on, unless another one of its session runs.
    """
    if row.due_at is None or row.due_at > now:
        return False
    running = [job for job in others if job.state is JobState.RUNNING]
    return not running if row.state is JobState.QUEUED else all(job.expires_at <= now for job in running)


def leased(
    row: JobRow, others: Iterable[JobRow], now: int, worker: str, epoch: int, duration: timedelta, target: int, waiting: int
) -> JobRow:
    """The job, leased. It then covers all that waits by now, of a session up to `target`, of which so many wait.

    The messages of a session wait as long as any job of it does. Consolidations all do the same work: whoever hurries one wants it done.
    """
    idle_until = min if row.kind is JobKind.CONSOLIDATION else max
    return _changed(
        row,
        now,
        state=JobState.RUNNING,
        worker=worker,
        epoch=epoch,
        expires_at=now + duration // _MICROSECOND,
        attempts=row.attempts + 1,
        target=target,
        total=row.done + waiting,
        idle_until=idle_until(job.idle_until for job in (row, *others)),
    )


def lease_of(namespace: str, row: JobRow) -> Lease:
    """The lease that a running job is under."""
    return Lease(job_of(namespace, row), row.worker, row.epoch, from_micros(row.expires_at))


def held(row: JobRow | None, now: int, lease: Lease) -> JobRow:
    """The job of a lease. Raises LeaseLost when the lease is not held any more."""
    if row is None or row.state is not JobState.RUNNING or row.epoch != lease.epoch or row.expires_at <= now:
        raise LeaseLost("the lease on this job is no longer held", metadata={"job_id": lease.job.id})
    return row


def renewed(row: JobRow, now: int, duration: timedelta) -> JobRow:
    """The job under a longer lease. It does not count as a change of the job: nobody who watches it has to know."""
    return replace(row, expires_at=now + duration // _MICROSECOND)


def progressed(row: JobRow, now: int, passed: int, failures: Sequence[JobError]) -> JobRow:
    """The job after so many more messages, with what could not be taken of them; of all that could not, it keeps the last."""
    return _changed(row, now, done=row.done + passed, partial_failures=(*row.partial_failures, *failures)[-MAX_PARTIAL_FAILURES:])


def finished(row: JobRow, now: int, outcome: JobOutcome, *, unfinished: bool) -> JobRow:
    """The job that a worker hands back. `unfinished`: some of its messages wait still.

    Being handed back is no attempt; work that went on starts the count of attempts anew.
    """
    match outcome:
        case JobDeferred():
            # A flush that came meanwhile ends the waiting.
            run_after = to_micros(outcome.run_after) if outcome.pause else min(to_micros(outcome.run_after), max(row.idle_until, now))
            return _queued_again(row, now, run_after, attempts=max(row.attempts - 1, 0))
        case JobAttemptFailed() if outcome.retry_at is not None:
            return _queued_again(row, now, to_micros(outcome.retry_at), error=outcome.error)
        case JobAttemptFailed():
            return ended(row, now, JobState.FAILED, error=outcome.error)
        case _ if unfinished:
            return _queued_again(row, now, max(now, row.idle_until), attempts=0, error=None)
        case _:
            return ended(row, now, JobState.SUCCEEDED, done=max(row.done, row.total), error=None)


def _queued_again(row: JobRow, now: int, run_after: int, **changes: Any) -> JobRow:
    return _changed(row, now, state=JobState.QUEUED, run_after=run_after, expires_at=0, worker="", **changes)


def ended(row: JobRow, now: int, state: JobState, **changes: Any) -> JobRow:
    """The job, ended; its lease, if any, is lost."""
    return _changed(row, now, state=state, expires_at=0, worker="", **changes)


def forgotten_before(now: int) -> int:
    """Jobs that succeeded before then are deleted."""
    return now - JOB_RETENTION // _MICROSECOND


# What callers may do


def cancelled(row: JobRow, now: int) -> JobRow:
    """The job, cancelled. Raises Conflict when it has ended."""
    if row.state in TERMINAL_STATES:
        raise Conflict("the job has ended already", metadata={"job_id": row.id, "state": row.state.name})
    return ended(row, now, JobState.CANCELED)


def retried(row: JobRow, now: int) -> JobRow:
    """The job, queued again. Raises Conflict when it is neither failed nor cancelled, or its session is gone."""
    if row.state not in {JobState.FAILED, JobState.CANCELED}:
        raise Conflict("only a failed or canceled job can be tried again", metadata={"job_id": row.id, "state": row.state.name})
    if not row.session and row.kind is JobKind.EXTRACTION:
        raise Conflict("the session of the job was deleted", metadata={"job_id": row.id})
    return _queued_again(row, now, now, idle_until=now, attempts=0)


def _changed(row: JobRow, now: int, **changes: Any) -> JobRow:
    """The job with these fields changed, and updated later than it was, so that watchers miss no change."""
    return replace(row, updated_at=max(now, row.updated_at + 1), **changes)
