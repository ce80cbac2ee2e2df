"""Appending messages: analysed before the transaction, stored with their edges and work in it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import numpy as np

from graph.model import ExtractionMode, IdSource, NodeKind, to_micros
from graph.store.candidates import StatisticsGroup
from graph.store.neo4j.deletion import remove_for_edit, restore_places
from graph.store.neo4j.driver.change_log import Operation
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.driver.transaction import Prefetch, Transaction
from graph.store.neo4j.jobs.job_queue import cover, waiting_messages
from graph.store.neo4j.jobs.job_rows import JOB_PROJECTION, job_row_of
from graph.store.neo4j.rows.node_properties import passage_key
from graph.store.neo4j.rows.node_rows import (
    MESSAGE_PROJECTION,
    Properties,
    SystemFields,
    message_of,
    message_properties,
    stored_text_of_versions,
)
from graph.store.neo4j.rows.node_writer import create_further_passages, create_spans, set_properties, set_vectors
from graph.store.neo4j.rows.requests import remember_answer
from graph.store.neo4j.rows.search_columns import further_passages, memory_columns, passage_columns, span_nodes
from graph.store.neo4j.rows.search_tokens import facets_text
from graph.store.neo4j.rows.session_rows import SESSION_SEEN, LinkedSession, ensure_session, session_seen
from graph.store.port import AppendCommand, AppendOutcome
from graph.store.rules import appending
from graph.store.rules.jobs import JobRow, needs_work, open_job_of
from graph.store.rules.requests import answer_to_repeat
from graph.store.rules.spec_rules import waits_for_vectors

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
        RETURN {{request: request, session: session, known: known, jobs: jobs, unextracted: unextracted}} AS prefetched }}"""
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


async def append(handle: Handle, command: AppendCommand) -> AppendOutcome:
    """See `Memory.append`."""
    database = handle.database
    settings = await handle.settings()
    appending.check_embeddings(settings.embedding, command)
    digest = appending.append_digest(command)

    async def analyse(zone: str) -> list[appending.AnalysedMessage]:
        return await database.run(lambda: appending.analysed_messages(command, database.ids, zone))

    # Analysed outside the transaction, in the zone that the session most likely has, so that nobody waits for it.
    zone = database.zones.get(settings.uid, command.session, command.time_zone or settings.time_zone)
    analysed = {zone: await analyse(zone)}

    async def work(tx: Transaction) -> AppendOutcome:
        answer = answer_to_repeat(tx.prefetched["request"], tx.now, command.request_id, digest)
        if answer is not None:
            return appending.outcome_of(answer, tx.namespace.uid)
        found = session_seen(tx.prefetched["session"])
        session = await ensure_session(tx, database.ids, found, command.session, command.time_zone)
        if session.time_zone not in analysed:
            analysed[session.time_zone] = await analyse(session.time_zone)
        known = {row["client_id"]: message_of(row) for row in tx.prefetched["known"]}
        plan = appending.planned_append(session.last_seq, known, analysed[session.time_zone])
        jobs = [job_row_of(job) for job in tx.prefetched["jobs"]]
        if plan.edits:
            await _edit(tx, session, plan.edits, {row["id"]: row["key"] for row in tx.prefetched["known"]})
        if plan.late:
            rows = [{"id": it.id, "versions": stored_text_of_versions(it)} for it in plan.late]
            await tx.execute(_LATE, {"rows": rows})
            tx.step()
        if plan.fresh:
            await _insert(tx, session, plan)
        if plan.fresh or plan.edits:
            job_id = await _cover(tx, database.ids, command, jobs, plan)
        else:
            job_id = open_job_of(jobs, session.extracted_seq, plan.last_seq)
        outcome = plan.outcome(tx.revision, job_id, tx.namespace.uid)
        database.zones.put(tx.namespace.uid, session.name, session.time_zone)
        if command.request_id:
            await remember_answer(tx, command.request_id, digest, appending.stored_outcome(outcome))
        return outcome

    client_ids = sorted({draft.client_id for draft in command.messages if draft.client_id})
    prefetch = Prefetch(_SEEN, {"session": command.session, "request_id": command.request_id, "client_ids": client_ids})
    return await handle.write(work, prefetch)


async def _cover(tx: Transaction, ids: IdSource, command: AppendCommand, jobs: Sequence[JobRow], plan: appending.AppendPlan) -> str:
    if not needs_work(tx.namespace):
        return ""
    waiting = tx.prefetched["unextracted"] + len(plan.fresh)
    if tx.namespace.extraction_mode is ExtractionMode.OFF or plan.edits:
        waiting = await waiting_messages(tx, tx.namespace, command.session, plan.last_seq)
    return cover(tx, ids, jobs, command.session, plan.last_seq, command.idle, waiting).id


