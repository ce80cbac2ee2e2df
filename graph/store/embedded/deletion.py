"""Deleting memories with all that rests on them. The text is overwritten in the file, not only unlinked."""

from collections import Counter
from collections.abc import Iterable

import orjson

from graph.errors import InvalidArgument
from graph.model import IdSource, JobState, NodeKind, from_micros
from graph.store.embedded.files.transaction import Operation, Transaction
from graph.store.embedded.generations import drop_passages
from graph.store.embedded.jobs.job_rows import open_jobs, save_job
from graph.store.embedded.rows.entity_rows import recount_mentions
from graph.store.embedded.rows.node_keys import keys_of
from graph.store.embedded.rows.requests import first_answer, remember_answer
from graph.store.embedded.rows.session_rows import existing_session
from graph.store.port import Deletion, DeletionReceipt
from graph.store.rules.jobs import ended
from graph.store.rules.requests import body_digest

_DELETABLE = frozenset({NodeKind.MESSAGE, NodeKind.EVENT, NodeKind.FACT, NodeKind.RELATION})


def delete(tx: Transaction, ids: IdSource, deletion: Deletion) -> DeletionReceipt:
    """See `Store.delete`."""
    if bool(deletion.memory_ids) == bool(deletion.session):
        raise InvalidArgument.of("memory_ids", "give either ids of memories or a session")
    digest = body_digest("delete", deletion.memory_ids, deletion.session)
    answer = first_answer(tx, deletion.request_id, digest)
    if answer is not None:
        return _receipt(answer)
    doomed, missing, session = _named(tx, deletion)
    _close(tx, doomed)
    counts = _delete(tx, doomed, session)
    answer = [
        ids.mint("del"),
        tx.now,
        {str(int(kind)): count for kind, count in counts.items()},
        tx.revision,
        list(missing),
    ]
    remember_answer(tx, deletion.request_id, digest, answer)
    return _receipt(answer)


def _receipt(answer: list[object]) -> DeletionReceipt:
    id_, deleted_at, counts, revision, missing = orjson.loads(orjson.dumps(answer))
    by_kind = {NodeKind(int(kind)): count for kind, count in counts.items()}
    return DeletionReceipt(id_, from_micros(deleted_at), by_kind, revision, tuple(missing))


def _named(tx: Transaction, deletion: Deletion) -> tuple[dict[int, NodeKind], tuple[str, ...], int | None]:
    """What the deletion names: nodes by key, ids that are not there, the session's key."""
    if deletion.session:
        session = existing_session(tx.db, deletion.session)
        rows = tx.db.execute("SELECT key, kind FROM nodes WHERE session = ? AND kind IN (2, 3, 4, 5)", (session.key,))
        return {key: NodeKind(kind) for key, kind in rows}, (), session.key
    keys = keys_of(tx.db, deletion.memory_ids)
    rows = tx.db.executemany("SELECT key, kind FROM nodes WHERE key = ?", [(key,) for key in keys.values()])
    doomed = {key: NodeKind(kind) for key, kind in rows if kind in _DELETABLE}
    missing = tuple(id_ for id_ in dict.fromkeys(deletion.memory_ids) if keys.get(id_) not in doomed)
    return doomed, missing, None


def _close(tx: Transaction, doomed: dict[int, NodeKind]) -> None:
    """Adds all that rests on what is doomed."""
    fresh = list(doomed)
    while fresh:
        wanted = [(key,) for key in fresh]
        found = dict(
            tx.db.executemany("SELECT n.key, n.kind FROM edges e JOIN nodes n ON n.key = e.src WHERE e.dst = ? AND e.kind = 3", wanted)
        )
        found |= dict(
            tx.db.executemany("SELECT n.key, n.kind FROM edges e JOIN nodes n ON n.key = e.dst WHERE e.src = ? AND e.kind = 4", wanted)
        )
        events = [(key,) for (key,) in tx.db.executemany("SELECT src FROM edges WHERE dst = ? AND kind = 4", wanted) if key not in doomed]
        for (event,) in set(events):
            statements = tx.db.execute("SELECT dst FROM edges WHERE src = ? AND kind = 4", (event,))
            if all(key in doomed or key in found for (key,) in statements):
                found[event] = NodeKind.EVENT
        fresh = [key for key in found if key not in doomed]
        doomed |= {key: NodeKind(found[key]) for key in fresh}


