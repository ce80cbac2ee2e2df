"""Leasing jobs and handing them back.

Leases end by the server's clock, which all processes share.
"""

import logging
from collections.abc import Collection
from datetime import timedelta
from functools import partial
from typing import Any

from graph.errors import NotFound, StructMemError
from graph.model import ExtractionMode, Job, JobKind, Lease
from graph.store.neo4j.driver.database import Database
from graph.store.neo4j.driver.transaction import Prefetch, Transaction
from graph.store.neo4j.jobs.job_queue import waiting_events, waiting_messages
from graph.store.neo4j.jobs.job_rows import JOB_PROJECTION, OPEN, find_job, job_properties, job_row_of, save_job
from graph.store.port import JobOutcome, JobSucceeded
from graph.store.rules.jobs import (
    JobRow,
    finished,
    forgotten_before,
    held,
    is_due,
    job_of,
    lease_of,
    leased,
    renewed,
)

# How many due jobs are fetched at once: other workers may take the first ones meanwhile.
_LOOKED_AT = 32
_log = logging.getLogger(__name__)

# A running job whose lease has passed is due; a queued one is, from its time on, unless another one of its session runs.
_BLOCKED = """EXISTS { MATCH (r:Job) WHERE r.namespace = j.namespace AND r.session = j.session AND r.state = 'RUNNING' AND r.id <> j.id
    AND (j.state = 'QUEUED' OR r.due_at > $at.now) }"""
_DUE = f"""MATCH (j:Job) WHERE j.due_at <= $at.now AND ($at.kinds = [] OR j.kind IN $at.kinds)
        AND ($at.of = '' OR j.namespace = $at.of) AND NOT {_BLOCKED}
    MATCH (n:Namespace {{name: j.namespace}}) WHERE n.state = 'ACTIVE'
    WITH j ORDER BY j.due_at, j.namespace, j.key LIMIT {_LOOKED_AT} RETURN collect([j.namespace, j.id])"""
_FORGET = "MATCH (j:Job) WHERE j.namespace = $namespace AND j.succeeded_at < $at.before DELETE j"


async def lease_job(database: Database, worker: str, duration: timedelta, kinds: Collection[JobKind], namespace: str = "") -> Lease | None:
    """See `Store.lease_job`. A namespace that is in trouble keeps no other from its work."""
    values: dict[str, Any] = {"now": await database.now(), "kinds": [kind.name for kind in kinds], "of": namespace}
    [[due]] = await database.connection.rows(_DUE, {"at": values})
    for name, job_id in due:
        try:
            lease = await database.write(
                name, partial(_lease, job_id=job_id, worker=worker, duration=duration), Prefetch(_WORK, {"id": job_id})
            )
        except NotFound:  # the namespace was deleted meanwhile
            continue
        except StructMemError as error:
            _log.warning("namespace %s: its jobs wait: %s", name, error)
            continue
        if lease is not None:
            return lease
    return None


_WORK = f"""CALL () {{
        OPTIONAL MATCH (j:Job {{namespace: $namespace, id: $at.id}}) OPTIONAL MATCH (s:Session {{namespace: $namespace, name: j.session}})
        CALL (j) {{ MATCH (o:Job) WHERE o.namespace = $namespace AND o.session = j.session AND o.state IN {OPEN}
            RETURN collect(o{JOB_PROJECTION}) AS open }}
        RETURN {{job: j{JOB_PROJECTION}, last_seq: s.last_seq, open: open}} AS prefetched }}"""


async def _lease(tx: Transaction, job_id: str, worker: str, duration: timedelta) -> Lease | None:
    """The job, leased, unless somebody else was quicker. It then covers every message that its session has by now."""
    row = None if tx.prefetched["job"] is None else job_row_of(tx.prefetched["job"])
    others = [job_row_of(job) for job in tx.prefetched["open"] if job["id"] != job_id]
    if row is None or not is_due(row, others, tx.now):
        return None
    target, waiting = row.target, 0
    if tx.prefetched["last_seq"] is not None:
        target = tx.prefetched["last_seq"]
        waiting = await waiting_messages(tx, tx.namespace, row.session, target)
    elif row.kind is JobKind.CONSOLIDATION:
        waiting = await waiting_events(tx)
    return lease_of(tx.name, save_job(tx, leased(row, others, tx.now, worker, tx.next_epoch(), duration, target, waiting)))


async def held_job(tx: Transaction, lease: Lease) -> JobRow:
    """The row of a leased job. Raises LeaseLost when the lease is not held any more."""
    return held(await find_job(tx, lease.job.id), tx.now, lease)


async def renew(tx: Transaction, lease: Lease, duration: timedelta) -> Lease:
    """See `Memory.renew`."""
    row = renewed(await held_job(tx, lease), tx.now, duration)
    tx.prolong_job(row.id, job_properties(row))
    return lease_of(tx.name, row)


async def finish_job(tx: Transaction, lease: Lease, outcome: JobOutcome) -> Job:
    """See `Memory.finish_job`."""
    row = await held_job(tx, lease)
    await tx.execute(_FORGET, {"before": forgotten_before(tx.now)})
    unfinished = isinstance(outcome, JobSucceeded) and await _unfinished(tx, row)
    return job_of(tx.name, save_job(tx, finished(row, tx.now, outcome, unfinished=unfinished)))


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
