"""Which work is open: jobs are made for messages that wait."""

from collections.abc import Sequence
from datetime import timedelta

from graph.model import ExtractionMode, IdSource, JobKind, JobState, Namespace
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.jobs.job_rows import JOB_PROJECTION, JobRow, change_job, job_properties, job_row_of
from graph.store.rules.sessions import SessionRow
from graph.store.rules.spec_rules import waits_for_vectors

_MICROSECOND = timedelta(microseconds=1)
_OPEN = f"""MATCH (j:Job) WHERE j.namespace = $namespace AND j.session = $at.session AND j.state IN ['QUEUED', 'RUNNING']
    WITH j ORDER BY j.key RETURN collect(j{JOB_PROJECTION})"""
_UNEXTRACTED = """MATCH (s:Session {namespace: $namespace, name: $at.session})
    MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = $at.session AND m.seq > s.extracted_seq AND m.seq <= $at.upto
    RETURN count(m)"""
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


async def open_jobs(tx: Transaction, session: str) -> list[JobRow]:
    """The queued and running jobs of a session, oldest first, as they were before this write."""
    [[found]] = await tx.rows(_OPEN, {"session": session})
    return [job_row_of(row) for row in found]


def needs_work(settings: Namespace) -> bool:
    """Whether anything is done with messages after they were stored."""
    return settings.extraction_mode is not ExtractionMode.OFF or waits_for_vectors(settings.embedding)


async def cover_messages(tx: Transaction, settings: Namespace, ids: IdSource, session: str, upto: int, idle: timedelta) -> JobRow | None:
    """The job that covers a session's messages up to a seq; None when nothing is to be done for them."""
    if not needs_work(settings):
        return None
    jobs = await open_jobs(tx, session)
    return cover(tx, ids, jobs, session, upto, idle, await waiting_messages(tx, settings, session, upto))


def cover(tx: Transaction, ids: IdSource, jobs: Sequence[JobRow], session: str, upto: int, idle: timedelta, waiting: int) -> JobRow:
    """The job that covers a session's messages up to a seq: the queued one among the open ones, or a new one. `waiting`: how many they are.

    The job is due at once, so that vectors come promptly; what is left half full then waits until `idle_until`. Only a job whose attempts
    have failed keeps its time: what backs off is not hurried by more messages.
    """
    idle_until = tx.now + idle // _MICROSECOND
    queued = next((job for job in reversed(jobs) if job.state is JobState.QUEUED), None)
    if queued is None:
        job = JobRow(
            ids.mint("job"),
            tx.job_key(),
            JobKind.EXTRACTION,
            JobState.QUEUED,
            session,
            tx.now,
            tx.now,
            tx.now,
            idle_until,
            upto,
            total=waiting,
        )
        tx.put_job(job.id, job_properties(job))
        return job
    return change_job(
        tx,
        queued,
        target=max(queued.target, upto),
        total=queued.done + waiting,
        idle_until=idle_until,
        run_after=queued.run_after if queued.attempts else min(queued.run_after, tx.now),
    )


async def waiting_messages(tx: Transaction, settings: Namespace, session: str, upto: int) -> int:
    """How many messages of a session, up to a seq, are not extracted (with extraction off: lack a vector)."""
    query = _UNEMBEDDED if settings.extraction_mode is ExtractionMode.OFF else _UNEXTRACTED
    [[count]] = await tx.rows(query, {"session": session, "upto": upto})
    return int(count)


def open_job_of(jobs: Sequence[JobRow], session: SessionRow, seq: int) -> str:
    """The id of the open job that covers a message of the session, or ""."""
    if session.extracted_seq >= seq > 0:
        return ""
    return next((job.id for job in jobs if job.target >= seq), "")
