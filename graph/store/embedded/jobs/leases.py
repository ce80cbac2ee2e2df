"""Leasing jobs and handing them back."""

import logging
from collections.abc import Collection
from datetime import timedelta
from functools import partial

import apsw

from graph.errors import NamespaceCorrupt, NamespaceNotFound, StructMemError
from graph.model import ExtractionMode, Job, JobKind, Lease, Namespace, NodeKind, to_micros
from graph.store.embedded.files.connection import json_list
from graph.store.embedded.files.engine import Engine
from graph.store.embedded.files.namespace_file import NamespaceFile
from graph.store.embedded.files.transaction import Transaction
from graph.store.embedded.jobs.job_queue import due_job, waiting_events, waiting_messages
from graph.store.embedded.jobs.job_rows import RUNNING, SUCCEEDED, find_job, job_rows, open_jobs, save_job
from graph.store.embedded.rows.session_rows import session_row
from graph.store.port import JobOutcome, JobSucceeded
from graph.store.rules.jobs import JobRow, finished, forgotten_before, held, job_of, lease_of, leased, renewed

_log = logging.getLogger(__name__)


def lease_job(engine: Engine, worker: str, duration: timedelta, kinds: Collection[JobKind], namespace: str = "") -> Lease | None:
    """See `Store.lease_job`. Only namespaces with open jobs are looked at; one that is in trouble keeps no other from its work."""
    now = to_micros(engine.clock.now())
    for name, uid in engine.jobs.due(now):
        if namespace and name != namespace:
            continue
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
    if not namespace:
        engine.jobs.clear_hints()
    return None


def _lease(
    engine: Engine, worker: str, duration: timedelta, kinds: Collection[JobKind], file: NamespaceFile, settings: Namespace
) -> Lease | None:
    with file.write(settings) as tx:
        # Even when nothing is due: the schedule then learns when something will be.
        tx.touched_jobs = True
        if engine.jobs.settle(file.uid):
            # The directory has one owner at a time: who held these leases when it was last used is gone.
            tx.db.execute(f"UPDATE jobs SET expires_at = min(expires_at, ?) WHERE state = {RUNNING}", (tx.now,))
        return lease_due_job(tx, worker, duration, kinds)


def lease_due_job(tx: Transaction, worker: str, duration: timedelta, kinds: Collection[JobKind]) -> Lease | None:
    """The namespace's job that has been due longest, leased; None when none is due."""
    key = due_job(tx.db, tx.now, json_list(kinds))
    if key is None:
        return None
    [row] = job_rows(tx.db, "WHERE j.key = ?", (key,))
    session = session_row(tx.db, row.session) if row.session else None
    target, waiting, others = row.target, 0, list[JobRow]()
    if session is not None:
        target, others = session.last_seq, open_jobs(tx.db, session.key)
        waiting = waiting_messages(tx.db, tx.namespace, session.key, target)
    elif row.kind is JobKind.CONSOLIDATION:
        waiting, others = waiting_events(tx.db), [job for job in open_jobs(tx.db, None) if job.id != row.id]
    leased_row = leased(row, others, tx.now, worker, tx.next_epoch(), duration, target, waiting)
    return lease_of(tx.namespace.name, save_job(tx, leased_row))


def held_job(db: apsw.Connection, now: int, lease: Lease) -> JobRow:
    """The row of a leased job. Raises LeaseLost when the lease is not held any more."""
    return held(find_job(db, lease.job.id), now, lease)


def renew(tx: Transaction, lease: Lease, duration: timedelta) -> Lease:
    """See `Memory.renew`."""
    row = renewed(held_job(tx.db, tx.now, lease), tx.now, duration)
    tx.db.execute("UPDATE jobs SET expires_at = ? WHERE key = ?", (row.expires_at, row.key))
    tx.touched_jobs = True
    return lease_of(tx.namespace.name, row)


def finish_job(tx: Transaction, lease: Lease, outcome: JobOutcome) -> Job:
    """See `Memory.finish_job`."""
    row = held_job(tx.db, tx.now, lease)
    unfinished = isinstance(outcome, JobSucceeded) and _unfinished(tx, row)
    row = save_job(tx, finished(row, tx.now, outcome, unfinished=unfinished))
    tx.db.execute(f"DELETE FROM jobs WHERE state = {SUCCEEDED} AND updated_at < ?", (forgotten_before(tx.now),))
    return job_of(tx.namespace.name, row)


def _unfinished(tx: Transaction, row: JobRow) -> bool:
    session = session_row(tx.db, row.session) if row.session else None
    if session is None:
        return False
    if tx.namespace.extraction_mode is ExtractionMode.OFF:
        sql = f"""SELECT 1 FROM passages p JOIN nodes n ON n.key = p.owner
                  WHERE p.session = ? AND p.waits = 1 AND n.kind = {NodeKind.MESSAGE:d} AND n.seq <= ? LIMIT 1"""
        return tx.db.execute(sql, (session.key, row.target)).fetchone() is not None
    return waiting_messages(tx.db, tx.namespace, session.key, row.target) > 0
