"""Deleting memories with all that rests on them. The text is overwritten in the file, not only unlinked."""

from collections import defaultdict
from collections.abc import Iterable

from graph.model import EdgeKind, JobState, NodeKind, from_micros
from graph.store.embedded.files.transaction import Operation, Transaction
from graph.store.embedded.generations import drop_passages
from graph.store.embedded.jobs.job_queue import cover_consolidation
from graph.store.embedded.jobs.job_rows import open_jobs, save_job
from graph.store.embedded.rows import kind_numbers
from graph.store.embedded.rows.entity_rows import recount_mentions
from graph.store.embedded.rows.node_keys import keys_of
from graph.store.embedded.rows.requests import first_answer, remember_answer
from graph.store.embedded.rows.session_rows import existing_session
from graph.store.embedded.rows.summary_rows import drop_memberless, something_removed, take_words
from graph.store.port import Deletion, DeletionReceipt
from graph.store.rules import deleting
from graph.store.rules.jobs import ended

_MESSAGE = f"kind = {NodeKind.MESSAGE:d}"
_NAMING = f"kind IN ({kind_numbers.NAMING})"
_RESTING = f"SELECT n.key, n.kind FROM edges e JOIN nodes n ON n.key = e.src WHERE e.dst = ? AND e.kind = {EdgeKind.EVIDENCED_BY:d}"
_STATED = f"SELECT n.key, n.kind FROM edges e JOIN nodes n ON n.key = e.dst WHERE e.src = ? AND e.kind = {EdgeKind.STATES:d}"
_STATING = f"SELECT src FROM edges WHERE dst = ? AND kind = {EdgeKind.STATES:d}"
_STATEMENTS = f"SELECT src, dst FROM edges WHERE src = ? AND kind = {EdgeKind.STATES:d}"

Doomed = dict[int, NodeKind]


def delete(tx: Transaction, deletion: Deletion) -> DeletionReceipt:
    """See `Memory.delete`."""
    deleting.check_deletion(deletion)
    digest = deleting.deletion_digest(deletion)
    answer = first_answer(tx, deletion.request_id, digest)
    if answer is not None:
        return deleting.receipt_of(answer)
    doomed, missing, session = _named(tx, deletion)
    _close(tx, doomed)
    counts = _delete(tx, doomed, session)
    receipt = DeletionReceipt(tx.ids.mint("del"), from_micros(tx.now), counts, tx.revision, missing)
    remember_answer(tx, deletion.request_id, digest, deleting.stored_receipt(receipt))
    return receipt


def _named(tx: Transaction, deletion: Deletion) -> tuple[Doomed, tuple[str, ...], int | None]:
    """What the deletion names: nodes by key, ids that are not there, the session's key."""
    if deletion.session:
        session = existing_session(tx.db, deletion.session)
        rows = tx.db.execute(f"SELECT key, kind FROM nodes WHERE session = ? AND kind IN ({kind_numbers.DELETABLE})", (session.key,))
        return {key: NodeKind(kind) for key, kind in rows}, (), session.key
    keys = keys_of(tx.db, deletion.memory_ids)
    rows = tx.db.executemany("SELECT key, kind FROM nodes WHERE key = ?", [(key,) for key in keys.values()])
    doomed = {key: NodeKind(kind) for key, kind in rows if kind in deleting.DELETABLE}
    return doomed, deleting.missing_ids(deletion, keys, doomed), None


def _close(tx: Transaction, doomed: Doomed) -> None:
    """Adds all that rests on what is doomed."""
    fresh = list(doomed)
    while fresh:
        wanted = [(key,) for key in fresh]
        kinds = dict(tx.db.executemany(_RESTING, wanted)) | dict(tx.db.executemany(_STATED, wanted))
        stating: defaultdict[int, list[int]] = defaultdict(list)
        for event, statement in tx.db.executemany(_STATEMENTS, set(tx.db.executemany(_STATING, wanted))):
            stating[event].append(statement)
        fresh = deleting.newly_doomed(doomed, kinds, stating)
        doomed |= {key: NodeKind(kinds.get(key, NodeKind.EVENT)) for key in fresh}


