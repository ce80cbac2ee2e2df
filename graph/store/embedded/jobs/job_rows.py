"""Jobs as rows."""

from dataclasses import dataclass
from typing import Any

import apsw
import orjson

from graph.errors import NotFound
from graph.model import Job, JobError, JobKind, JobState, from_micros

_COLUMNS = """j.key, j.id, j.kind, j.state, j.session, coalesce(s.name, ''), j.created_at, j.updated_at, j.run_after, j.idle_until,
    j.target, j.done, j.total, j.attempts, j.error, j.partial_failures, j.worker, j.epoch, j.expires_at"""
SELECT_JOB = f"SELECT {_COLUMNS} FROM jobs j LEFT JOIN sessions s ON s.key = j.session"


@dataclass(frozen=True, slots=True)
class JobRow:
    """One row of `jobs`, with the session's name."""

    key: int
    id: str
    kind: int
    state: int
    session: int | None
    session_name: str
    created_at: int
    updated_at: int
    run_after: int
    idle_until: int
    target: int
    done: int
    total: int
    attempts: int
    error: str | None
    partial_failures: str | None
    worker: str | None
    epoch: int
    expires_at: int


def job_of(namespace: str, row: JobRow) -> Job:
    """The job that a row holds."""
    return Job(
        id=row.id,
        namespace=namespace,
        kind=JobKind(row.kind),
        state=JobState(row.state),
        created_at=from_micros(row.created_at),
        updated_at=from_micros(row.updated_at),
        run_after=from_micros(row.run_after),
        session=row.session_name,
        done=row.done,
        total=max(row.total, row.done),
        attempts=row.attempts,
        error=JobError(*orjson.loads(row.error)) if row.error else None,
        partial_failures=tuple(JobError(*values) for values in orjson.loads(row.partial_failures or "[]")),
    )


def job_row(db: apsw.Connection, job_id: str) -> JobRow:
    """The row of a job. Raises NotFound."""
    values: Any = db.execute(f"{SELECT_JOB} WHERE j.id = ?", (job_id,)).fetchone()
    if values is None:
        raise NotFound("there is no such job in the namespace", metadata={"job_id": job_id})
    return JobRow(*values)


def error_json(error: JobError) -> str:
    """A job's error as stored."""
    return orjson.dumps([error.reason, error.message]).decode()


def next_update(tx_now: int, updated_at: int) -> int:
    """`updated_at` of a change: now, and later than the change before it, so that watchers miss none."""
    return max(tx_now, updated_at + 1)
