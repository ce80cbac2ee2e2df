"""Leasing jobs and handing them back. A lease's epoch fences out a worker whose lease has passed to another."""

import logging
from collections.abc import Collection
from datetime import timedelta
from functools import partial

import apsw
import orjson

from graph.errors import LeaseLost, NamespaceCorrupt, NamespaceNotFound, StructMemError
from graph.model import ExtractionMode, Job, JobKind, JobState, Lease, Namespace, from_micros, to_micros
from graph.store.embedded.files.connection import row as row_of
from graph.store.embedded.files.engine import Engine
from graph.store.embedded.files.namespace_file import NamespaceFile
from graph.store.embedded.files.transaction import Transaction
from graph.store.embedded.jobs.job_queue import due_job, waiting_messages
from graph.store.embedded.jobs.job_rows import SELECT_JOB, JobRow, error_json, job_of, job_row, next_update
from graph.store.port import JobAttemptFailed, JobDeferred, JobOutcome
from graph.store.rules.retention import JOB_RETENTION

_JOB_RETENTION_MICROS = JOB_RETENTION // timedelta(microseconds=1)
_log = logging.getLogger(__name__)


def lease_job(engine: Engine, worker: str, duration: timedelta, kinds: Collection[JobKind]) -> Lease | None:
    """See `Store.lease_job`. Only namespaces with open jobs are looked at; one that is in trouble keeps no other from its work."""
    now = to_micros(engine.clock.now())
    for name, uid in engine.jobs.due(now):
        try:
            lease = engine.with_file(name, partial(_lease, engine, worker, duration, kinds), uid)
        except NamespaceNotFound:  # deleted meanwhile
            engine.jobs.forget(uid)
        except NamespaceCorrupt as error:
            _log.warning("namespace %s: its jobs rest until the next start: %s", name, error)
            engine.jobs.forget(uid)
        except StructMemError as error:
            _log.warning("namespace %s: its jobs wait: %s", name, error)
            engine.jobs.postpone(uid, now)
        else:
            if lease is not None:
                return lease
    engine.jobs.clear_hints()
    return None


def _lease(
    engine: Engine, worker: str, duration: timedelta, kinds: Collection[JobKind], file: NamespaceFile, settings: Namespace
) -> Lease | None:
    with file.write() as tx:
        # Even when nothing is due: the schedule then learns when something will be.
        tx.touched_jobs = True
        if engine.jobs.settle(file.uid):
            # The directory has one owner at a time: who held these leases when it was last used is gone.
            tx.db.execute("UPDATE jobs SET expires_at = min(expires_at, ?) WHERE state = 2", (tx.now,))
        return lease_due_job(tx, settings, worker, duration, kinds)


def lease_due_job(tx: Transaction, settings: Namespace, worker: str, duration: timedelta, kinds: Collection[JobKind]) -> Lease | None:
    """The namespace's job that has been due longest, leased; None when none is due.

    A leased job covers every message that its session has by now.
    """
    key = due_job(tx.db, tx.now, orjson.dumps([int(kind) for kind in kinds]).decode())
    if key is None:
        return None
    row = JobRow(*row_of(tx.db, f"{SELECT_JOB} WHERE j.key = ?", (key,)))
    epoch, expires_at = tx.next_epoch(), tx.now + duration // timedelta(microseconds=1)
    last_seq = tx.db.execute("SELECT last_seq FROM sessions WHERE key = ?", (row.session,)).get or row.target
    idle_until = tx.db.execute("SELECT max(idle_until) FROM jobs WHERE session IS ? AND state IN (1, 2)", (row.session,)).get
    waiting = waiting_messages(tx.db, settings, row.session, int(last_seq)) if row.session is not None else 0
    tx.db.execute(
        """UPDATE jobs SET state = 2, worker = ?, epoch = ?, expires_at = ?, attempts = attempts + 1, updated_at = ?, target = ?, total = ?,
               idle_until = ? WHERE key = ?""",
        (worker, epoch, expires_at, next_update(tx.now, row.updated_at), last_seq, row.done + waiting, idle_until, row.key),
    )
    tx.job_changed(row.id)
    return Lease(job_of(settings.name, job_row(tx.db, row.id)), worker, epoch, from_micros(expires_at))


def held_job(db: apsw.Connection, now: int, lease: Lease) -> JobRow:
    """The row of a leased job. Raises LeaseLost when the lease is not held any more."""
    values = db.execute(f"{SELECT_JOB} WHERE j.id = ?", (lease.job.id,)).fetchone()
    row = None if values is None else JobRow(*values)
    if row is None or row.state != JobState.RUNNING or row.epoch != lease.epoch or row.expires_at <= now:
        raise LeaseLost("the lease on this job is no longer held", metadata={"job_id": lease.job.id})
    return row


def renew(tx: Transaction, lease: Lease, duration: timedelta) -> Lease:
    """See `Store.renew`."""
    row = held_job(tx.db, tx.now, lease)
    expires_at = tx.now + duration // timedelta(microseconds=1)
    tx.db.execute("UPDATE jobs SET expires_at = ? WHERE key = ?", (expires_at, row.key))
    tx.touched_jobs = True
    return Lease(job_of(lease.job.namespace, row), lease.worker, lease.epoch, from_micros(expires_at))


def finish_job(tx: Transaction, settings: Namespace, lease: Lease, outcome: JobOutcome) -> Job:
    """See `Store.finish_job`. Being handed back is no attempt; work that went on starts the count of attempts anew."""
    row = held_job(tx.db, tx.now, lease)
    match outcome:
        case JobDeferred():
            # A flush that came meanwhile ends the waiting.
            run_after = min(to_micros(outcome.run_after), max(row.idle_until, tx.now))
            _release(tx, row, JobState.QUEUED, run_after, max(row.attempts - 1, 0), row.error)
        case JobAttemptFailed():
            state = JobState.FAILED if outcome.retry_at is None else JobState.QUEUED
            run_after = row.run_after if outcome.retry_at is None else to_micros(outcome.retry_at)
            _release(tx, row, state, run_after, row.attempts, error_json(outcome.error))
        case _ if _unfinished(tx, settings, row):
            _release(tx, row, JobState.QUEUED, max(tx.now, row.idle_until), 0, None)
        case _:
            tx.db.execute("UPDATE jobs SET done = max(done, total) WHERE key = ?", (row.key,))
            _release(tx, row, JobState.SUCCEEDED, row.run_after, row.attempts, None)
    tx.db.execute("DELETE FROM jobs WHERE state = 3 AND updated_at < ?", (tx.now - _JOB_RETENTION_MICROS,))
    return job_of(settings.name, job_row(tx.db, row.id))


def _unfinished(tx: Transaction, settings: Namespace, row: JobRow) -> bool:
    if row.session is None:
        return False
    if settings.extraction_mode is ExtractionMode.OFF:
        sql = """SELECT 1 FROM passages p JOIN nodes n ON n.key = p.owner
                 WHERE p.session = ? AND p.waits = 1 AND n.kind = 2 AND n.seq <= ? LIMIT 1"""
        return tx.db.execute(sql, (row.session, row.target)).fetchone() is not None
    return waiting_messages(tx.db, settings, row.session, row.target) > 0


def _release(tx: Transaction, row: JobRow, state: JobState, run_after: int, attempts: int, error: str | None) -> None:
    tx.db.execute(
        "UPDATE jobs SET state = ?, run_after = ?, attempts = ?, error = ?, updated_at = ?, worker = NULL, expires_at = 0 WHERE key = ?",
        (int(state), run_after, attempts, error, next_update(tx.now, row.updated_at), row.key),
    )
    tx.job_changed(row.id)
