"""Deleting memories with all that rests on them. The text is overwritten in the file, not only unlinked."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from graph.model import EdgeKind, JobState, Namespace, NodeKind, from_micros
from graph.store.embedded.files.namespace_file import NamespaceFile
from graph.store.embedded.files.transaction import Operation, Transaction
from graph.store.embedded.generations import drop_passages
from graph.store.embedded.jobs.job_queue import cover_consolidation, cover_messages
from graph.store.embedded.jobs.job_rows import open_jobs, save_job
from graph.store.embedded.listings import messages_found_by
from graph.store.embedded.receipts import keep_receipt
from graph.store.embedded.rows import kind_numbers
from graph.store.embedded.rows.entity_rows import names_of_entity, recount_mentions, rename_entity
from graph.store.embedded.rows.node_keys import ids_of, keys_of
from graph.store.embedded.rows.requests import first_answer, remember_answer
from graph.store.embedded.rows.session_rows import existing_session
from graph.store.embedded.rows.span_rows import extracted_in_view_of
from graph.store.embedded.rows.summary_rows import drop_memberless, something_removed, take_words
from graph.store.port import DeletedItem, Deletion, DeletionCause, DeletionReceipt, items_digest
from graph.store.rules import deleting, receipts
from graph.store.rules.jobs import ended
from graph.text.names import folded

_MESSAGE = f"kind = {NodeKind.MESSAGE:d}"
_NAMING = f"kind IN ({kind_numbers.NAMING})"
_EVIDENCED = f"kind = {EdgeKind.EVIDENCED_BY:d}"
_RESTING = f"SELECT n.key, n.kind FROM edges e JOIN nodes n ON n.key = e.src WHERE e.dst = ? AND e.{_EVIDENCED}"
_STATED = f"SELECT n.key, n.kind FROM edges e JOIN nodes n ON n.key = e.dst WHERE e.src = ? AND e.kind = {EdgeKind.STATES:d}"
_STATING = f"SELECT src FROM edges WHERE dst = ? AND kind = {EdgeKind.STATES:d}"
_STATEMENTS = f"SELECT src, dst FROM edges WHERE src = ? AND kind = {EdgeKind.STATES:d}"
# The messages, itself among them, that current nodes rest on which rest on a message, with the nodes.
_SHARING = f"""SELECT o.dst, n.key, n.kind FROM edges e JOIN nodes n ON n.key = e.src AND n.retired_at IS NULL
    JOIN edges o ON o.src = n.key AND o.{_EVIDENCED} WHERE e.dst = ? AND e.{_EVIDENCED}"""

Doomed = dict[int, NodeKind]


class _NotForGood(Exception):
    """Undoes the transaction of a dry run, whose receipt it carries."""

    def __init__(self, receipt: DeletionReceipt) -> None:
        self.receipt = receipt


def delete(file: NamespaceFile, settings: Namespace, deletion: Deletion) -> DeletionReceipt:
    """See `Memory.delete`."""
    deleting.check_deletion(deletion)
    try:
        with file.write(settings) as tx:
            receipt = _deleted(tx, deletion)
            if deletion.dry_run:
                raise _NotForGood(replace(receipt, id="", revision=tx.revision - int(tx.stepped)))
            return receipt
    except _NotForGood as dry:
        return dry.receipt


def _deleted(tx: Transaction, deletion: Deletion) -> DeletionReceipt:
    digest = deleting.deletion_digest(deletion)
    answer = None if deletion.dry_run else first_answer(tx, deletion.request_id, digest)
    if answer is not None:
        return receipts.receipt_of(answer)
    named, missing, session = _named(tx, deletion)
    doomed = dict(named)
    again = _close(tx, doomed)
    items = sorted(_delete(tx, named, doomed, again, session), key=lambda item: item.id)
    pieces = receipts.chunks(items)
    receipt = DeletionReceipt(
        id=tx.ids.mint("del"),
        deleted_at=from_micros(tx.now),
        counts=receipts.counted(items),
        revision=tx.revision,
        missing_ids=missing,
        deleted_by=deletion.deleted_by,
        again=len(again),
        digest=items_digest(items),
    )
    keep_receipt(tx, receipt, pieces)
    remember_answer(tx, deletion.request_id, digest, receipts.stored_receipt(receipt))
    return receipt


def _named(tx: Transaction, deletion: Deletion) -> tuple[Doomed, tuple[str, ...], int | None]:
    """What the deletion selects: nodes by key, ids that are not there, the session's key."""
    if deletion.session:
        session = existing_session(tx.db, deletion.session)
        rows = tx.db.execute(f"SELECT key, kind FROM nodes WHERE session = ? AND kind IN ({kind_numbers.DELETABLE})", (session.key,))
        return {key: NodeKind(kind) for key, kind in rows}, (), session.key
    if deletion.messages is not None:
        where, _ = messages_found_by(tx.db, deletion.messages)
        rows = tx.db.execute(f"SELECT n.key FROM nodes n WHERE {where} ORDER BY n.key", where.values)
        return {key: NodeKind.MESSAGE for (key,) in rows}, (), None
    keys = keys_of(tx.db, deletion.memory_ids)
    rows = tx.db.executemany("SELECT key, kind FROM nodes WHERE key = ?", [(key,) for key in keys.values()])
    doomed = {key: NodeKind(kind) for key, kind in rows if kind in deleting.DELETABLE}
    return doomed, deleting.missing_ids(deletion, keys, doomed), None


