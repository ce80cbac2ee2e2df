"""Jobs as rows."""

from typing import Any

import apsw

from graph.model import JobKind, JobState
from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.transaction import Transaction
from graph.store.embedded.rows.kind_numbers import OPEN
from graph.store.rules.jobs import JobRow, error_of, errors_of, found_job, stored_values

# The states as literals: a partial index serves a query that names its state so.
QUEUED, RUNNING, SUCCEEDED = (f"{state:d}" for state in (JobState.QUEUED, JobState.RUNNING, JobState.SUCCEEDED))
_COLUMNS = """j.id, j.key, j.kind, j.state, coalesce(s.name, ''), j.created_at, j.updated_at, j.run_after, j.idle_until, j.target, j.done,
    j.total, j.attempts, j.epoch, j.expires_at, coalesce(j.worker, ''), j.error, j.partial_failures"""
_SELECT = f"SELECT {_COLUMNS} FROM jobs j LEFT JOIN sessions s ON s.key = j.session"


def job_rows(db: apsw.Connection, rest: str, values: tuple[Any, ...]) -> list[JobRow]:
    """The jobs `j` that the rest of a query, from WHERE on, selects."""
    return [_job_row(*values) for values in rows(db, f"{_SELECT} {rest}", values)]


def _job_row(id_: str, key: int, kind: int, state: int, *told: Any) -> JobRow:
    *values, error, failures = told
    return JobRow(*(id_, key, JobKind(kind), JobState(state), *values, error_of(error), errors_of(failures)))


def find_job(db: apsw.Connection, job_id: str) -> JobRow | None:
    """The row of a job, or None."""
    return next(iter(job_rows(db, "WHERE j.id = ?", (job_id,))), None)


def job_row(db: apsw.Connection, job_id: str) -> JobRow:
    """The row of a job. Raises NotFound."""
    return found_job(find_job(db, job_id), job_id)


def open_jobs(db: apsw.Connection, session: int | None) -> list[JobRow]:
    """The queued and running jobs of a session, oldest first; of None, those that consolidate."""
    return job_rows(db, f"WHERE j.session IS ? AND j.state IN ({OPEN}) ORDER BY j.key", (session,))


def insert_job(tx: Transaction, row: JobRow, session: int | None) -> JobRow:
    """Stores a new job of the session with this key, or of none; the database gives it its own."""
    values = {**_values(row), "session": session}
    tx.db.execute(f"INSERT INTO jobs ({', '.join(values)}) VALUES ({', '.join(f':{name}' for name in values)})", values)
    tx.job_changed(row.id)
    return row


def save_job(tx: Transaction, row: JobRow) -> JobRow:
    """Stores what has changed of a job; those who watch it look again."""
    values = _values(row)
    tx.db.execute(f"UPDATE jobs SET {', '.join(f'{name} = :{name}' for name in values)} WHERE id = :id", values)
    tx.job_changed(row.id)
    return row


def _values(row: JobRow) -> dict[str, Any]:
    values = stored_values(row) | {"kind": int(row.kind), "state": int(row.state)}
    del values["key"], values["session"]  # of which the database knows
    return values
