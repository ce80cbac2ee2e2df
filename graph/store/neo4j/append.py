"""Appending messages: analysed before the transaction, stored with their edges and work in it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from graph.errors import DuplicateMessage, InvalidArgument
from graph.model import IdSource, Message, Namespace, NodeKind, to_micros
from graph.store.candidates import StatisticsGroup
from graph.store.commands import AppendCommand, AppendedMessage, AppendOutcome, MessageDraft
from graph.store.memory_rows import MemoryRow, memory_row
from graph.store.neo4j.change_log import Operation
from graph.store.neo4j.database import Database
from graph.store.neo4j.job_queue import cover_messages, open_job_of
from graph.store.neo4j.node_properties import passage_key
from graph.store.neo4j.node_rows import MESSAGE_PROJECTION, Placed, message_of, message_properties
from graph.store.neo4j.node_writer import create_further_passages, create_messages, create_spans, set_vectors
from graph.store.neo4j.requests import first_answer, remember_answer
from graph.store.neo4j.search_columns import further_passages, memory_columns, passage_columns, span_nodes
from graph.store.neo4j.search_tokens import facets_text
from graph.store.neo4j.session_rows import SessionRow, ensure_session, session_row
from graph.store.neo4j.transaction import Transaction
from graph.store.request_digest import body_digest
from graph.store.spec_rules import takes_client_vectors, waits_for_vectors
from graph.store.vector_checks import checked_vector
from graph.text import index_message

_KNOWN = f"""UNWIND $client_ids AS client_id MATCH (m:Message {{namespace: $namespace, session: $session, client_id: client_id}})
    RETURN collect(m{MESSAGE_PROJECTION})"""
_COUNT_SESSION = """MATCH (s:Session {namespace: $namespace, name: $session})
    SET s.last_seq = $last_seq, s.message_count = s.message_count + $count,
        s.first_sent_at = CASE WHEN s.first_sent_at < $first THEN s.first_sent_at ELSE $first END,
        s.last_sent_at = CASE WHEN s.last_sent_at > $last THEN s.last_sent_at ELSE $last END"""
_COUNT_SPEAKERS = """UNWIND $rows AS row MERGE (p:Speaker {namespace: $namespace, name: row[0]})
    SET p.messages = coalesce(p.messages, 0) + row[1]"""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A message analysed, without its place in the session."""

    draft: MessageDraft
    message: Message
    columns: MemoryRow


async def append(database: Database, namespace: str, command: AppendCommand) -> AppendOutcome:
    """See `Store.append`."""
    settings = await database.namespace(namespace)
    for index, draft in enumerate(command.messages):
        _check_embedding(settings, index, draft)
    digest = _digest(command)
    zone = database.zones.get(settings.uid, command.session, command.time_zone or settings.time_zone)

    def prepare(zone: str) -> list[_Prepared]:
        return [_prepare(draft, database.ids, zone, command.session) for draft in command.messages]

    # Analysed outside the transaction, in the zone that the session most likely has, so that nobody waits for it.
    analysed = {zone: await database.run(lambda: prepare(zone))}

    async def work(tx: Transaction) -> AppendOutcome:
        answer = await first_answer(tx, command.request_id, digest)
        if answer is not None:
            return AppendOutcome(tuple(AppendedMessage(*values) for values in answer[0]), answer[1], answer[2], tx.namespace.uid)
        session = await ensure_session(tx, database.ids, await session_row(tx, command.session), command.session, command.time_zone)
        if session.time_zone not in analysed:
            analysed[session.time_zone] = await database.run(lambda: prepare(session.time_zone))
        outcome = await _store(tx, database.ids, command, session, analysed[session.time_zone])
        database.zones.put(tx.namespace.uid, session.name, session.time_zone)
        if command.request_id:
            messages = [[m.id, m.seq, m.client_id, m.duplicate] for m in outcome.messages]
            await remember_answer(tx, command.request_id, digest, [messages, outcome.revision, outcome.job_id])
        return outcome

    return await database.write(namespace, work)


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
    return body_digest("append", command.session, command.time_zone, [_sent(draft) for draft in command.messages])


def _sent(draft: MessageDraft) -> list[object]:
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
    return _Prepared(draft, message, memory_row(index_message(message, ZoneInfo(zone) if zone else UTC)))


