"""Jobs as nodes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from graph.errors import NotFound
from graph.model import Job, JobError, JobKind, JobState, from_micros
from graph.store.neo4j.transaction import Transaction

JOB_PROJECTION = """{.id, .key, .kind, .state, .session, .created_at, .updated_at, .run_after, .idle_until, .target, .done, .total,
    .attempts, .epoch, .due_at, .worker, .error, .partial_failures}"""
JOB = f"MATCH (j:Job {{namespace: $namespace, id: $id}}) RETURN j{JOB_PROJECTION}"
_SET = "MATCH (j:Job {namespace: $namespace, id: $id}) SET j += $properties"


@dataclass(frozen=True, slots=True)
class JobRow:
    """The properties of a :Job. `session` is "" when it was deleted, `due_at` 0 when the job is not open."""

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
    done: int
    total: int
    attempts: int
    epoch: int
    due_at: int
    worker: str
    error: JobError | None
    partial_failures: tuple[JobError, ...]


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
        due_at=row["due_at"] or 0,
        worker=row["worker"] or "",
        error=JobError(*orjson.loads(row["error"])) if row["error"] else None,
        partial_failures=tuple(JobError(*values) for values in orjson.loads(row["partial_failures"] or "[]")),
    )


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


async def set_job(tx: Transaction, row: JobRow, **properties: Any) -> None:
    """Changes properties of a job (None removes one) and when it was updated; those who watch it will look again.

    `updated_at` becomes later than it was, so that watchers miss no change.
    """
    updated_at = max(tx.now, row.updated_at + 1)
    await tx.execute(_SET, {"id": row.id, "properties": {"updated_at": updated_at, **properties}})
    tx.job_changed(row.id)


def errors_json(errors: tuple[JobError, ...]) -> str | None:
    """Errors as stored; None for none."""
    return orjson.dumps([[error.reason, error.message] for error in errors]).decode() if errors else None


def error_json(error: JobError | None) -> str | None:
    """One error as stored."""
    return None if error is None else orjson.dumps([error.reason, error.message]).decode()
