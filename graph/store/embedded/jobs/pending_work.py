"""What a leased extraction has before it, and which passages wait for vectors."""

from itertools import groupby, takewhile

import apsw
import numpy as np

from graph.model import Lease, Message, NodeKind, Statement, from_micros
from graph.store.embedded.files.connection import rows
from graph.store.embedded.jobs.leases import held_job
from graph.store.embedded.rows.node_rows import read_nodes, read_session
from graph.store.embedded.rows.session_rows import existing_session, session_row
from graph.store.port import Float16Vector, PassageText, PendingWork
from graph.store.rules.pending import CONTEXT_MESSAGES, fitting
from graph.text import passage_texts


def pending(db: apsw.Connection, now: int, lease: Lease, limit: int) -> PendingWork:
    """See `Memory.pending`."""
    row = held_job(db, now, lease)
    key = existing_session(db, row.session).key
    session = read_session(db, key)
    again = _first_again(db, key)
    after, upto = (again - 1, session.extracted_seq) if again else (session.extracted_seq, row.target)
    messages = f"FROM nodes WHERE kind = {NodeKind.MESSAGE:d} AND session = ?"
    found = rows(
        db, f"SELECT key, seq, length(body) {messages} AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?", (key, after, upto, limit + 1)
    )
    if again:
        found = list(takewhile(lambda row: _is_again(db, key, row[1]), found))
    before = rows(db, f"SELECT key {messages} AND seq <= ? ORDER BY seq DESC LIMIT ?", (key, after, CONTEXT_MESSAGES))
    taken = found[: fitting([size for _, _, size in found[:limit]])]
    context = [key for (key,) in reversed(before)]
    nodes = read_nodes(db, context + [key for key, _, _ in taken])
    marks = {seq for (seq,) in db.execute("SELECT seq FROM flush_marks WHERE session = ? AND seq > ?", (key, after))}
    # What is extracted again waits for no more messages.
    marks |= {taken[-1][1]} if again else set()
    return PendingWork(
        session=session,
        generation=int(db.execute("SELECT generation FROM state").get),
        watermark=session.extracted_seq,
        context=tuple(node for key in context if isinstance(node := nodes[key], Message)),
        messages=tuple(node for key, _, _ in taken if isinstance(node := nodes[key], Message)),
        more=len(found) > len(taken),
        flush_marks=frozenset(marks),
        vectors=_first_vectors(db, {key: node.id for key, node in nodes.items()}),
        idle_until=from_micros(row.idle_until),
        again=bool(again),
        read_before=int(db.execute("SELECT next_node FROM state").get),
    )


def _first_again(db: apsw.Connection, session: int) -> int:
    """The seq of the first message of the session that is to be extracted anew; 0 when there is none."""
    return int(db.execute("SELECT coalesce(min(seq), 0) FROM messages_again WHERE session = ?", (session,)).get)


def _is_again(db: apsw.Connection, session: int, seq: int) -> bool:
    return db.execute("SELECT 1 FROM messages_again WHERE session = ? AND seq = ?", (session, seq)).fetchone() is not None


def _first_vectors(db: apsw.Connection, ids: dict[int, str]) -> dict[str, Float16Vector]:
    found = db.executemany(
        "SELECT p.owner, v.vector FROM passages p JOIN vectors v ON v.passage = p.key WHERE p.owner = ? AND p.ordinal = 0",
        [(key,) for key in ids],
    )
    return {ids[owner]: np.frombuffer(blob, dtype=np.float16) for owner, blob in found}


def missing_vectors(db: apsw.Connection, session: str, limit: int) -> list[PassageText]:
    """See `Memory.missing_vectors`. Besides messages: current statements whose vectors did not come with them (after an import without)."""
    row = session_row(db, session)
    if row is None:
        return []
    waiting = rows(db, "SELECT owner, ordinal FROM passages WHERE session = ? AND waits = 1 ORDER BY key LIMIT ?", (row.key, limit))
    wanted = [(owner, [ordinal for _, ordinal in group]) for owner, group in groupby(waiting, key=lambda pair: pair[0])]
    nodes = read_nodes(db, [owner for owner, _ in wanted], linked=False)
    texts: list[PassageText] = []
    for owner, ordinals in wanted:
        node = nodes[owner]
        if isinstance(node, Message | Statement):
            passages = passage_texts(node)
            texts.extend(PassageText(node.id, ordinal, passages[ordinal], owner) for ordinal in ordinals if ordinal < len(passages))
    return texts