_LATE = "UNWIND $at.rows AS row MATCH (m:Message {namespace: $namespace, id: row.id}) SET m.versions = row.versions"
_EDIT = f"""MATCH (s:Session {{namespace: $namespace, name: $at.session}})
    UNWIND $at.nodes AS node CREATE (m:Message)-[:IN_SESSION {{seq: node.seq}}]->(s) {set_properties("m", NodeKind.MESSAGE)}"""
_AGAIN = """UNWIND $at.seqs AS seq MERGE (:AgainMark {namespace: $namespace, session: $at.session, seq: seq})"""


async def _edit(tx: Transaction, session: LinkedSession, edits: Sequence[appending.AnalysedMessage], known: Mapping[str, int]) -> None:
    """Puts new versions in the place of messages, which get other keys: whoever read the old one knows nothing of the new one."""
    await remove_for_edit(tx, [known[item.message.id] for item in edits])
    keys = tx.keys(len(edits))
    recorded = [to_micros(item.message.recorded_at) for item in edits]

    async def create(nodes: list[Properties]) -> None:
        await tx.execute(_EDIT, {"session": session.name, "nodes": nodes})

    nodes = await _nodes(tx, session, list(zip(keys, edits, recorded, strict=True)), 0, create)
    await restore_places(tx, session.name, [(node["seq"], node["speaker"]) for node in nodes])
    seqs = [item.message.seq for item in edits if item.message.seq <= session.extracted_seq]
    if seqs:
        await tx.execute(_AGAIN, {"session": session.name, "seqs": seqs})


async def _insert(tx: Transaction, session: LinkedSession, plan: appending.AppendPlan) -> None:
    keyed = [(key, item, tx.now) for key, item in zip(tx.keys(len(plan.fresh)), plan.fresh, strict=True)]
    await _nodes(tx, session, keyed, session.tail_key, lambda nodes: tx.execute(_WRITE, {**_counted(session, plan), "nodes": nodes}))


async def _nodes(
    tx: Transaction,
    session: LinkedSession,
    keyed: Sequence[tuple[int, appending.AnalysedMessage, int]],
    before: int,
    create: Callable[[list[Properties]], Awaitable[object]],
) -> list[Properties]:
    """Stores messages, each with its key and when it was first stored, with their passages, spans and vectors; `create` makes the nodes."""
    waits = waits_for_vectors(tx.namespace.embedding)
    nodes: list[Properties] = []
    passages, spans = [], []
    for key, item, recorded in keyed:
        message, row = item.message, item.columns
        node = message_properties(message, SystemFields(tx.name, key, session.key, recorded), before)
        facets = facets_text(tx.token, NodeKind.MESSAGE, session.name, message.speaker, [message.labels])
        node |= memory_columns(row, message.role) | passage_columns(tx.token, NodeKind.MESSAGE, row.passages[0], facets, waits=waits)
        nodes.append(node)
        passages += further_passages(node, tx.token, NodeKind.MESSAGE, row, facets, waits=waits)
        spans += span_nodes(tx.name, key, row.spans)
        for passage in row.passages:
            tx.count_passage(StatisticsGroup.MESSAGES, passage.terms, passage.length)
        before = key
    await create(nodes)
    await create_further_passages(tx, NodeKind.MESSAGE, passages)
    await create_spans(tx, NodeKind.MESSAGE, spans)
    tx.changed(Operation.ADDED, [key for key, *_ in keyed])
    await _embed(tx, {key: item for key, item, _ in keyed})
    return nodes


async def _embed(tx: Transaction, keyed: Mapping[int, appending.AnalysedMessage]) -> None:
    """Stores the vectors that came with the messages."""
    given = {key: np.asarray(item.embedding, np.float16) for key, item in keyed.items() if item.embedding is not None}
    if given:
        await set_vectors(tx, NodeKind.MESSAGE, tx.namespace.embedding.dimension, given)
        tx.changed(Operation.EMBEDDED, [passage_key(key, 0) for key in given])


def _counted(session: LinkedSession, plan: appending.AppendPlan) -> dict[str, Any]:
    first, last = plan.sent_at
    return {
        "session": session.name,
        "tail_seq": session.tail_seq,
        "last_seq": plan.last_seq,
        "first": first,
        "last": last,
        "speakers": [list(pair) for pair in plan.speakers.items()],
    }
