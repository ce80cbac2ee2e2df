"""Leasing jobs and handing them back. A lease's epoch fences out a worker whose lease has passed to another.

Leases end by the server's clock, which all processes share.
"""

import logging
from collections.abc import Collection
from datetime import timedelta
from typing import Any

from graph.errors import LeaseLost, NotFound, StructMemError
from graph.model import ExtractionMode, Job, JobKind, JobState, Lease, from_micros, to_micros
from graph.store.commands import JobAttemptFailed, JobDeferred, JobOutcome
from graph.store.neo4j.database import Database
from graph.store.neo4j.job_queue import open_jobs, waiting_messages
from graph.store.neo4j.job_rows import JOB, JobRow, error_json, job_of, job_row, job_row_of, set_job
from graph.store.neo4j.transaction import Transaction
from graph.store.retention import JOB_RETENTION

_MICROSECOND = timedelta(microseconds=1)
_JOB_RETENTION_MICROS = JOB_RETENTION // _MICROSECOND
# How many due jobs one look brings: other workers may take the first ones meanwhile.
_LOOKED_AT = 32
_log = logging.getLogger(__name__)

# A running job whose lease has passed is due; a queued one is, from its time on, unless another one of its session runs.
_BLOCKED = """EXISTS { MATCH (r:Job) WHERE r.namespace = j.namespace AND r.session = j.session AND r.state = 'RUNNING' AND r.id <> j.id
    AND (j.state = 'QUEUED' OR r.due_at > $now) }"""
_DUE = f"""MATCH (j:Job) WHERE j.due_at <= $now AND ($kinds = [] OR j.kind IN $kinds) AND NOT {_BLOCKED}
    MATCH (n:Namespace {{name: j.namespace}}) WHERE n.state = 'ACTIVE'
    WITH j ORDER BY j.due_at, j.namespace, j.key LIMIT {_LOOKED_AT} RETURN collect([j.namespace, j.id])"""
_STILL_DUE = f"""MATCH (j:Job {{namespace: $namespace, id: $id}}) WHERE j.due_at <= $now AND NOT {_BLOCKED} RETURN j.id"""
_LAST_SEQ = "MATCH (s:Session {namespace: $namespace, name: $session}) RETURN s.last_seq"
_FORGET = "MATCH (j:Job) WHERE j.namespace = $namespace AND j.succeeded_at < $before DELETE j"


async def lease_job(database: Database, worker: str, duration: timedelta, kinds: Collection[JobKind]) -> Lease | None:
    """See `Store.lease_job`. A namespace that is in trouble keeps no other from its work."""
    values: dict[str, Any] = {"now": await database.now(), "kinds": [kind.name for kind in kinds]}
    [[due]] = await database.connection.rows(_DUE, values)
    for namespace, job_id in due:
        try:
            lease = await database.write(namespace, lambda tx, job_id=job_id: _lease(tx, job_id, worker, duration))  # type: ignore[misc]
        except NotFound:  # the namespace was deleted meanwhile
            continue
        except StructMemError as error:
            _log.warning("namespace %s: its jobs wait: %s", namespace, error)
            continue
        if lease is not None:
            return lease
    return None


async def _lease(tx: Transaction, job_id: str, worker: str, duration: timedelta) -> Lease | None:
    """The job, leased, unless somebody else was quicker. It then covers every message that its session has by now."""
    if not await tx.rows(_STILL_DUE, {"id": job_id, "now": tx.now}):
        return None
    row = await job_row(tx, job_id)
    epoch, expires_at = tx.next_epoch(), tx.now + duration // _MICROSECOND
    target, total, idle_until = row.target, row.done, row.idle_until
    if row.session:
        [[target]] = await tx.rows(_LAST_SEQ, {"session": row.session}) or [[row.target]]
        total += await waiting_messages(tx, tx.namespace, row.session, target)
        idle_until = max(job.idle_until for job in await open_jobs(tx, row.session))
    await set_job(
        tx,
        row,
        state=JobState.RUNNING.name,
        worker=worker,
        epoch=epoch,
        due_at=expires_at,
        attempts=row.attempts + 1,
        target=target,
        total=total,
        idle_until=idle_until,
    )
    return Lease(job_of(tx.name, await job_row(tx, job_id)), worker, epoch, from_micros(expires_at))


