"""Which work is open: jobs are made for messages that wait, and told apart by when they are due."""

from datetime import timedelta

import apsw

from graph.model import ExtractionMode, IdSource, Namespace, NodeKind
from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.transaction import Transaction
from graph.store.embedded.jobs.job_rows import QUEUED, RUNNING, insert_job, open_jobs, save_job
from graph.store.rules.jobs import JobRow, covering, needs_work, new_consolidation, new_job, queued_among


def cover_messages(tx: Transaction, settings: Namespace, ids: IdSource, session: int, upto: int, idle: timedelta) -> str:
    """The job that covers a session's messages up to a seq: the queued one or a new one; "" when nothing is to be done for them."""
    if not needs_work(settings):
        return ""
    queued = queued_among(open_jobs(tx.db, session))
    waiting = waiting_messages(tx.db, settings, session, upto)
    if queued is not None:
        return save_job(tx, covering(queued, tx.now, upto, idle, waiting)).id
    return insert_job(tx, new_job(ids.mint("job"), 0, "", tx.now, upto, idle, waiting), session).id


def cover_consolidation(tx: Transaction) -> JobRow:
    """The job that summarizes the events that wait: the queued one, as it is, or a new one."""
    queued = queued_among(open_jobs(tx.db, None))
    return queued or insert_job(tx, new_consolidation(tx.ids.mint("job"), 0, tx.now, waiting_events(tx.db)), None)


def waiting_events(db: apsw.Connection) -> int:
    """How many events no window summarizes."""
    return int(db.execute("SELECT count(*) FROM waiting_events").get)


def waiting_messages(db: apsw.Connection, settings: Namespace, session: int, upto: int) -> int:
    """How many messages of a session, up to a seq, are not extracted, or are to be anew (with extraction off: lack a vector)."""
    if settings.extraction_mode is ExtractionMode.OFF:
        return int(db.execute("SELECT count(DISTINCT owner) FROM passages WHERE session = ? AND waits = 1", (session,)).get)
    return int(
        db.execute(
            f"""SELECT (SELECT count(*) FROM messages_again WHERE session = ?1) + count(*) FROM nodes
               WHERE kind = {NodeKind.MESSAGE:d} AND session = ?1
               AND seq > (SELECT extracted_seq FROM sessions WHERE key = ?1) AND seq <= ?2""",
            (session, upto),
        ).get
    )


def due_job(db: apsw.Connection, now: int, kinds: str) -> int | None:
    """The key of the job that has been due longest; None when none is. `kinds` is a JSON list, empty for all.

    A running job whose lease has passed is due; a queued one is, from its time on, unless another one of its session runs.
    """
    allowed = "(?2 = '[]' OR j.kind IN (SELECT value FROM json_each(?2)))"
    passed = rows(
        db,
        f"""SELECT j.expires_at, j.key FROM jobs j WHERE j.state = {RUNNING} AND j.expires_at <= ?1 AND {allowed} AND NOT EXISTS
                (SELECT 1 FROM jobs r WHERE r.session IS j.session AND r.state = {RUNNING} AND r.expires_at > ?1)
            ORDER BY j.expires_at LIMIT 1""",
        (now, kinds),
    )
    queued = rows(
        db,
        f"""SELECT j.run_after, j.key FROM jobs j WHERE j.state = {QUEUED} AND j.run_after <= ?1 AND {allowed} AND NOT EXISTS
                (SELECT 1 FROM jobs r WHERE r.session IS j.session AND r.state = {RUNNING})
            ORDER BY j.run_after LIMIT 1""",
        (now, kinds),
    )
    return int(min(passed + queued)[1]) if passed or queued else None


def next_due(db: apsw.Connection) -> int | None:
    """When the first open job is due, in microseconds; None when no job is open."""
    due = db.execute(
        f"""SELECT min(due) FROM (
               SELECT min(expires_at) AS due FROM jobs WHERE state = {RUNNING}
               UNION ALL SELECT * FROM (SELECT run_after FROM jobs j WHERE state = {QUEUED} AND NOT EXISTS
                   (SELECT 1 FROM jobs r WHERE r.session IS j.session AND r.state = {RUNNING}) ORDER BY run_after LIMIT 1))"""
    ).get
    return None if due is None else int(due)
