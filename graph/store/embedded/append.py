"""Appending messages: analysed before the transaction, stored with their edges, labels and work in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from zoneinfo import ZoneInfo

import numpy as np
import orjson

from graph.errors import DuplicateMessage, InvalidArgument
from graph.model import IdSource, Message, Namespace, NodeKind, to_micros
from graph.store.embedded.files.namespace_file import NamespaceFile
from graph.store.embedded.files.transaction import Operation, Transaction
from graph.store.embedded.jobs.job_queue import cover_messages, open_job_of
from graph.store.embedded.rows.node_bodies import message_body
from graph.store.embedded.rows.node_keys import node_id
from graph.store.embedded.rows.node_values import Placed, message_values
from graph.store.embedded.rows.node_writer import insert_edges, insert_nodes, insert_passages
from graph.store.embedded.rows.requests import first_answer, remember_answer
from graph.store.embedded.rows.session_rows import SessionRow, ensure_session
from graph.store.embedded.rows.vector_rows import store_vectors
from graph.store.memory_rows import MemoryRow, memory_row
from graph.store.port import AppendCommand, AppendedMessage, AppendOutcome, MessageDraft
from graph.store.rules.request_digest import body_digest
from graph.store.rules.spec_rules import takes_client_vectors, takes_vectors, waits_for_vectors
from graph.store.rules.vector_checks import checked_vector
from graph.text import index_message


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A message analysed, without its place in the session."""

    draft: MessageDraft
    message: Message
    body: bytes
    columns: MemoryRow


def append(file: NamespaceFile, settings: Namespace, ids: IdSource, command: AppendCommand) -> AppendOutcome:
    """See `Store.append`."""
    for index, draft in enumerate(command.messages):
        _check_embedding(settings, index, draft)
    digest = _digest(command)
    # Analysed outside the transaction, in the zone that the session most likely has, so that no append waits for a reader.
    zone = file.zones.get(command.session, command.time_zone or settings.time_zone)
    prepared = [_prepare(draft, ids, zone, command.session) for draft in command.messages]
    with file.write() as tx:
        answer = first_answer(tx, command.request_id, digest)
        if answer is not None:
            return AppendOutcome(tuple(AppendedMessage(*values) for values in answer[0]), answer[1], answer[2], settings.uid)
        session = ensure_session(tx, ids, command.session, command.time_zone, settings.time_zone)
        if session.time_zone != zone:
            prepared = [_prepare(draft, ids, session.time_zone, command.session) for draft in command.messages]
        outcome = _store(tx, settings, ids, command, session, prepared)
        file.zones[command.session] = session.time_zone
        if command.request_id:
            messages = [[m.id, m.seq, m.client_id, m.duplicate] for m in outcome.messages]
            remember_answer(tx, command.request_id, digest, [messages, outcome.revision, outcome.job_id])
        return outcome


def _check_embedding(settings: Namespace, index: int, draft: MessageDraft) -> None:
    if draft.embedding is None:
        return
    field = f"messages[{index}].embedding"
    if not takes_client_vectors(settings.embedding):
        raise InvalidArgument.of(field, "the namespace's vectors do not come with its messages")
    checked_vector(draft.embedding, settings.embedding.dimension, field)


def _digest(command: AppendCommand) -> bytes:
    if not command.request_id:
        return b""
    return body_digest("append", command.session, command.time_zone, [_content(draft) for draft in command.messages])


def _content(draft: MessageDraft) -> list[object]:
    sent_at = to_micros(draft.sent_at) if not draft.sent_at_assumed else None
    vector = None if draft.embedding is None else draft.embedding.tobytes().hex()
    return [draft.client_id, draft.speaker, int(draft.role), draft.text, sent_at, dict(draft.labels), draft.image_caption, vector]


def _prepare(draft: MessageDraft, ids: IdSource, zone: str, session: str) -> _Prepared:
    message = Message(
        id=ids.mint("msg"),
        session=session,
        seq=0,
        speaker=draft.speaker,
        role=draft.role,
        text=draft.text,
        sent_at=draft.sent_at,
        recorded_at=draft.sent_at,
        client_id=draft.client_id,
        labels=draft.labels,
        image_caption=draft.image_caption,
    )
    return _Prepared(draft, message, message_body(message), memory_row(index_message(message, ZoneInfo(zone) if zone else UTC)))


