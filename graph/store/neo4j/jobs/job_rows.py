"""Jobs as nodes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import orjson

from graph.errors import NotFound
from graph.model import TERMINAL_STATES, Job, JobError, JobKind, JobState, from_micros
from graph.store.neo4j.driver.transaction import Transaction

JOB_PROJECTION = """{.id, .key, .kind, .state, .session, .created_at, .updated_at, .run_after, .idle_until, .target, .done, .total,
    .attempts, .epoch, .expires_at, .worker, .error, .partial_failures}"""
JOB = f"MATCH (j:Job {{namespace: $namespace, id: $at.id}}) RETURN j{JOB_PROJECTION}"


@dataclass(frozen=True, slots=True)
class JobRow:
    """A :Job. `session` is "" when it was deleted; `expires_at` is when the lease of a running one ends, 0 for others."""

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


def job_row_of(row: Mapping[str, Any]) -> JobRow:
    """The row of a JOB_PROJECTION."""
    return JobRow(
        id=row["id"],
        key=row["key"],
        kind=JobKind[row["kind"]],
        state=JobState[row["state"]],
        session=row["session"] or "",
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        run_after=row["run_after"],
        idle_until=row["idle_until"],
        target=row["target"],
        done=row["done"],
        total=row["total"],
        attempts=row["attempts"],
        epoch=row["epoch"],
        expires_at=row["expires_at"] or 0,
        worker=row["worker"] or "",
        error=JobError(*orjson.loads(row["error"])) if row["error"] else None,
        partial_failures=tuple(JobError(*values) for values in orjson.loads(row["partial_failures"] or "[]")),
    )


def job_properties(row: JobRow) -> dict[str, Any]:
    """The properties of a job; None for those that are not there."""
    failures = [[error.reason, error.message] for error in row.partial_failures]
    return {
        "id": row.id,
        "key": row.key,
        "kind": row.kind.name,
        "state": row.state.name,
        "session": row.session or None,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "run_after": row.run_after,
        "idle_until": row.idle_until,
        "target": row.target,
        "done": row.done,
        "total": row.total,
        "attempts": row.attempts,
        "epoch": row.epoch,
        "expires_at": row.expires_at or None,
        "due_at": row.due_at,
        "succeeded_at": row.updated_at if row.state is JobState.SUCCEEDED else None,
        "worker": row.worker or None,
        "error": orjson.dumps([row.error.reason, row.error.message]).decode() if row.error else None,
        "partial_failures": orjson.dumps(failures).decode() if failures else None,
    }


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


async def job_row(tx: Transaction, job_id: str) -> JobRow:
    """The row of a job. Raises NotFound."""
    found = await tx.rows(JOB, {"id": job_id})
    if not found:
        raise no_such_job(job_id)
    return job_row_of(found[0][0])


def no_such_job(job_id: str) -> NotFound:
    """The error for a job that is not there."""
    return NotFound("there is no such job in the namespace", metadata={"job_id": job_id})


def change_job(tx: Transaction, row: JobRow, **changes: Any) -> JobRow:
    """The job with these fields changed, and updated later than it was, so that watchers miss no change. It is written with the commit."""
    changed = replace(row, updated_at=max(tx.now, row.updated_at + 1), **changes)
    tx.put_job(changed.id, job_properties(changed))
    return changed