def _close(tx: Transaction, doomed: Doomed) -> set[int]:
    """Adds all that rests on what is doomed. Returns the messages that stay and are to be extracted anew."""
    fallen = [key for key, kind in doomed.items() if kind is NodeKind.MESSAGE]
    again = {key for key in extracted_in_view_of(tx.db, fallen) if key not in doomed}
    _close_down(tx, doomed, list(doomed))
    fallen += again
    while fallen:
        shared: list[tuple[Any, ...]] = tx.db.executemany(_SHARING, [(key,) for key in fallen]).fetchall()
        fresh = {key: NodeKind(kind) for _, key, kind in shared if key not in doomed}
        doomed |= fresh
        _close_down(tx, doomed, list(fresh))
        fallen = list(dict.fromkeys(key for key, _, _ in shared if key not in again and key not in doomed))
        again.update(fallen)
    return again


def _close_down(tx: Transaction, doomed: Doomed, fresh: list[int]) -> None:
    """Adds what rests on the fresh ones among what is doomed, and what rests on that."""
    while fresh:
        wanted = [(key,) for key in fresh]
        resting = [row for row in wanted if doomed[row[0]] is NodeKind.MESSAGE]
        kinds = dict(tx.db.executemany(_RESTING, resting)) | dict(tx.db.executemany(_STATED, wanted))
        stating: defaultdict[int, list[int]] = defaultdict(list)
        for event, statement in tx.db.executemany(_STATEMENTS, set(tx.db.executemany(_STATING, wanted))):
            stating[event].append(statement)
        fresh = deleting.newly_doomed(doomed, kinds, stating)
        doomed |= {key: NodeKind(kinds.get(key, NodeKind.EVENT)) for key in fresh}


def _delete(tx: Transaction, named: Doomed, doomed: Doomed, again: set[int], session: int | None) -> list[DeletedItem]:
    db = tx.db
    wanted = [(key,) for key in doomed]
    messages = [key for key, kind in doomed.items() if kind is NodeKind.MESSAGE]
    entities = {key for (key,) in db.executemany(f"SELECT dst FROM edges WHERE src = ? AND {_NAMING}", [*wanted, *zip(again)])}
    entities |= {
        key for pair in db.executemany(f"SELECT src, dst FROM edges WHERE via = ? AND kind = {EdgeKind.RELATES:d}", wanted) for key in pair
    }
    ids = ids_of(db, [*doomed, *([session] if session is not None else [])])
    selected = named.keys() | {session}
    items = [DeletedItem(id_, DeletionCause.SELECTED if key in selected else DeletionCause.DERIVED) for key, id_ in ids.items()]
    texts = _folded_texts(tx, messages)
    told = _told_of(tx, doomed)
    take_words(tx, told)
    gaps = list(db.executemany("SELECT session, seq, speaker FROM nodes WHERE key = ?", [(key,) for key in messages]))
    _drop_nodes(tx, list(doomed))
    db.executemany("DELETE FROM waiting_events WHERE key = ?", wanted)
    if told:
        items += [DeletedItem(id_, DeletionCause.DERIVED) for id_ in drop_memberless(tx)]
    db.executemany("DELETE FROM labels WHERE message = ?", [(key,) for key in messages])
    db.executemany("UPDATE speakers SET messages = messages - 1 WHERE name = ?", [(speaker,) for _, _, speaker in gaps])
    db.execute("DELETE FROM speakers WHERE messages <= 0")
    db.executemany("DELETE FROM messages_again WHERE session = ? AND seq = ?", [(key, seq) for key, seq, _ in gaps])
    if session is None:
        _mend_sessions(tx, [(key, seq) for key, seq, _ in gaps])
    else:
        _drop_session(tx, session)
    extract_again(tx, again)
    unnamed = _unnamed(tx, entities)
    items += [DeletedItem(id_, DeletionCause.UNNAMED) for id_ in ids_of(db, sorted(unnamed)).values()]
    _drop_entities(tx, unnamed)
    recount_mentions(tx, entities - unnamed)
    _forget_names(tx, entities - unnamed, texts, again)
    gone = [*doomed, *unnamed, *([session] if session is not None else [])]
    if gone:
        tx.changed(Operation.REMOVED, gone)
        something_removed(tx)
        tx.scrub = True
    if told:
        cover_consolidation(tx)
    return items


