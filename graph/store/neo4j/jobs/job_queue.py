"""Which work is open: jobs are made for messages that wait."""

from collections.abc import Sequence
from datetime import timedelta

from graph.model import ExtractionMode, IdSource, Namespace
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.jobs.job_rows import JOB_PROJECTION, OPEN, job_row_of, save_job
from graph.store.rules.jobs import JobRow, covering, needs_work, new_consolidation, new_job, queued_among

_OPEN = f"""MATCH (j:Job) WHERE j.namespace = $namespace AND j.session = $at.session AND j.state IN {OPEN}
    WITH j ORDER BY j.key RETURN collect(j{JOB_PROJECTION})"""
_UNEXTRACTED = """MATCH (s:Session {namespace: $namespace, name: $at.session})
    CALL (s) { MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = $at.session AND m.seq > s.extracted_seq
        AND m.seq <= $at.upto RETURN count(m) AS waiting }
    CALL (s) { MATCH (a:AgainMark) WHERE a.namespace = $namespace AND a.session = $at.session AND a.seq > 0 RETURN count(a) AS again }
    RETURN waiting + again"""
_UNEMBEDDED = """CALL () {
        MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = $at.session AND m.waits = true AND m.key > 0
            RETURN m.key AS owner
        UNION MATCH (p:Passage) WHERE p.namespace = $namespace AND p.session = $at.session AND p.waits = true AND p.key > 0
            RETURN p.owner_key AS owner
        UNION MATCH (f:Fact) WHERE f.namespace = $namespace AND f.session = $at.session AND f.waits = true AND f.key > 0
            RETURN f.key AS owner
        UNION MATCH (r:Relation) WHERE r.namespace = $namespace AND r.session = $at.session AND r.waits = true AND r.key > 0
            RETURN r.key AS owner }
    RETURN count(DISTINCT owner)"""

_UNSUMMARIZED = "MATCH (e:Event) WHERE e.namespace = $namespace AND e.waits_since IS NOT NULL RETURN count(e)"


async def open_jobs(tx: Transaction, session: str) -> list[JobRow]:
    """The queued and running jobs of a session, oldest first, as they were before this write; of "", those that consolidate."""
    [[found]] = await tx.rows(_OPEN, {"session": session})
    return [job_row_of(row) for row in found]


async def cover_messages(tx: Transaction, settings: Namespace, ids: IdSource, session: str, upto: int, idle: timedelta) -> JobRow | None:
    """The job that covers a session's messages up to a seq; None when nothing is to be done for them."""
    if not needs_work(settings):
        return None
    jobs = await open_jobs(tx, session)
    return cover(tx, ids, jobs, session, upto, idle, await waiting_messages(tx, settings, session, upto))


def cover(tx: Transaction, ids: IdSource, jobs: Sequence[JobRow], session: str, upto: int, idle: timedelta, waiting: int) -> JobRow:
    """The job that covers a session's messages up to a seq: the queued one of the open ones, or a new one. `waiting`: how many."""
    queued = queued_among(jobs)
    if queued is None:
        return save_job(tx, new_job(ids.mint("job"), tx.job_key(), session, tx.now, upto, idle, waiting))
    return save_job(tx, covering(queued, tx.now, upto, idle, waiting))


async def cover_consolidation(tx: Transaction) -> JobRow:
    """The job that summarizes the events that wait: the queued one, as it is, or a new one."""
    queued = queued_among(await open_jobs(tx, ""))
    return queued or save_job(tx, new_consolidation(tx.ids.mint("job"), tx.job_key(), tx.now, await waiting_events(tx)))


async def waiting_events(tx: Transaction) -> int:
    """How many events no window summarizes."""
    [[count]] = await tx.rows(_UNSUMMARIZED)
    return int(count)


async def waiting_messages(tx: Transaction, settings: Namespace, session: str, upto: int) -> int:
    """How many messages of a session, up to a seq, are not extracted, or are to be anew (with extraction off: lack a vector)."""
    query = _UNEMBEDDED if settings.extraction_mode is ExtractionMode.OFF else _UNEXTRACTED
    [[count]] = await tx.rows(query, {"session": session, "upto": upto})
    return int(count)
