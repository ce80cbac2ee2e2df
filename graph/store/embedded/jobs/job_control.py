"""What callers do to jobs: flush, cancel, retry, look."""

from datetime import timedelta

import apsw

from graph.model import TERMINAL_STATES, Job, JobKind, Namespace
from graph.store.embedded.files.connection import json_list, rows
from graph.store.embedded.files.transaction import Transaction
from graph.store.embedded.jobs.job_queue import cover_messages, waiting_messages
from graph.store.embedded.jobs.job_rows import job_row, job_rows, open_jobs, save_job
from graph.store.embedded.rows.session_rows import existing_session
from graph.store.port import PAGE_BYTES, Cursor, JobQuery, Page
from graph.store.rules.jobs import JobRow, cancelled, hurried, job_of, page_of_jobs, retried
from graph.store.rules.sessions import SessionRow


def flush(tx: Transaction, session: str) -> tuple[str, ...]:
    """See `Memory.flush`."""
    if session:
        sessions = [existing_session(tx.db, session)]
    else:
        found = rows(tx.db, "SELECT key, name, time_zone, last_seq, extracted_seq FROM sessions ORDER BY key")
        sessions = [SessionRow(*row) for row in found]
    return tuple(job.id for row in sessions for job in _flush_session(tx, row))


def _flush_session(tx: Transaction, session: SessionRow) -> list[JobRow]:
    """The open jobs of the session, hurried; none when nothing of it waits."""
    if waiting_messages(tx.db, tx.namespace, session.key, session.last_seq) == 0:
        return []
    tx.db.execute("INSERT OR IGNORE INTO flush_marks VALUES (?, ?)", (session.key, session.last_seq))
    if max((job.target for job in open_jobs(tx.db, session.key)), default=0) < session.last_seq:
        cover_messages(tx, tx.namespace, tx.ids, session.key, session.last_seq, timedelta(0))
    return [save_job(tx, hurried(job, tx.now)) for job in open_jobs(tx.db, session.key)]


def expedite_job(tx: Transaction, job_id: str) -> Job:
    """See `Memory.expedite_job`."""
    row = job_row(tx.db, job_id)
    if row.session and row.state not in TERMINAL_STATES:
        flush(tx, row.session)
    elif row.kind is JobKind.CONSOLIDATION and row.state not in TERMINAL_STATES:
        save_job(tx, hurried(row, tx.now))
    return job_of(tx.namespace.name, job_row(tx.db, job_id))


def cancel_job(tx: Transaction, job_id: str) -> Job:
    """See `Memory.cancel_job`."""
    return job_of(tx.namespace.name, save_job(tx, cancelled(job_row(tx.db, job_id), tx.now)))


def retry_job(tx: Transaction, job_id: str) -> Job:
    """See `Memory.retry_job`."""
    return job_of(tx.namespace.name, save_job(tx, retried(job_row(tx.db, job_id), tx.now)))


def get_job(db: apsw.Connection, namespace: Namespace, job_id: str) -> Job:
    """See `Memory.get_job`."""
    return job_of(namespace.name, job_row(db, job_id))


def list_jobs(
    db: apsw.Connection, namespace: Namespace, query: JobQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES
) -> Page[Job]:
    """See `Memory.list_jobs`."""
    found = job_rows(
        db,
        """WHERE j.key < ?1 AND (?2 = '[]' OR j.state IN (SELECT value FROM json_each(?2)))
            AND (?3 = '[]' OR j.kind IN (SELECT value FROM json_each(?3))) ORDER BY j.key DESC LIMIT ?4""",
        (cursor[0] if cursor else 2**62, json_list(query.states), json_list(query.kinds), limit + 1),
    )
    return page_of_jobs(namespace.name, found, limit, max_bytes)
