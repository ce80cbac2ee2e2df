"""What a leased extraction has before it, and which passages wait for vectors."""

from itertools import groupby

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
    messages = f"FROM nodes WHERE kind = {NodeKind.MESSAGE:d} AND session = ?"
    found = rows(
        db,
        f"SELECT key, length(body) {messages} AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
        (key, session.extracted_seq, row.target, limit + 1),
    )
    before = rows(db, f"SELECT key {messages} AND seq <= ? ORDER BY seq DESC LIMIT ?", (key, session.extracted_seq, CONTEXT_MESSAGES))
    keys = [key for key, _ in found[: fitting([size for _, size in found[:limit]])]]
    context = [key for (key,) in reversed(before)]
    nodes = read_nodes(db, context + keys)
    marks = db.execute("SELECT seq FROM flush_marks WHERE session = ? AND seq > ?", (key, session.extracted_seq))
    return PendingWork(
        session=session,
        generation=int(db.execute("SELECT generation FROM state").get),
        watermark=session.extracted_seq,
        context=tuple(node for key in context if isinstance(node := nodes[key], Message)),
        messages=tuple(node for key in keys if isinstance(node := nodes[key], Message)),
        more=len(found) > len(keys),
        flush_marks=frozenset(seq for (seq,) in marks),
        vectors=_first_vectors(db, {key: node.id for key, node in nodes.items()}),
        idle_until=from_micros(row.idle_until),
    )


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
            texts.extend(PassageText(node.id, ordinal, passages[ordinal]) for ordinal in ordinals if ordinal < len(passages))
    return texts