def extract_again(tx: Transaction, messages: Collection[int]) -> None:
    """Has these messages, of which nothing is left that was extracted, extracted anew."""
    wanted = [(key,) for key in messages]
    tx.db.executemany(f"DELETE FROM edges WHERE src = ? AND kind = {EdgeKind.MENTIONS:d}", wanted)
    places: list[tuple[Any, ...]] = tx.db.executemany("SELECT session, seq FROM nodes WHERE key = ?", wanted).fetchall()
    tx.db.executemany("INSERT OR IGNORE INTO messages_again VALUES (?, ?)", places)
    for session in sorted({session for session, _ in places}):
        upto = int(tx.db.execute("SELECT extracted_seq FROM sessions WHERE key = ?", (session,)).get)
        cover_messages(tx, tx.namespace, tx.ids, session, upto, timedelta(0))
        tx.touched_jobs = True


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


_COUNT_SESSION = f"""UPDATE sessions SET (message_count, first_sent_at, last_sent_at) =
    (SELECT count(*), min(said_at), max(said_at) FROM nodes n WHERE n.{_MESSAGE} AND n.session = sessions.key) WHERE key = ?"""


def _mend_sessions(tx: Transaction, gaps: list[tuple[int, int]]) -> None:
    """Closes NEXT over the messages that are gone, and counts their sessions anew."""
    for key, seq in gaps:
        before = tx.db.execute(
            f"SELECT key FROM nodes WHERE {_MESSAGE} AND session = ? AND seq < ? ORDER BY seq DESC LIMIT 1", (key, seq)
        ).get
        after = tx.db.execute(f"SELECT key FROM nodes WHERE {_MESSAGE} AND session = ? AND seq > ? ORDER BY seq LIMIT 1", (key, seq)).get
        if before is not None and after is not None:
            tx.db.execute("INSERT OR IGNORE INTO edges VALUES (?, ?, 0, ?, 0, NULL)", (before, int(EdgeKind.NEXT), after))
    tx.db.executemany(_COUNT_SESSION, [(key,) for key in {key for key, _ in gaps}])


def _drop_session(tx: Transaction, key: int) -> None:
    db = tx.db
    for job in open_jobs(db, key):
        save_job(tx, ended(job, tx.now, JobState.CANCELED))
    db.execute("DELETE FROM flush_marks WHERE session = ?", (key,))
    db.execute("DELETE FROM messages_again WHERE session = ?", (key,))
    db.execute("DELETE FROM extraction_spans WHERE session = ?", (key,))
    db.execute("DELETE FROM sessions WHERE key = ?", (key,))
    _drop_nodes(tx, [key])
    tx.touched_jobs = True


def _unnamed(tx: Transaction, entities: Iterable[int]) -> set[int]:
    """Those among the entities that no node names any more."""
    return {key for key in entities if tx.db.execute(f"SELECT 1 FROM edges WHERE dst = ? AND {_NAMING} LIMIT 1", (key,)).fetchone() is None}


