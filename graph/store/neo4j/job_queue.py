"""Which work is open: jobs are made for messages that wait."""

from datetime import timedelta

from graph.model import ExtractionMode, IdSource, JobKind, JobState, Namespace
from graph.store.neo4j.job_rows import JOB_PROJECTION, JobRow, job_row_of, set_job
from graph.store.neo4j.session_rows import SessionRow
from graph.store.neo4j.transaction import Transaction
from graph.store.spec_rules import waits_for_vectors

_MICROSECOND = timedelta(microseconds=1)
_OPEN = f"""MATCH (j:Job) WHERE j.namespace = $namespace AND j.session = $session AND j.state IN ['QUEUED', 'RUNNING']
    WITH j ORDER BY j.key RETURN collect(j{JOB_PROJECTION})"""
_CREATE = "CREATE (j:Job) SET j = $properties"
_UNEXTRACTED = """MATCH (s:Session {namespace: $namespace, name: $session})
    MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = $session AND m.seq > s.extracted_seq AND m.seq <= $upto
    RETURN count(m)"""
_UNEMBEDDED = """CALL () {
        MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = $session AND m.waits = true AND m.key > 0 RETURN m.key AS owner
        UNION MATCH (p:Passage) WHERE p.namespace = $namespace AND p.session = $session AND p.waits = true AND p.key > 0
            RETURN p.owner_key AS owner
        UNION MATCH (f:Fact) WHERE f.namespace = $namespace AND f.session = $session AND f.waits = true AND f.key > 0 RETURN f.key AS owner
        UNION MATCH (r:Relation) WHERE r.namespace = $namespace AND r.session = $session AND r.waits = true AND r.key > 0
            RETURN r.key AS owner }
    RETURN count(DISTINCT owner)"""


async def open_jobs(tx: Transaction, session: str) -> list[JobRow]:
    """The queued and running jobs of a session, oldest first."""
    [[found]] = await tx.rows(_OPEN, {"session": session})
    return [job_row_of(row) for row in found]


async def cover_messages(
    tx: Transaction, settings: Namespace, ids: IdSource, session: str, upto: int, idle: timedelta, jobs: list[JobRow] | None = None
) -> str:
    """The job that covers a session's messages up to a seq: the queued one or a new one; "" when nothing is to be done for them.

    The job is due at once, so that vectors come promptly; what is left half full then waits until `idle_until`. Only a job whose attempts
    have failed keeps its time: what backs off is not hurried by more messages. `jobs` are the open ones, where they were read already.
    """
    if settings.extraction_mode is ExtractionMode.OFF and not waits_for_vectors(settings.embedding):
        return ""
    idle_until = tx.now + idle // _MICROSECOND
    waiting = await waiting_messages(tx, settings, session, upto)
    found = await open_jobs(tx, session) if jobs is None else jobs
    queued = next((job for job in reversed(found) if job.state is JobState.QUEUED), None)
    if queued is None:
        return await _create_job(tx, ids, session, upto, idle_until, waiting)
    run_after = queued.run_after if queued.attempts else min(queued.run_after, tx.now)
    target, total = max(queued.target, upto), queued.done + waiting
    await set_job(tx, queued, target=target, total=total, idle_until=idle_until, run_after=run_after, due_at=run_after)
    return queued.id


async def _create_job(tx: Transaction, ids: IdSource, session: str, upto: int, idle_until: int, waiting: int) -> str:
    id_ = ids.mint("job")
    properties = {
        "namespace": tx.name,
        "id": id_,
        "key": tx.job_key(),
        "kind": JobKind.EXTRACTION.name,
        "state": JobState.QUEUED.name,
        "session": session,
        "created_at": tx.now,
        "updated_at": tx.now,
        "run_after": tx.now,
        "due_at": tx.now,
        "idle_until": idle_until,
        "target": upto,
        "done": 0,
        "total": waiting,
        "attempts": 0,
        "epoch": 0,
    }
    await tx.execute(_CREATE, {"properties": properties})
    tx.touched_jobs = True
    return id_


async def waiting_messages(tx: Transaction, settings: Namespace, session: str, upto: int) -> int:
    """How many messages of a session, up to a seq, are not extracted (with extraction off: lack a vector)."""
    query = _UNEMBEDDED if settings.extraction_mode is ExtractionMode.OFF else _UNEXTRACTED
    [[count]] = await tx.rows(query, {"session": session, "upto": upto})
    return int(count)


async def open_job_of(tx: Transaction, session: SessionRow, seq: int) -> str:
    """The open job that covers a message of the session, or ""."""
    if session.extracted_seq >= seq > 0:
        return ""
    return next((job.id for job in await open_jobs(tx, session.name) if job.target >= seq), "")