def _delete(tx: Transaction, doomed: dict[int, NodeKind], session: int | None) -> Counter[NodeKind]:
    db = tx.db
    wanted = [(key,) for key in doomed]
    messages = [key for key, kind in doomed.items() if kind is NodeKind.MESSAGE]
    entities = {key for (key,) in db.executemany("SELECT dst FROM edges WHERE src = ? AND kind IN (5, 6)", wanted)}
    entities |= {key for pair in db.executemany("SELECT src, dst FROM edges WHERE via = ? AND kind = 7", wanted) for key in pair}
    gaps = list(db.executemany("SELECT session, seq, speaker FROM nodes WHERE key = ?", [(key,) for key in messages]))
    _drop_nodes(tx, list(doomed))
    db.executemany("DELETE FROM labels WHERE message = ?", [(key,) for key in messages])
    db.executemany("UPDATE speakers SET messages = messages - 1 WHERE name = ?", [(speaker,) for _, _, speaker in gaps])
    db.execute("DELETE FROM speakers WHERE messages <= 0")
    if session is None:
        _mend_sessions(tx, [(key, seq) for key, seq, _ in gaps])
    else:
        _drop_session(tx, session)
    unnamed = _drop_unnamed(tx, entities)
    recount_mentions(tx, entities - unnamed)
    counts = Counter(doomed.values())
    counts.update({NodeKind.ENTITY: len(unnamed), NodeKind.SESSION: int(session is not None)})
    gone = [*doomed, *unnamed, *([session] if session is not None else [])]
    if gone:
        tx.changed(Operation.REMOVED, gone)
        tx.scrub = True
    return +counts


def _drop_nodes(tx: Transaction, keys: list[int]) -> None:
    drop_passages(tx, keys)
    wanted = [(key,) for key in keys]
    for column in ("src", "dst", "via"):
        tx.db.executemany(f"DELETE FROM edges WHERE {column} = ? AND {column} != 0", wanted)
    tx.db.executemany("DELETE FROM nodes WHERE key = ?", wanted)


def _mend_sessions(tx: Transaction, gaps: list[tuple[int, int]]) -> None:
    """Closes NEXT over the messages that are gone, and counts their sessions anew."""
    for key, seq in gaps:
        before = tx.db.execute("SELECT key FROM nodes WHERE kind = 2 AND session = ? AND seq < ? ORDER BY seq DESC LIMIT 1", (key, seq)).get
        after = tx.db.execute("SELECT key FROM nodes WHERE kind = 2 AND session = ? AND seq > ? ORDER BY seq LIMIT 1", (key, seq)).get
        if before is not None and after is not None:
            tx.db.execute("INSERT OR IGNORE INTO edges VALUES (?, 2, 0, ?, 0, NULL)", (before, after))
    tx.db.executemany(
        """UPDATE sessions SET (message_count, first_sent_at, last_sent_at) =
               (SELECT count(*), min(said_at), max(said_at) FROM nodes n WHERE n.kind = 2 AND n.session = sessions.key) WHERE key = ?""",
        [(key,) for key in {key for key, _ in gaps}],
    )


def _drop_session(tx: Transaction, key: int) -> None:
    db = tx.db
    for job in open_jobs(db, key):
        save_job(tx, ended(job, tx.now, JobState.CANCELLED))
    db.execute("DELETE FROM flush_marks WHERE session = ?", (key,))
    db.execute("DELETE FROM sessions WHERE key = ?", (key,))
    _drop_nodes(tx, [key])
    tx.touched_jobs = True


def _drop_unnamed(tx: Transaction, entities: Iterable[int]) -> set[int]:
    """Deletes those among the entities that no node names any more."""
    unnamed = {
        key for key in entities if tx.db.execute("SELECT 1 FROM edges WHERE dst = ? AND kind IN (5, 6) LIMIT 1", (key,)).fetchone() is None
    }
    _drop_nodes(tx, list(unnamed))
    tx.db.executemany("DELETE FROM entities WHERE key = ?", [(key,) for key in unnamed])
    tx.db.executemany("DELETE FROM entity_names WHERE entity = ?", [(key,) for key in unnamed])
    return unnamed