def _drop_entities(tx: Transaction, entities: Collection[int]) -> None:
    _drop_nodes(tx, list(entities))
    tx.db.executemany("DELETE FROM entities WHERE key = ?", [(key,) for key in entities])
    tx.db.executemany("DELETE FROM entity_names WHERE entity = ?", [(key,) for key in entities])


def remove_for_edit(tx: Transaction, messages: Iterable[int]) -> None:
    """Takes messages out of a session, with all that was made of them, so that other versions can stand in their places."""
    doomed: Doomed = dict.fromkeys(messages, NodeKind.MESSAGE)
    named = dict(doomed)
    again = _close(tx, doomed)
    _delete(tx, named, doomed, again, None)


_OF_SAME = f"SELECT o.key FROM nodes o WHERE o.{_MESSAGE} AND o.session = n.session"
_NEIGHBOURS = f"""SELECT ({_OF_SAME} AND o.seq < n.seq ORDER BY o.seq DESC LIMIT 1), ({_OF_SAME} AND o.seq > n.seq ORDER BY o.seq LIMIT 1)
    FROM nodes n WHERE n.key = ?"""


def restore_places(tx: Transaction, messages: Sequence[int]) -> None:
    """Puts messages that stand in gaps of their sessions between their neighbours, and counts them."""
    next_, in_session = int(EdgeKind.NEXT), int(EdgeKind.IN_SESSION)
    for key in messages:
        [(before, after)] = tx.db.execute(_NEIGHBOURS, (key,)).fetchall()
        if before is not None and after is not None:
            tx.db.execute("DELETE FROM edges WHERE src = ? AND kind = ? AND dst = ?", (before, next_, after))
        pairs = [(a, b) for a, b in ((before, key), (key, after)) if a is not None and b is not None]
        tx.db.executemany("INSERT OR IGNORE INTO edges VALUES (?, ?, 0, ?, 0, NULL)", [(a, next_, b) for a, b in pairs])
    placed = tx.db.executemany("SELECT key, session, speaker FROM nodes WHERE key = ?", [(key,) for key in messages]).fetchall()
    tx.db.executemany("INSERT INTO edges VALUES (?, ?, 0, ?, 0, NULL)", [(key, in_session, session) for key, session, _ in placed])
    tx.db.executemany(
        "INSERT INTO speakers VALUES (?, 1) ON CONFLICT DO UPDATE SET messages = messages + 1", [(speaker,) for *_, speaker in placed]
    )
    tx.db.executemany(_COUNT_SESSION, [(session,) for session in {session for _, session, _ in placed}])


# The messages that name an entity, and those that statements rest on which do.
_NAMING_MESSAGES = f"""SELECT n.key FROM edges e JOIN nodes n ON n.key = e.src
        WHERE e.dst = ?1 AND e.kind = {EdgeKind.MENTIONS:d} AND n.{_MESSAGE}
    UNION SELECT o.dst FROM edges e JOIN edges o ON o.src = e.src AND o.{_EVIDENCED} WHERE e.dst = ?1 AND e.{_NAMING}"""


def _folded_texts(tx: Transaction, messages: Iterable[int]) -> list[str]:
    found = tx.db.executemany("SELECT speaker, body ->> 'text', body ->> 'caption' FROM nodes WHERE key = ?", [(key,) for key in messages])
    return [folded(" ".join(part for part in parts if part)) for parts in found]


def _forget_names(tx: Transaction, entities: Collection[int], deleted_texts: Sequence[str], again: Collection[int]) -> None:
    """Takes from entities that stay the names that only deleted messages know. `again`: messages that stay and name nothing for now."""
    others: list[str] | None = None
    for key in entities if deleted_texts else ():
        names = names_of_entity(tx.db, key)
        suspicious = deleting.suspicious_names(names, deleted_texts)
        if not suspicious:
            continue
        others = _folded_texts(tx, again) if others is None else others
        unknown = [name for name in suspicious if not any(folded(name) in text for text in others)]
        naming: Iterator[Any] = (message for (message,) in tx.db.execute(_NAMING_MESSAGES, (key,)).fetchall())
        while unknown and (message := next(naming, None)) is not None:
            [text] = _folded_texts(tx, [message])
            unknown = [name for name in unknown if folded(name) not in text]
        if unknown:
            rename_entity(tx, key, deleting.kept_names(names, suspicious, set(suspicious) - set(unknown)))
