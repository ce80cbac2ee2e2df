"""What a leased extraction has before it, and which passages wait for vectors."""

from collections.abc import Mapping
from itertools import groupby, takewhile
from typing import Any

import numpy as np

from graph.model import Lease, Message, NodeKind, from_micros
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.jobs.job_rows import JOB_PROJECTION, job_row_of
from graph.store.neo4j.rows.node_reading import count_within
from graph.store.neo4j.rows.node_rows import (
    MESSAGE_PROJECTION,
    SESSION_PROJECTION,
    STATEMENT_PROJECTION,
    message_of,
    session_of,
    statement_of,
)
from graph.store.port import Float16Vector, PassageText, PendingWork
from graph.store.rules.jobs import held
from graph.store.rules.pending import CONTEXT_MESSAGES, MOST_PENDING_BYTES, fitting
from graph.text import passage_texts

# The server counts characters, of which each may take four bytes.
_MOST_CHARACTERS = MOST_PENDING_BYTES // 4
# One query is one moment's view: watermark, messages and marks belong together.
_PENDING = f"""OPTIONAL MATCH (j:Job {{namespace: $namespace, id: $at.id}})
    OPTIONAL MATCH (s:Session {{namespace: $namespace, name: j.session}})
    CALL (s) {{
        OPTIONAL MATCH (a:AgainMark) WHERE a.namespace = $namespace AND a.session = s.name AND a.seq > 0
        RETURN min(a.seq) AS again }}
    WITH n, j, s, again, CASE WHEN again IS NULL THEN s.extracted_seq ELSE again - 1 END AS after,
        CASE WHEN again IS NULL THEN j.target ELSE s.extracted_seq END AS upto
    CALL (s, after, upto) {{
        MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = s.name AND m.seq > after AND m.seq <= upto
        WITH m ORDER BY m.namespace, m.session, m.seq LIMIT $at.limit
        WITH collect(m) AS ms
        RETURN [m IN ms[..{count_within(NodeKind.MESSAGE)}] | [m{MESSAGE_PROJECTION}, m.v16]] AS waiting, size(ms) AS total }}
    CALL (s, after) {{
        MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = s.name AND m.seq <= after
        WITH m ORDER BY m.namespace DESC, m.session DESC, m.seq DESC LIMIT {CONTEXT_MESSAGES}
        RETURN collect([m{MESSAGE_PROJECTION}, m.v16]) AS context }}
    CALL (s, after) {{
        MATCH (f:FlushMark) WHERE f.namespace = $namespace AND f.session = s.name AND f.seq > after
        RETURN collect(f.seq) AS marks }}
    CALL (s, again) {{
        MATCH (a:AgainMark) WHERE a.namespace = $namespace AND a.session = s.name AND a.seq >= again
        WITH a ORDER BY a.namespace, a.session, a.seq LIMIT $at.limit RETURN collect(a.seq) AS all_again }}
    RETURN n.generation, n.next_key, j{JOB_PROJECTION}, s{SESSION_PROJECTION}, waiting, total, context, marks, all_again"""


async def pending(handle: Handle, lease: Lease, limit: int) -> PendingWork:
    """See `Memory.pending`."""
    asked = {"at": {"id": lease.job.id, "limit": limit + 1}, "max_bytes": _MOST_CHARACTERS}
    generation, next_key, job, session_row, waiting, total, before, marks, again = await handle.row(_PENDING, asked)
    row = held(job and session_row and job_row_of(job), await handle.database.now(), lease)
    session = session_of(session_row)
    before.reverse()
    if again:
        run = list(takewhile(lambda row: row[0]["seq"] in set(again), waiting))
        waiting, total = run, total - len(waiting) + len(run) if len(run) == len(waiting) else len(run)
    waiting = waiting[: min(limit, fitting((len(message["text"]) for message, _ in waiting), _MOST_CHARACTERS))]
    if again and waiting:
        # What is extracted again waits for no more messages.
        marks.append(waiting[-1][0]["seq"])
    return PendingWork(
        session=session,
        generation=generation,
        watermark=session.extracted_seq,
        context=_messages(before),
        messages=_messages(waiting),
        more=total > len(waiting),
        flush_marks=frozenset(marks),
        vectors=_vectors(before + waiting),
        idle_until=from_micros(row.idle_until),
        again=bool(again),
        read_before=next_key,
    )


def _messages(rows: list[list[Any]]) -> tuple[Message, ...]:
    return tuple(message_of(row) for row, _ in rows)


def _vectors(rows: list[list[Any]]) -> Mapping[str, Float16Vector]:
    return {row["id"]: np.frombuffer(v16, "<f2") for row, v16 in rows if v16 is not None}


# Oldest first by the owner's key, then by place in it.
_WAITING = f"""OPTIONAL MATCH (s:Session {{namespace: $namespace, name: $at.session}})
    CALL () {{
        MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = $at.session AND m.waits = true AND m.key > 0
        WITH m ORDER BY m.namespace, m.session, m.waits, m.key LIMIT $at.limit
        RETURN collect([m.key, 0, m{MESSAGE_PROJECTION}]) AS messages }}
    CALL () {{
        MATCH (p:Passage) WHERE p.namespace = $namespace AND p.session = $at.session AND p.waits = true AND p.key > 0
        WITH p ORDER BY p.namespace, p.session, p.waits, p.key LIMIT $at.limit
        WITH p.key AS key, collect(p.ordinal) AS ordinals MATCH (m:Message {{namespace: $namespace, key: key}})
        UNWIND range(0, size(ordinals) - 1) AS i
        RETURN collect([key, ordinals[i], CASE i WHEN 0 THEN m{MESSAGE_PROJECTION} END]) AS passages }}
    CALL () {{
        MATCH (f:Fact) WHERE f.namespace = $namespace AND f.session = $at.session AND f.waits = true AND f.key > 0
        WITH f ORDER BY f.namespace, f.session, f.waits, f.key LIMIT $at.limit
        RETURN collect([f.key, 0, f{STATEMENT_PROJECTION}]) AS facts }}
    CALL () {{
        MATCH (r:Relation) WHERE r.namespace = $namespace AND r.session = $at.session AND r.waits = true AND r.key > 0
        WITH r ORDER BY r.namespace, r.session, r.waits, r.key LIMIT $at.limit
        RETURN collect([r.key, 0, r{STATEMENT_PROJECTION}]) AS relations }}
    RETURN messages + passages + facts + relations"""


async def missing_vectors(handle: Handle, session: str, limit: int) -> list[PassageText]:
    """See `Memory.missing_vectors`. Besides messages: current statements whose vectors did not come with them (after an import without)."""
    waiting: list[list[Any]]
    (waiting,) = await handle.row(_WAITING, {"at": {"session": session, "limit": limit}})
    waiting.sort(key=lambda row: row[:2])
    texts: list[PassageText] = []
    for key, group in groupby(waiting[:limit], key=lambda row: row[0]):
        rows = list(group)
        # The first row of a message has it; the others of that message go without, as it may be long.
        node = next(node for _, _, node in rows if node is not None)
        passages = passage_texts(message_of(node) if "seq" in node else statement_of(node))
        texts += [PassageText(node["id"], ordinal, passages[ordinal], key) for _, ordinal, _ in rows if ordinal < len(passages)]
    return texts