def _store(
    tx: Transaction, settings: Namespace, ids: IdSource, command: AppendCommand, session: SessionRow, prepared: Sequence[_Prepared]
) -> AppendOutcome:
    known = _known_messages(tx, session, command.messages)
    fresh: list[_Prepared] = []
    answers: list[AppendedMessage] = []
    seq = session.last_seq
    for item in prepared:
        client_id = item.draft.client_id
        if client_id and client_id in known:
            id_, first_seq, first = known[client_id]
            if first != _stored_content(item.draft, item.body, with_time=not item.draft.sent_at_assumed):
                raise DuplicateMessage(
                    "a message with this client_id and other content is in the session", metadata={"client_id": client_id}
                )
            answers.append(AppendedMessage(id_, first_seq, client_id, duplicate=True))
            continue
        seq += 1
        fresh.append(item)
        answers.append(AppendedMessage(item.message.id, seq, client_id, duplicate=False))
        if client_id:
            known[client_id] = (item.message.id, seq, _stored_content(item.draft, item.body, with_time=not item.draft.sent_at_assumed))
    if not fresh:
        job_id = open_job_of(tx.db, session, max((a.seq for a in answers), default=0))
        return AppendOutcome(tuple(answers), tx.revision, job_id, settings.uid)
    _insert(tx, settings, session, fresh)
    job_id = cover_messages(tx, settings, ids, session.key, seq, command.idle)
    return AppendOutcome(tuple(answers), tx.revision, job_id, settings.uid)


def _stored_content(draft: MessageDraft, body: bytes, *, with_time: bool) -> tuple[object, ...]:
    content = orjson.loads(body)
    return (draft.speaker, int(draft.role), content, to_micros(draft.sent_at) if with_time else None)


def _known_messages(tx: Transaction, session: SessionRow, drafts: Sequence[MessageDraft]) -> dict[str, tuple[str, int, tuple[object, ...]]]:
    """Messages of the session with the client ids of these drafts: id, seq and content, the time in it where the draft gives one."""
    given = {draft.client_id: not draft.sent_at_assumed for draft in drafts if draft.client_id}
    if session.last_seq == 0 or not given:
        return {}
    rows = tx.db.executemany(
        "SELECT client_id, uuid, seq, speaker, role, said_at, body FROM nodes WHERE session = ? AND client_id = ?",
        [(session.key, client_id) for client_id in given],
    )
    return {
        client_id: (
            node_id(NodeKind.MESSAGE, uuid),
            seq,
            (speaker, role, orjson.loads(body), said_at if given[client_id] else None),
        )
        for client_id, uuid, seq, speaker, role, said_at, body in rows
    }


def _insert(tx: Transaction, settings: Namespace, session: SessionRow, fresh: Sequence[_Prepared]) -> None:
    keys = tx.node_keys(len(fresh))
    seqs = range(session.last_seq + 1, session.last_seq + 1 + len(fresh))
    rows = [
        message_values(item.message, seq, item.body, Placed(key, session.key, tx.now), item.columns)
        for key, seq, item in zip(keys, seqs, fresh, strict=True)
    ]
    insert_nodes(tx, rows)
    _insert_edges(tx, session, keys)
    _insert_labels(tx, {key: item.draft.labels for key, item in zip(keys, fresh, strict=True) if item.draft.labels})
    _count(tx, session, fresh)
    owners = [(key, session.key, item.columns) for key, item in zip(keys, fresh, strict=True)]
    passages = insert_passages(tx, owners, wait=waits_for_vectors(settings.embedding))
    if takes_vectors(settings.embedding):
        given = {
            passages[(key, 0)]: (np.asarray(item.draft.embedding, dtype=np.float16), item.columns.passages[0].digest)
            for key, item in zip(keys, fresh, strict=True)
            if item.draft.embedding is not None
        }
        store_vectors(tx, given)
    tx.changed(Operation.ADDED, keys)


def _insert_edges(tx: Transaction, session: SessionRow, keys: range) -> None:
    last = tx.db.execute(
        "SELECT key FROM nodes WHERE session = ? AND kind = 2 AND seq < ? ORDER BY seq DESC LIMIT 1", (session.key, session.last_seq + 1)
    ).get
    edges: list[tuple[int, int, int, int, int, str | None]] = []
    for key in keys:
        edges.append((key, 1, 0, session.key, 0, None))
        if last is not None:
            edges.append((last, 2, 0, key, 0, None))
        last = key
    insert_edges(tx, edges)


def _insert_labels(tx: Transaction, labels: Mapping[int, Mapping[str, str]]) -> None:
    rows = [(name, value, key) for key, pairs in labels.items() for name, value in pairs.items()]
    if rows:
        tx.db.executemany("INSERT INTO labels VALUES (?, ?, ?)", rows)


def _count(tx: Transaction, session: SessionRow, fresh: Sequence[_Prepared]) -> None:
    times = [to_micros(item.draft.sent_at) for item in fresh]
    tx.db.execute(
        """UPDATE sessions SET last_seq = last_seq + ?1, message_count = message_count + ?1,
               first_sent_at = min(coalesce(first_sent_at, ?2), ?2), last_sent_at = max(coalesce(last_sent_at, ?3), ?3) WHERE key = ?4""",
        (len(fresh), min(times), max(times), session.key),
    )
    tx.db.executemany(
        "INSERT INTO speakers VALUES (?, 1) ON CONFLICT DO UPDATE SET messages = messages + 1", [(item.draft.speaker,) for item in fresh]
    )
