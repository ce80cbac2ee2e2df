"""Appending messages: analysed before the transaction, stored with their edges and work in it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from graph.errors import DuplicateMessage, InvalidArgument
from graph.model import ExtractionMode, IdSource, Message, Namespace, NodeKind, to_micros
from graph.store.candidates import StatisticsGroup
from graph.store.memory_rows import MemoryRow, memory_row
from graph.store.neo4j.driver.change_log import Operation
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.driver.transaction import Look, Transaction
from graph.store.neo4j.jobs.job_queue import cover, needs_work, open_job_of, waiting_messages
from graph.store.neo4j.jobs.job_rows import JOB_PROJECTION, JobRow, job_row_of
from graph.store.neo4j.rows.node_properties import passage_key
from graph.store.neo4j.rows.node_rows import MESSAGE_PROJECTION, Placed, message_of, message_properties
from graph.store.neo4j.rows.node_writer import create_further_passages, create_spans, set_properties, set_vectors
from graph.store.neo4j.rows.requests import answer_in, remember_answer
from graph.store.neo4j.rows.search_columns import further_passages, memory_columns, passage_columns, span_nodes
from graph.store.neo4j.rows.search_tokens import facets_text
from graph.store.neo4j.rows.session_rows import SESSION_SEEN, SessionRow, ensure_session, session_seen
from graph.store.port import AppendCommand, AppendedMessage, AppendOutcome, MessageDraft
from graph.store.rules.request_digest import body_digest
from graph.store.rules.spec_rules import takes_client_vectors, waits_for_vectors
from graph.store.rules.vector_checks import checked_vector
from graph.text import index_message

# All that an append has to know, in the round trip that locks the namespace.
_SEEN = f"""CALL () {{
        OPTIONAL MATCH (r:Request {{namespace: $namespace, id: $at.request_id}}) WITH [r.digest, r.answer, r.expires_at] AS request
        CALL () {{ {SESSION_SEEN} RETURN s, session }}
        CALL () {{ UNWIND $at.client_ids AS client_id
            MATCH (m:Message {{namespace: $namespace, session: $at.session, client_id: client_id}})
            RETURN collect(m{MESSAGE_PROJECTION}) AS known }}
        CALL () {{ MATCH (j:Job) WHERE j.namespace = $namespace AND j.session = $at.session AND j.state IN ['QUEUED', 'RUNNING']
            WITH j ORDER BY j.key RETURN collect(j{JOB_PROJECTION}) AS jobs }}
        CALL (s) {{ MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = s.name AND m.seq > s.extracted_seq
            RETURN count(m) AS unextracted }}
        RETURN {{request: request, session: session, known: known, jobs: jobs, unextracted: unextracted}} AS seen }}"""
# Messages, what their session and its speakers count, in one query.
_WRITE = f"""MATCH (s:Session {{namespace: $namespace, name: $at.session}})
    SET s.last_seq = $at.last_seq, s.message_count = s.message_count + size($at.nodes),
        s.first_sent_at = CASE WHEN s.first_sent_at < $at.first THEN s.first_sent_at ELSE $at.first END,
        s.last_sent_at = CASE WHEN s.last_sent_at > $at.last THEN s.last_sent_at ELSE $at.last END
    FOREACH (row IN $at.speakers | MERGE (p:Speaker {{namespace: $namespace, name: row[0]}})
        SET p.messages = coalesce(p.messages, 0) + row[1])
    WITH s OPTIONAL MATCH (last:Message {{namespace: $namespace, session: $at.session, seq: $at.tail_seq}})
    CALL (s) {{
        UNWIND $at.nodes AS node CREATE (m:Message)-[:IN_SESSION {{seq: node.seq}}]->(s) {set_properties("m", NodeKind.MESSAGE)}
        WITH m ORDER BY m.seq RETURN collect(m) AS fresh }}
    WITH CASE WHEN last IS NULL THEN fresh ELSE [last] + fresh END AS chain
    UNWIND range(0, size(chain) - 2) AS i
    WITH chain[i] AS before, chain[i + 1] AS after CREATE (before)-[:NEXT]->(after)"""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A message analysed, without its place in the session."""

    draft: MessageDraft
    message: Message
    columns: MemoryRow


