"""Jobs as nodes."""

from collections.abc import Mapping
from typing import Any

from graph.model import JobKind, JobState
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.rules.jobs import OPEN_STATES, JobRow, error_of, errors_of, found_job, stored_values

OPEN = [state.name for state in OPEN_STATES]
JOB_PROJECTION = """{.id, .key, .kind, .state, .session, .created_at, .updated_at, .run_after, .idle_until, .target, .done, .total,
    .attempts, .epoch, .expires_at, .worker, .error, .partial_failures}"""
_JOB = f"MATCH (j:Job {{namespace: $namespace, id: $at.id}}) RETURN j{JOB_PROJECTION}"


def job_row_of(row: Mapping[str, Any]) -> JobRow:
    """The row of a JOB_PROJECTION."""
    told = {
        "kind": JobKind[row["kind"]],
        "state": JobState[row["state"]],
        "session": row["session"] or "",
        "expires_at": row["expires_at"] or 0,
        "worker": row["worker"] or "",
        "error": error_of(row["error"]),
        "partial_failures": errors_of(row["partial_failures"]),
    }
    return JobRow(**{**row, **told})


def job_properties(row: JobRow) -> dict[str, Any]:
    """The properties of a job; None for those that are not there."""
    return stored_values(row) | {
        "kind": row.kind.name,
        "state": row.state.name,
        # The sessionless jobs of a namespace, those that consolidate, take turns as those of one session do.
        "session": "" if row.kind is JobKind.CONSOLIDATION else row.session or None,
        "expires_at": row.expires_at or None,
        "due_at": row.due_at,
        "succeeded_at": row.updated_at if row.state is JobState.SUCCEEDED else None,
    }


async def find_job(tx: Transaction, job_id: str) -> JobRow | None:
    """The row of a job, or None."""
    found = await tx.rows(_JOB, {"id": job_id})
    return job_row_of(found[0][0]) if found else None


async def job_row(tx: Transaction, job_id: str) -> JobRow:
    """The row of a job. Raises NotFound."""
    return found_job(await find_job(tx, job_id), job_id)


def save_job(tx: Transaction, row: JobRow) -> JobRow:
    """Writes the job with the commit; those who watch it look again."""
    tx.put_job(row.id, job_properties(row))
    return row
