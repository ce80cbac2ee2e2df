"""What callers do to jobs: flush, cancel, retry, look."""

from datetime import timedelta

from graph.model import TERMINAL_STATES, Job, JobKind
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.jobs.job_queue import cover_messages, open_jobs, waiting_messages
from graph.store.neo4j.jobs.job_rows import JOB_PROJECTION, job_row, job_row_of, save_job
from graph.store.neo4j.rows.session_rows import existing_session, session_rows
from graph.store.port import PAGE_BYTES, Cursor, JobQuery, Page
from graph.store.rules.jobs import JobRow, cancelled, found_job, hurried, job_of, page_of_jobs, retried
from graph.store.rules.sessions import SessionRow

_MARK = "MERGE (:FlushMark {namespace: $namespace, session: $at.session, seq: $at.seq})"
_JOB = f"OPTIONAL MATCH (j:Job {{namespace: $namespace, id: $at.id}}) RETURN j{JOB_PROJECTION}"
_LISTED = f"""CALL () {{ MATCH (j:Job) WHERE j.namespace = $namespace AND j.key < $at.before AND ($at.states = [] OR j.state IN $at.states)
        AND ($at.kinds = [] OR j.kind IN $at.kinds)
    WITH j ORDER BY j.namespace DESC, j.key DESC LIMIT $at.limit RETURN collect(j{JOB_PROJECTION}) AS found }}
    RETURN found"""


async def flush(tx: Transaction, session: str) -> tuple[str, ...]:
    """See `Memory.flush`."""
    sessions = [await existing_session(tx, session)] if session else await session_rows(tx)
    return tuple([job.id for row in sessions for job in await _flush_session(tx, row)])


async def _flush_session(tx: Transaction, session: SessionRow) -> list[JobRow]:
    """The open jobs of the session, hurried; none when nothing of it waits."""
    if await waiting_messages(tx, tx.namespace, session.name, session.last_seq) == 0:
        return []
    await tx.execute(_MARK, {"session": session.name, "seq": session.last_seq})
    jobs = {job.id: job for job in await open_jobs(tx, session.name)}
    if max((job.target for job in jobs.values()), default=0) < session.last_seq:
        job = await cover_messages(tx, tx.namespace, tx.ids, session.name, session.last_seq, timedelta(0))
        jobs |= {job.id: job} if job else {}
    return [save_job(tx, hurried(job, tx.now)) for job in jobs.values()]


async def expedite_job(tx: Transaction, job_id: str) -> Job:
    """See `Memory.expedite_job`."""
    row = await job_row(tx, job_id)
    if row.session and row.state not in TERMINAL_STATES:
        flushed = await _flush_session(tx, await existing_session(tx, row.session))
        row = next((job for job in flushed if job.id == job_id), row)
    elif row.kind is JobKind.CONSOLIDATION and row.state not in TERMINAL_STATES:
        row = save_job(tx, hurried(row, tx.now))
    return job_of(tx.name, row)


async def cancel_job(tx: Transaction, job_id: str) -> Job:
    """See `Memory.cancel_job`."""
    return job_of(tx.name, save_job(tx, cancelled(await job_row(tx, job_id), tx.now)))


async def retry_job(tx: Transaction, job_id: str) -> Job:
    """See `Memory.retry_job`."""
    return job_of(tx.name, save_job(tx, retried(await job_row(tx, job_id), tx.now)))


async def get_job(handle: Handle, job_id: str) -> Job:
    """See `Memory.get_job`."""
    (found,) = await handle.row(_JOB, {"at": {"id": job_id}})
    return job_of(handle.name, found_job(found and job_row_of(found), job_id))


async def list_jobs(handle: Handle, query: JobQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Job]:
    """See `Memory.list_jobs`."""
    values = {
        "before": cursor[0] if cursor else 2**62,
        "states": [state.name for state in query.states],
        "kinds": [kind.name for kind in query.kinds],
        "limit": limit + 1,
    }
    (found,) = await handle.row(_LISTED, {"at": values})
    return page_of_jobs(handle.name, [job_row_of(row) for row in found], limit, max_bytes)
