"""What callers do to jobs: flush, cancel, retry, look."""

from collections.abc import Collection
from datetime import timedelta

import apsw
import orjson

from graph.errors import Conflict
from graph.model import TERMINAL_STATES, IdSource, Job, JobKind, JobState, Namespace
from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.transaction import Transaction
from graph.store.embedded.jobs.job_queue import cover_messages, waiting_messages
from graph.store.embedded.jobs.job_rows import SELECT_JOB, JobRow, job_of, job_row, next_update
from graph.store.embedded.rows.session_rows import existing_session
from graph.store.port import Cursor, Page
from graph.store.rules.sessions import SessionRow


def flush(tx: Transaction, settings: Namespace, ids: IdSource, session: str) -> tuple[str, ...]:
    """See `Store.flush`."""
    if session:
        sessions = [existing_session(tx.db, session)]
    else:
        found = rows(tx.db, "SELECT key, name, time_zone, last_seq, extracted_seq FROM sessions ORDER BY key")
        sessions = [SessionRow(*row) for row in found]
    return tuple(job for row in sessions for job in _flush_session(tx, settings, ids, row))


def _flush_session(tx: Transaction, settings: Namespace, ids: IdSource, session: SessionRow) -> list[str]:
    if waiting_messages(tx.db, settings, session.key, session.last_seq) == 0:
        return []
    tx.db.execute("INSERT OR IGNORE INTO flush_marks VALUES (?, ?)", (session.key, session.last_seq))
    covered = tx.db.execute("SELECT max(target) FROM jobs WHERE session = ? AND state IN (1, 2)", (session.key,)).get
    if covered is None or int(covered) < session.last_seq:
        cover_messages(tx, settings, ids, session.key, session.last_seq, timedelta(0))
    tx.db.execute(
        """UPDATE jobs SET run_after = min(run_after, ?1), idle_until = ?1, updated_at = max(updated_at + 1, ?1)
           WHERE session = ?2 AND state IN (1, 2)""",
        (tx.now, session.key),
    )
    hurried = [str(id_) for (id_,) in rows(tx.db, "SELECT id FROM jobs WHERE session = ? AND state IN (1, 2) ORDER BY key", (session.key,))]
    for id_ in hurried:
        tx.job_changed(id_)
    return hurried


def expedite_job(tx: Transaction, settings: Namespace, ids: IdSource, job_id: str) -> Job:
    """See `Store.expedite_job`."""
    row = job_row(tx.db, job_id)
    if row.session_name and row.state not in TERMINAL_STATES:
        flush(tx, settings, ids, row.session_name)
    return job_of(settings.name, job_row(tx.db, job_id))


def cancel_job(tx: Transaction, settings: Namespace, job_id: str) -> Job:
    """See `Store.cancel_job`."""
    row = job_row(tx.db, job_id)
    if row.state in TERMINAL_STATES:
        raise Conflict("the job has ended already", metadata={"job_id": job_id, "state": JobState(row.state).name})
    _set_state(tx, row, JobState.CANCELLED)
    return job_of(settings.name, job_row(tx.db, job_id))


def retry_job(tx: Transaction, settings: Namespace, job_id: str) -> Job:
    """See `Store.retry_job`."""
    row = job_row(tx.db, job_id)
    if row.state not in {JobState.FAILED, JobState.CANCELLED}:
        raise Conflict("only a failed or cancelled job can be tried again", metadata={"job_id": job_id, "state": JobState(row.state).name})
    if not row.session_name:
        raise Conflict("the session of the job was deleted", metadata={"job_id": job_id})
    _set_state(tx, row, JobState.QUEUED)
    tx.db.execute("UPDATE jobs SET run_after = ?1, idle_until = ?1, attempts = 0 WHERE key = ?2", (tx.now, row.key))
    return job_of(settings.name, job_row(tx.db, job_id))


def _set_state(tx: Transaction, row: JobRow, state: JobState) -> None:
    tx.db.execute(
        "UPDATE jobs SET state = ?, updated_at = ?, worker = NULL, expires_at = 0 WHERE key = ?",
        (int(state), next_update(tx.now, row.updated_at), row.key),
    )
    tx.job_changed(row.id)


def list_jobs(
    db: apsw.Connection, namespace: str, states: Collection[JobState], kinds: Collection[JobKind], cursor: Cursor | None, limit: int
) -> Page[Job]:
    """See `Store.list_jobs`."""
    listed = rows(
        db,
        f"""{SELECT_JOB} WHERE j.key < ?1 AND (?2 = '[]' OR j.state IN (SELECT value FROM json_each(?2)))
            AND (?3 = '[]' OR j.kind IN (SELECT value FROM json_each(?3))) ORDER BY j.key DESC LIMIT ?4""",
        (cursor[0] if cursor else 2**62, _json(states), _json(kinds), limit + 1),
    )
    found = [JobRow(*row) for row in listed]
    page = found[:limit]
    return Page(tuple(job_of(namespace, row) for row in page), (page[-1].key,) if len(found) > limit else None)


def _json(values: Collection[JobState] | Collection[JobKind]) -> str:
    return orjson.dumps([int(value) for value in values]).decode()
