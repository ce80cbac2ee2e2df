"""Which work is open: jobs are made for messages that wait, and told apart by when they are due."""

from datetime import timedelta

import apsw

from graph.model import ExtractionMode, IdSource, JobKind, Namespace
from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.transaction import Transaction
from graph.store.rules.sessions import SessionRow
from graph.store.rules.spec_rules import waits_for_vectors


def cover_messages(tx: Transaction, settings: Namespace, ids: IdSource, session: int, upto: int, idle: timedelta) -> str:
    """The job that covers a session's messages up to a seq: the queued one or a new one; "" when nothing is to be done for them.

    The job is due at once, so that vectors come promptly; what is left half full then waits until `idle_until`. Only a job whose attempts
    have failed keeps its time: what backs off is not hurried by more messages.
    """
    if settings.extraction_mode is ExtractionMode.OFF and not waits_for_vectors(settings.embedding):
        return ""
    idle_until = tx.now + idle // timedelta(microseconds=1)
    queued = tx.db.execute("SELECT key, id FROM jobs WHERE session = ? AND state = 1 ORDER BY key DESC LIMIT 1", (session,)).fetchone()
    tx.touched_jobs = True
    if queued is not None:
        tx.job_changed(str(queued[1]))
        tx.db.execute(
            """UPDATE jobs SET target = max(target, ?1), total = done + ?2, idle_until = ?3, updated_at = max(updated_at + 1, ?4),
                   run_after = CASE attempts WHEN 0 THEN min(run_after, ?4) ELSE run_after END WHERE key = ?5""",
            (upto, waiting_messages(tx.db, settings, session, upto), idle_until, tx.now, queued[0]),
        )
        return str(queued[1])
    return _insert_job(tx, settings, ids, session, upto, idle_until)


def _insert_job(tx: Transaction, settings: Namespace, ids: IdSource, session: int, upto: int, idle_until: int) -> str:
    id_ = ids.mint("job")
    tx.db.execute(
        """INSERT INTO jobs (id, kind, state, session, created_at, updated_at, run_after, idle_until, target, total)
           VALUES (?1, ?2, 1, ?3, ?4, ?4, ?4, ?5, ?6, ?7)""",
        (id_, int(JobKind.EXTRACTION), session, tx.now, idle_until, upto, waiting_messages(tx.db, settings, session, upto)),
    )
    return id_


def waiting_messages(db: apsw.Connection, settings: Namespace, session: int, upto: int) -> int:
    """How many messages of a session, up to a seq, are not extracted (with extraction off: lack a vector)."""
    if settings.extraction_mode is ExtractionMode.OFF:
        return int(db.execute("SELECT count(DISTINCT owner) FROM passages WHERE session = ? AND waits = 1", (session,)).get)
    return int(
        db.execute(
            """SELECT count(*) FROM nodes WHERE kind = 2 AND session = ?1
               AND seq > (SELECT extracted_seq FROM sessions WHERE key = ?1) AND seq <= ?2""",
            (session, upto),
        ).get
    )


def open_job_of(db: apsw.Connection, session: SessionRow, seq: int) -> str:
    """The open job that covers a message of the session, or ""."""
    row = db.execute(
        "SELECT id FROM jobs WHERE session = ? AND state IN (1, 2) AND target >= ? ORDER BY key", (session.key, seq)
    ).fetchone()
    return "" if row is None or (session.extracted_seq >= seq > 0) else str(row[0])


def due_job(db: apsw.Connection, now: int, kinds: str) -> int | None:
    """The key of the job that has been due longest; None when none is. `kinds` is a JSON list, empty for all.

    A running job whose lease has passed is due; a queued one is, from its time on, unless another one of its session runs.
    """
    allowed = "(?2 = '[]' OR j.kind IN (SELECT value FROM json_each(?2)))"
    passed = rows(
        db,
        f"""SELECT j.expires_at, j.key FROM jobs j WHERE j.state = 2 AND j.expires_at <= ?1 AND {allowed} AND NOT EXISTS
            (SELECT 1 FROM jobs r WHERE r.session = j.session AND r.state = 2 AND r.expires_at > ?1) ORDER BY j.expires_at LIMIT 1""",
        (now, kinds),
    )
    queued = rows(
        db,
        f"""SELECT j.run_after, j.key FROM jobs j WHERE j.state = 1 AND j.run_after <= ?1 AND {allowed} AND NOT EXISTS
            (SELECT 1 FROM jobs r WHERE r.session = j.session AND r.state = 2) ORDER BY j.run_after LIMIT 1""",
        (now, kinds),
    )
    return int(min(passed + queued)[1]) if passed or queued else None


def next_due(db: apsw.Connection) -> int | None:
    """When the first open job is due, in microseconds; None when no job is open."""
    due = db.execute(
        """SELECT min(due) FROM (
               SELECT min(expires_at) AS due FROM jobs WHERE state = 2
               UNION ALL SELECT * FROM (SELECT run_after FROM jobs j WHERE state = 1 AND NOT EXISTS
                   (SELECT 1 FROM jobs r WHERE r.session = j.session AND r.state = 2) ORDER BY run_after LIMIT 1))"""
    ).get
    return None if due is None else int(due)