def lease_lost(job_id: str) -> LeaseLost:
    """The error for a lease that is not held any more."""
    return LeaseLost("the lease on this job is no longer held", metadata={"job_id": job_id})


def is_held(row: JobRow, now: int, lease: Lease) -> bool:
    """Whether the lease holds this job."""
    return row.state is JobState.RUNNING and row.epoch == lease.epoch and row.due_at > now


async def held_job(tx: Transaction, lease: Lease) -> JobRow:
    """The row of a leased job. Raises LeaseLost when the lease is not held any more."""
    found = await tx.rows(JOB, {"id": lease.job.id})
    row = job_row_of(found[0][0]) if found else None
    if row is None or not is_held(row, tx.now, lease):
        raise lease_lost(lease.job.id)
    return row


_PROLONG = "MATCH (j:Job {namespace: $namespace, id: $id}) SET j.due_at = $expires_at"


async def renew(tx: Transaction, lease: Lease, duration: timedelta) -> Lease:
    """See `Store.renew`."""
    row = await held_job(tx, lease)
    expires_at = tx.now + duration // _MICROSECOND
    await tx.execute(_PROLONG, {"id": row.id, "expires_at": expires_at})
    tx.touched_jobs = True
    return Lease(job_of(tx.name, row), lease.worker, lease.epoch, from_micros(expires_at))


async def finish_job(tx: Transaction, lease: Lease, outcome: JobOutcome) -> Job:
    """See `Store.finish_job`. Being handed back is no attempt; work that went on starts the count of attempts anew."""
    row = await held_job(tx, lease)
    match outcome:
        case JobDeferred():
            # A flush that came meanwhile ends the waiting.
            run_after = min(to_micros(outcome.run_after), max(row.idle_until, tx.now))
            await _queue_again(tx, row, run_after, attempts=max(row.attempts - 1, 0))
        case JobAttemptFailed() if outcome.retry_at is not None:
            await _queue_again(tx, row, to_micros(outcome.retry_at), error=error_json(outcome.error))
        case JobAttemptFailed():
            await end_job(tx, row, JobState.FAILED, error=error_json(outcome.error))
        case _ if await _unfinished(tx, row):
            await _queue_again(tx, row, max(tx.now, row.idle_until), attempts=0, error=None)
        case _:
            await end_job(tx, row, JobState.SUCCEEDED, done=max(row.done, row.total), error=None, succeeded_at=tx.now)
    await tx.execute(_FORGET, {"before": tx.now - _JOB_RETENTION_MICROS})
    return job_of(tx.name, await job_row(tx, row.id))


async def _unfinished(tx: Transaction, row: JobRow) -> bool:
    if not row.session:
        return False
    if tx.namespace.extraction_mode is ExtractionMode.OFF:
        found = await tx.rows(_WAITING_MESSAGE, {"session": row.session, "target": row.target})
        return bool(found)
    return await waiting_messages(tx, tx.namespace, row.session, row.target) > 0


_WAITING_MESSAGE = """CALL () {
        MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = $session AND m.waits = true AND m.key > 0 AND m.seq <= $target
            RETURN m.key AS owner LIMIT 1
        UNION MATCH (p:Passage) WHERE p.namespace = $namespace AND p.session = $session AND p.waits = true AND p.key > 0
            MATCH (m:Message {namespace: $namespace, key: p.key}) WHERE m.seq <= $target RETURN m.key AS owner LIMIT 1 }
    RETURN owner LIMIT 1"""


async def _queue_again(tx: Transaction, row: JobRow, run_after: int, **properties: Any) -> None:
    await set_job(tx, row, state=JobState.QUEUED.name, run_after=run_after, due_at=run_after, worker=None, **properties)


async def end_job(tx: Transaction, row: JobRow, state: JobState, **properties: Any) -> None:
    """Ends a job; its lease, if any, is lost."""
    await set_job(tx, row, state=state.name, due_at=None, worker=None, **properties)