async def append(handle: Handle, command: AppendCommand) -> AppendOutcome:
    """See `Memory.append`."""
    database = handle.database
    settings = await handle.settings()
    for index, draft in enumerate(command.messages):
        _check_embedding(settings, index, draft)
    digest = _digest(command)
    zone = database.zones.get(settings.uid, command.session, command.time_zone or settings.time_zone)

    def prepare(zone: str) -> list[_Prepared]:
        return [_prepare(draft, database.ids, zone, command.session) for draft in command.messages]

    # Analysed outside the transaction, in the zone that the session most likely has, so that nobody waits for it.
    analysed = {zone: await database.run(lambda: prepare(zone))}

    async def work(tx: Transaction) -> AppendOutcome:
        answer = answer_in(tx.seen["request"], tx.now, command.request_id, digest)
        if answer is not None:
            return AppendOutcome(tuple(AppendedMessage(*values) for values in answer[0]), answer[1], answer[2], tx.namespace.uid)
        found = session_seen(tx.seen["session"])
        session = await ensure_session(tx, database.ids, found, command.session, command.time_zone)
        if session.time_zone not in analysed:
            analysed[session.time_zone] = await database.run(lambda: prepare(session.time_zone))
        outcome = await _store(tx, database.ids, command, session, analysed[session.time_zone])
        database.zones.put(tx.namespace.uid, session.name, session.time_zone)
        if command.request_id:
            messages = [[m.id, m.seq, m.client_id, m.duplicate] for m in outcome.messages]
            await remember_answer(tx, command.request_id, digest, [messages, outcome.revision, outcome.job_id])
        return outcome

    client_ids = sorted({draft.client_id for draft in command.messages if draft.client_id})
    look = Look(_SEEN, {"session": command.session, "request_id": command.request_id, "client_ids": client_ids})
    return await handle.write(work, look)


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
    known = _known_messages(tx, command.messages)
    jobs = [job_row_of(job) for job in tx.seen["jobs"]]
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
        job_id = open_job_of(jobs, session, max((a.seq for a in answers), default=0))
        return AppendOutcome(tuple(answers), tx.revision, job_id, tx.namespace.uid)
    await _insert(tx, session, fresh)
    job_id = await _cover(tx, ids, command, jobs, seq, len(fresh))
    return AppendOutcome(tuple(answers), tx.revision, job_id, tx.namespace.uid)


async def _cover(tx: Transaction, ids: IdSource, command: AppendCommand, jobs: Sequence[JobRow], upto: int, fresh: int) -> str:
    if not needs_work(tx.namespace):
        return ""
    waiting = tx.seen["unextracted"] + fresh
    if tx.namespace.extraction_mode is ExtractionMode.OFF:
        waiting = await waiting_messages(tx, tx.namespace, command.session, upto)
    return cover(tx, ids, jobs, command.session, upto, command.idle, waiting).id


def _content(message: MessageDraft | Message, *, with_time: bool) -> tuple[object, ...]:
    sent_at = to_micros(message.sent_at) if with_time else None
    return (message.speaker, int(message.role), message.text, dict(message.labels), message.image_caption, sent_at)


def _known_messages(tx: Transaction, drafts: Sequence[MessageDraft]) -> dict[str, tuple[str, int, tuple[object, ...]]]:
    """Messages of the session with the client ids of these drafts: id, seq and content, the time in it where the draft gives one."""
    timed = {draft.client_id: not draft.sent_at_assumed for draft in drafts if draft.client_id}
    return {row["client_id"]: (row["id"], row["seq"], _stored_content(row, with_time=timed[row["client_id"]])) for row in tx.seen["known"]}


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
    await tx.execute(_WRITE, {**_counted(session, fresh), "nodes": nodes})
    await create_further_passages(tx, NodeKind.MESSAGE, passages)
    await create_spans(tx, NodeKind.MESSAGE, spans)
    tx.changed(Operation.ADDED, keys)
    await _embed(tx, dict(zip(keys, fresh, strict=True)))


async def _embed(tx: Transaction, placed: Mapping[int, _Prepared]) -> None:
    """Stores the vectors that came with the messages."""
    given = {key: np.asarray(item.draft.embedding, np.float16) for key, item in placed.items() if item.draft.embedding is not None}
    if given:
        await set_vectors(tx, NodeKind.MESSAGE, tx.namespace.embedding.dimension, given)
        tx.changed(Operation.EMBEDDED, [passage_key(key, 0) for key in given])


def _counted(session: SessionRow, fresh: Sequence[_Prepared]) -> dict[str, Any]:
    times = [to_micros(item.draft.sent_at) for item in fresh]
    return {
        "session": session.name,
        "tail_seq": session.tail_seq,
        "last_seq": session.last_seq + len(fresh),
        "first": min(times),
        "last": max(times),
        "speakers": [list(pair) for pair in Counter(item.draft.speaker for item in fresh).items()],
    }
