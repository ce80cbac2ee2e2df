"""Leasing jobs and handing them back. A lease's epoch fences out a worker whose lease has passed to another.

Leases end by the server's clock, which all processes share.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

from graph.errors import LeaseLost, NotFound, StructMemError
from graph.model import ExtractionMode, Job, JobKind, JobState, Lease, from_micros, to_micros
from graph.store.neo4j.driver.database import Database
from graph.store.neo4j.driver.transaction import Look, Transaction
from graph.store.neo4j.jobs.job_queue import waiting_messages
from graph.store.neo4j.jobs.job_rows import JOB, JOB_PROJECTION, JobRow, change_job, job_of, job_properties, job_row_of
from graph.store.port import JobAttemptFailed, JobDeferred, JobOutcome
from graph.store.rules.retention import JOB_RETENTION

_MICROSECOND = timedelta(microseconds=1)
_JOB_RETENTION_MICROS = JOB_RETENTION // _MICROSECOND
# How many due jobs one look brings: other workers may take the first ones meanwhile.
_LOOKED_AT = 32
_log = logging.getLogger(__name__)

# A running job whose lease has passed is due; a queued one is, from its time on, unless another one of its session runs.
_BLOCKED = """EXISTS { MATCH (r:Job) WHERE r.namespace = j.namespace AND r.session = j.session AND r.state = 'RUNNING' AND r.id <> j.id
    AND (j.state = 'QUEUED' OR r.due_at > $at.now) }"""
_DUE = f"""MATCH (j:Job) WHERE j.due_at <= $at.now AND ($at.kinds = [] OR j.kind IN $at.kinds) AND NOT {_BLOCKED}
    MATCH (n:Namespace {{name: j.namespace}}) WHERE n.state = 'ACTIVE'
    WITH j ORDER BY j.due_at, j.namespace, j.key LIMIT {_LOOKED_AT} RETURN collect([j.namespace, j.id])"""
_FORGET = "MATCH (j:Job) WHERE j.namespace = $namespace AND j.succeeded_at < $at.before DELETE j"


async def lease_job(database: Database, worker: str, duration: timedelta, kinds: Collection[JobKind]) -> Lease | None:
    """See `Store.lease_job`. A namespace that is in trouble keeps no other from its work."""
    values: dict[str, Any] = {"now": await database.now(), "kinds": [kind.name for kind in kinds]}
    [[due]] = await database.connection.rows(_DUE, {"at": values})
    for namespace, job_id in due:
        try:
            lease = await database.write(
                namespace, partial(_lease, job_id=job_id, worker=worker, duration=duration), Look(_WORK, {"id": job_id})
            )
        except NotFound:  # the namespace was deleted meanwhile
            continue
        except StructMemError as error:
            _log.warning("namespace %s: its jobs wait: %s", namespace, error)
            continue
        if lease is not None:
            return lease
    return None


_WORK = f"""CALL () {{
        OPTIONAL MATCH (j:Job {{namespace: $namespace, id: $at.id}}) OPTIONAL MATCH (s:Session {{namespace: $namespace, name: j.session}})
        CALL (j) {{ MATCH (o:Job) WHERE o.namespace = $namespace AND o.session = j.session AND o.state IN ['QUEUED', 'RUNNING']
            RETURN collect(o{JOB_PROJECTION}) AS open }}
        RETURN {{job: j{JOB_PROJECTION}, last_seq: s.last_seq, open: open}} AS seen }}"""


async def _lease(tx: Transaction, job_id: str, worker: str, duration: timedelta) -> Lease | None:
    """The job, leased, unless somebody else was quicker. It then covers every message that its session has by now."""
    row = None if tx.seen["job"] is None else job_row_of(tx.seen["job"])
    others = [job_row_of(job) for job in tx.seen["open"] if job["id"] != job_id]
    if row is None or not _is_due(row, others, tx.now):
        return None
    epoch, expires_at = tx.next_epoch(), tx.now + duration // _MICROSECOND
    target, total = row.target, row.done
    if tx.seen["last_seq"] is not None:
        target = tx.seen["last_seq"]
        total += await waiting_messages(tx, tx.namespace, row.session, target)
    leased = change_job(
        tx,
        row,
        state=JobState.RUNNING,
        worker=worker,
        epoch=epoch,
        expires_at=expires_at,
        attempts=row.attempts + 1,
        target=target,
        total=total,
        idle_until=max(job.idle_until for job in (row, *others)),
    )
    return Lease(job_of(tx.name, leased), worker, epoch, from_micros(expires_at))


def _is_due(row: JobRow, others: Sequence[JobRow], now: int) -> bool:
    if row.due_at is None or row.due_at > now:
        return False
    running = [job for job in others if job.state is JobState.RUNNING]
    return not running if row.state is JobState.QUEUED else all(job.expires_at <= now for job in running)


def lease_lost(job_id: str) -> LeaseLost:
    """The error for a lease that is not held any more."""
    return LeaseLost("the lease on this job is no longer held", metadata={"job_id": job_id})


def is_held(row: JobRow, now: int, lease: Lease) -> bool:
    """Whether the lease holds this job."""
    return row.state is JobState.RUNNING and row.epoch == lease.epoch and row.expires_at > now


async def held_job(tx: Transaction, lease: Lease) -> JobRow:
    """The row of a leased job. Raises LeaseLost when the lease is not held any more."""
    found = await tx.rows(JOB, {"id": lease.job.id})
    row = job_row_of(found[0][0]) if found else None
    if row is None or not is_held(row, tx.now, lease):
        raise lease_lost(lease.job.id)
    return row


async def renew(tx: Transaction, lease: Lease, duration: timedelta) -> Lease:
    """See `Store.renew`. It does not count as a change of the job: nobody who watches it has to know."""
    row = replace(await held_job(tx, lease), expires_at=tx.now + duration // _MICROSECOND)
    tx.prolong_job(row.id, job_properties(row))
    return Lease(job_of(tx.name, row), lease.worker, lease.epoch, from_micros(row.expires_at))


async def finish_job(tx: Transaction, lease: Lease, outcome: JobOutcome) -> Job:
    """See `Store.finish_job`. Being handed back is no attempt; work that went on starts the count of attempts anew."""
    row = await held_job(tx, lease)
    await tx.execute(_FORGET, {"before": tx.now - _JOB_RETENTION_MICROS})
    match outcome:
        case JobDeferred():
            # A flush that came meanwhile ends the waiting.
            run_after = min(to_micros(outcome.run_after), max(row.idle_until, tx.now))
            row = _queue_again(tx, row, run_after, attempts=max(row.attempts - 1, 0))
        case JobAttemptFailed() if outcome.retry_at is not None:
            row = _queue_again(tx, row, to_micros(outcome.retry_at), error=outcome.error)
        case JobAttemptFailed():
            row = end_job(tx, row, JobState.FAILED, error=outcome.error)
        case _ if await _unfinished(tx, row):
            row = _queue_again(tx, row, max(tx.now, row.idle_until), attempts=0, error=None)
        case _:
            row = end_job(tx, row, JobState.SUCCEEDED, done=max(row.done, row.total), error=None)
    return job_of(tx.name, row)


async def _unfinished(tx: Transaction, row: JobRow) -> bool:
    if not row.session:
        return False
    if tx.namespace.extraction_mode is ExtractionMode.OFF:
        found = await tx.rows(_WAITING_MESSAGE, {"session": row.session, "target": row.target})
        return bool(found)
    return await waiting_messages(tx, tx.namespace, row.session, row.target) > 0


_WAITING_MESSAGE = """CALL () {
        MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = $at.session AND m.waits = true AND m.key > 0
            AND m.seq <= $at.target
            RETURN m.key AS owner LIMIT 1
        UNION MATCH (p:Passage) WHERE p.namespace = $namespace AND p.session = $at.session AND p.waits = true
            AND p.key > 0 MATCH (m:Message {namespace: $namespace, key: p.key}) WHERE m.seq <= $at.target RETURN m.key AS owner LIMIT 1 }
    RETURN owner LIMIT 1"""


def _queue_again(tx: Transaction, row: JobRow, run_after: int, **changes: Any) -> JobRow:
    return change_job(tx, row, state=JobState.QUEUED, run_after=run_after, expires_at=0, worker="", **changes)


def end_job(tx: Transaction, row: JobRow, state: JobState, **changes: Any) -> JobRow:
    """The job, ended; its lease, if any, is lost."""
    return change_job(tx, row, state=state, expires_at=0, worker="", **changes)