def _delete(tx: Transaction, doomed: Doomed, session: int | None) -> dict[NodeKind, int]:
    db = tx.db
    wanted = [(key,) for key in doomed]
    messages = [key for key, kind in doomed.items() if kind is NodeKind.MESSAGE]
    entities = {key for (key,) in db.executemany(f"SELECT dst FROM edges WHERE src = ? AND {_NAMING}", wanted)}
    entities |= {
        key for pair in db.executemany(f"SELECT src, dst FROM edges WHERE via = ? AND kind = {EdgeKind.RELATES:d}", wanted) for key in pair
    }
    told = _told_of(tx, doomed)
    take_words(tx, told)
    gaps = list(db.executemany("SELECT session, seq, speaker FROM nodes WHERE key = ?", [(key,) for key in messages]))
    _drop_nodes(tx, list(doomed))
    db.executemany("DELETE FROM waiting_events WHERE key = ?", wanted)
    dropped = drop_memberless(tx) if told else 0
    db.executemany("DELETE FROM labels WHERE message = ?", [(key,) for key in messages])
    db.executemany("UPDATE speakers SET messages = messages - 1 WHERE name = ?", [(speaker,) for _, _, speaker in gaps])
    db.execute("DELETE FROM speakers WHERE messages <= 0")
    if session is None:
        _mend_sessions(tx, [(key, seq) for key, seq, _ in gaps])
    else:
        _drop_session(tx, session)
    unnamed = _drop_unnamed(tx, entities)
    recount_mentions(tx, entities - unnamed)
    gone = [*doomed, *unnamed, *([session] if session is not None else [])]
    if gone:
        tx.changed(Operation.REMOVED, gone)
        something_removed(tx)
        tx.scrub = True
    if told:
        cover_consolidation(tx)
    return deleting.deleted_counts([*doomed.values(), *[NodeKind.SUMMARY] * dropped], len(unnamed), session=session is not None)


def _told_of(tx: Transaction, doomed: Doomed) -> set[int]:
    """The summaries that tell of doomed events, or of those that state doomed statements, or were written with them in view."""
    events = {key for key, kind in doomed.items() if kind is NodeKind.EVENT}
    events |= {key for (key,) in tx.db.executemany(_STATING, [(key,) for key in doomed])}
    found = tx.db.executemany(f"SELECT src FROM edges WHERE dst = ? AND kind IN ({kind_numbers.ABOVE_EVENTS})", [(key,) for key in events])
    return {key for (key,) in found}


def _drop_nodes(tx: Transaction, keys: list[int]) -> None:
    drop_passages(tx, keys)
    wanted = [(key,) for key in keys]
    for column in ("src", "dst", "via"):
        tx.db.executemany(f"DELETE FROM edges WHERE {column} = ? AND {column} != 0", wanted)
    tx.db.executemany("DELETE FROM nodes WHERE key = ?", wanted)


def _mend_sessions(tx: Transaction, gaps: list[tuple[int, int]]) -> None:
    """Closes NEXT over the messages that are gone, and counts their sessions anew."""
    for key, seq in gaps:
        before = tx.db.execute(
            f"SELECT key FROM nodes WHERE {_MESSAGE} AND session = ? AND seq < ? ORDER BY seq DESC LIMIT 1", (key, seq)
        ).get
        after = tx.db.execute(f"SELECT key FROM nodes WHERE {_MESSAGE} AND session = ? AND seq > ? ORDER BY seq LIMIT 1", (key, seq)).get
        if before is not None and after is not None:
            tx.db.execute("INSERT OR IGNORE INTO edges VALUES (?, ?, 0, ?, 0, NULL)", (before, int(EdgeKind.NEXT), after))
    tx.db.executemany(
        f"""UPDATE sessions SET (message_count, first_sent_at, last_sent_at) =
               (SELECT count(*), min(said_at), max(said_at) FROM nodes n WHERE n.{_MESSAGE} AND n.session = sessions.key) WHERE key = ?""",
        [(key,) for key in {key for key, _ in gaps}],
    )


def _drop_session(tx: Transaction, key: int) -> None:
    db = tx.db
    for job in open_jobs(db, key):
        save_job(tx, ended(job, tx.now, JobState.CANCELED))
    db.execute("DELETE FROM flush_marks WHERE session = ?", (key,))
    db.execute("DELETE FROM sessions WHERE key = ?", (key,))
    _drop_nodes(tx, [key])
    tx.touched_jobs = True


def _drop_unnamed(tx: Transaction, entities: Iterable[int]) -> set[int]:
    """Deletes those among the entities that no node names any more."""
    unnamed = {
        key for key in entities if tx.db.execute(f"SELECT 1 FROM edges WHERE dst = ? AND {_NAMING} LIMIT 1", (key,)).fetchone() is None
    }
    _drop_nodes(tx, list(unnamed))
    tx.db.executemany("DELETE FROM entities WHERE key = ?", [(key,) for key in unnamed])
    tx.db.executemany("DELETE FROM entity_names WHERE entity = ?", [(key,) for key in unnamed])
    return unnamed