async def _store(
    tx: Transaction, ids: IdSource, command: AppendCommand, session: SessionRow, prepared: Sequence[_Prepared]
) -> AppendOutcome:
    known = await _known_messages(tx, session, command.messages)
    fresh: list[_Prepared] = []
    answers: list[AppendedMessage] = []
    seq = session.last_seq
    for item in prepared:
        client_id, content = item.draft.client_id, _content(item.draft, with_time=not item.draft.sent_at_assumed)
        if client_id and client_id in known:
            id_, first_seq, first = known[client_id]
            if first != content:
                raise DuplicateMessage(
                    "a message with this client_id and other content is in the session", metadata={"client_id": client_id}
                )
            answers.append(AppendedMessage(id_, first_seq, client_id, duplicate=True))
            continue
        seq += 1
        fresh.append(replace(item, message=replace(item.message, seq=seq)))
        answers.append(AppendedMessage(item.message.id, seq, client_id, duplicate=False))
        if client_id:
            known[client_id] = (item.message.id, seq, content)
    if not fresh:
        job_id = await open_job_of(tx, session, max((a.seq for a in answers), default=0))
        return AppendOutcome(tuple(answers), tx.revision, job_id, tx.namespace.uid)
    await _insert(tx, session, fresh)
    job_id = await cover_messages(tx, tx.namespace, ids, session.name, seq, command.idle)
    return AppendOutcome(tuple(answers), tx.revision, job_id, tx.namespace.uid)


def _content(message: MessageDraft | Message, *, with_time: bool) -> tuple[object, ...]:
    sent_at = to_micros(message.sent_at) if with_time else None
    return (message.speaker, int(message.role), message.text, dict(message.labels), message.image_caption, sent_at)


async def _known_messages(
    tx: Transaction, session: SessionRow, drafts: Sequence[MessageDraft]
) -> dict[str, tuple[str, int, tuple[object, ...]]]:
    """Messages of the session with the client ids of these drafts: id, seq and content, the time in it where the draft gives one."""
    timed = {draft.client_id: not draft.sent_at_assumed for draft in drafts if draft.client_id}
    if session.last_seq == 0 or not timed:
        return {}
    [[found]] = await tx.rows(_KNOWN, {"session": session.name, "client_ids": list(timed)})
    return {row["client_id"]: (row["id"], row["seq"], _stored_content(row, with_time=timed[row["client_id"]])) for row in found}


def _stored_content(row: Mapping[str, Any], *, with_time: bool) -> tuple[object, ...]:
    return _content(message_of(row), with_time=with_time)


async def _insert(tx: Transaction, session: SessionRow, fresh: Sequence[_Prepared]) -> None:
    keys = tx.keys(len(fresh))
    waits = waits_for_vectors(tx.namespace.embedding)
    nodes, passages, spans = [], [], []
    before = session.tail_key
    for key, item in zip(keys, fresh, strict=True):
        message, row = item.message, item.columns
        node = message_properties(message, Placed(tx.name, key, session.key, tx.now), before)
        facets = facets_text(tx.token, NodeKind.MESSAGE, session.name, message.speaker, [message.labels])
        node |= memory_columns(row, message.role) | passage_columns(tx.token, NodeKind.MESSAGE, row.passages[0], facets, waits=waits)
        nodes.append(node)
        passages += further_passages(node, tx.token, NodeKind.MESSAGE, row, facets, waits=waits)
        spans += span_nodes(tx.name, key, row.spans)
        for passage in row.passages:
            tx.count_passage(StatisticsGroup.MESSAGES, passage.terms, passage.length)
        before = key
    await create_messages(tx, session.name, session.tail_seq, nodes)
    await create_further_passages(tx, NodeKind.MESSAGE, passages)
    await create_spans(tx, NodeKind.MESSAGE, spans)
    await _count(tx, session, fresh)
    tx.changed(Operation.ADDED, keys)
    await _embed(tx, dict(zip(keys, fresh, strict=True)))


async def _embed(tx: Transaction, placed: Mapping[int, _Prepared]) -> None:
    """Stores the vectors that came with the messages."""
    given = {key: np.asarray(item.draft.embedding, np.float16) for key, item in placed.items() if item.draft.embedding is not None}
    if given:
        await set_vectors(tx, NodeKind.MESSAGE, tx.namespace.embedding.dimension, given)
        tx.changed(Operation.EMBEDDED, [passage_key(key, 0) for key in given])


async def _count(tx: Transaction, session: SessionRow, fresh: Sequence[_Prepared]) -> None:
    times = [to_micros(item.draft.sent_at) for item in fresh]
    await tx.execute(
        _COUNT_SESSION,
        {
            "session": session.name,
            "last_seq": session.last_seq + len(fresh),
            "count": len(fresh),
            "first": min(times),
            "last": max(times),
        },
    )
    await tx.execute(_COUNT_SPEAKERS, {"rows": [list(pair) for pair in Counter(item.draft.speaker for item in fresh).items()]})
