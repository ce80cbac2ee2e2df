"""Appending messages: analysed before the transaction, stored with their edges, labels and work in it."""

from collections.abc import Iterable, Sequence

import numpy as np

from graph.model import EdgeKind, Message, Namespace, NodeKind, to_micros
from graph.store.embedded.deletion import remove_for_edit, restore_places
from graph.store.embedded.files.namespace_file import NamespaceFile
from graph.store.embedded.files.transaction import Operation, Transaction
from graph.store.embedded.jobs.job_queue import cover_messages
from graph.store.embedded.jobs.job_rows import open_jobs
from graph.store.embedded.rows.node_bodies import message_body
from graph.store.embedded.rows.node_keys import keys_of
from graph.store.embedded.rows.node_rows import read_nodes
from graph.store.embedded.rows.node_values import SystemFields, message_values
from graph.store.embedded.rows.node_writer import EdgeValues, insert_edges, insert_labels, insert_nodes, insert_passages
from graph.store.embedded.rows.requests import first_answer, remember_answer
from graph.store.embedded.rows.session_rows import ensure_session
from graph.store.embedded.rows.vector_rows import store_vectors
from graph.store.port import AppendCommand, AppendOutcome
from graph.store.rules import appending
from graph.store.rules.jobs import open_job_of
from graph.store.rules.sessions import SessionRow
from graph.store.rules.spec_rules import takes_vectors, waits_for_vectors


def append(file: NamespaceFile, settings: Namespace, command: AppendCommand) -> AppendOutcome:
    """See `Memory.append`."""
    appending.check_embeddings(settings.embedding, command)
    digest = appending.append_digest(command)
    # Analysed outside the transaction, in the zone that the session most likely has, so that no append waits for a reader.
    zone = file.zones.get(command.session, command.time_zone or settings.time_zone)
    analysed = appending.analysed_messages(command, file.ids, zone)
    with file.write(settings) as tx:
        answer = first_answer(tx, command.request_id, digest)
        if answer is not None:
            return appending.outcome_of(answer, settings.uid)
        session = ensure_session(tx, tx.ids, command.session, command.time_zone, settings.time_zone)
        if session.time_zone != zone:
            analysed = appending.analysed_messages(command, file.ids, session.time_zone)
        plan = appending.planned_append(session.last_seq, _known_messages(tx, session, command), analysed)
        if plan.edits:
            _edit(tx, settings, session, plan.edits)
        if plan.late:
            keys = keys_of(tx.db, [message.id for message in plan.late])
            tx.db.executemany("UPDATE nodes SET body = ? WHERE key = ?", [(message_body(it), keys[it.id]) for it in plan.late])
            tx.step()
        if plan.fresh:
            _insert(tx, settings, session, plan)
        if plan.fresh or plan.edits:
            job_id = cover_messages(tx, settings, tx.ids, session.key, plan.last_seq, command.idle)
        else:
            job_id = open_job_of(open_jobs(tx.db, session.key), session.extracted_seq, plan.last_seq)
        outcome = plan.outcome(tx.revision, job_id, settings.uid)
        file.zones[command.session] = session.time_zone
        if command.request_id:
            remember_answer(tx, command.request_id, digest, appending.stored_outcome(outcome))
        return outcome


def _known_messages(tx: Transaction, session: SessionRow, command: AppendCommand) -> dict[str, Message]:
    """The session's messages with the client ids of the command, by these."""
    client_ids = {draft.client_id for draft in command.messages if draft.client_id}
    if session.last_seq == 0 or not client_ids:
        return {}
    found: Iterable[tuple[int]] = tx.db.executemany(
        "SELECT key FROM nodes WHERE session = ? AND client_id = ?", [(session.key, client_id) for client_id in client_ids]
    )
    nodes = read_nodes(tx.db, [key for (key,) in found]).values()
    return {node.client_id: node for node in nodes if isinstance(node, Message)}


def _edit(tx: Transaction, settings: Namespace, session: SessionRow, edits: Sequence[appending.AnalysedMessage]) -> None:
    """Puts new versions in the place of messages, which get other keys: whoever read the old one knows nothing of the new one."""
    remove_for_edit(tx, keys_of(tx.db, [item.message.id for item in edits]).values())
    keyed = list(zip(tx.node_keys(len(edits)), edits, strict=True))
    _store(tx, settings, keyed, [SystemFields(key, session.key, to_micros(item.message.recorded_at)) for key, item in keyed])
    restore_places(tx, [key for key, _ in keyed])
    seqs = [(session.key, item.message.seq) for item in edits if item.message.seq <= session.extracted_seq]
    tx.db.executemany("INSERT OR IGNORE INTO messages_again VALUES (?, ?)", seqs)


def _insert(tx: Transaction, settings: Namespace, session: SessionRow, plan: appending.AppendPlan) -> None:
    keyed = list(zip(tx.node_keys(len(plan.fresh)), plan.fresh, strict=True))
    _store(tx, settings, keyed, [SystemFields(key, session.key, tx.now) for key, _ in keyed])
    insert_edges(tx, _conversation_edges(tx, session, [key for key, _ in keyed]))
    _count(tx, session, plan)


def _store(
    tx: Transaction, settings: Namespace, keyed: Sequence[tuple[int, appending.AnalysedMessage]], system: Sequence[SystemFields]
) -> None:
    """Stores messages with their labels, passages and vectors."""
    keys = [key for key, _ in keyed]
    insert_nodes(tx, [message_values(item.message, fields, item.columns) for (_, item), fields in zip(keyed, system, strict=True)])
    insert_labels(tx, [(key, item.message.labels) for key, item in keyed])
    owners = [(key, fields.session, item.columns) for (key, item), fields in zip(keyed, system, strict=True)]
    passages = insert_passages(tx, owners, wait=waits_for_vectors(settings.embedding))
    if takes_vectors(settings.embedding):
        given = {
            passages[(key, 0)]: (np.asarray(item.embedding, dtype=np.float16), item.columns.passages[0].digest)
            for key, item in keyed
            if item.embedding is not None
        }
        store_vectors(tx, given)
    tx.changed(Operation.ADDED, keys)


def _conversation_edges(tx: Transaction, session: SessionRow, keys: Sequence[int]) -> list[EdgeValues]:
    """IN_SESSION and NEXT of new messages at the end of the session."""
    last = tx.db.execute(
        f"SELECT key FROM nodes WHERE session = ? AND kind = {NodeKind.MESSAGE:d} AND seq <= ? ORDER BY seq DESC LIMIT 1",
        (session.key, session.last_seq),
    ).get
    edges: list[EdgeValues] = []
    for key in keys:
        edges.append((key, EdgeKind.IN_SESSION, 0, session.key, 0, None))
        if last is not None:
            edges.append((last, EdgeKind.NEXT, 0, key, 0, None))
        last = key
    return edges


def _count(tx: Transaction, session: SessionRow, plan: appending.AppendPlan) -> None:
    tx.db.execute(
        """UPDATE sessions SET last_seq = last_seq + ?1, message_count = message_count + ?1,
               first_sent_at = min(coalesce(first_sent_at, ?2), ?2), last_sent_at = max(coalesce(last_sent_at, ?3), ?3) WHERE key = ?4""",
        (len(plan.fresh), *plan.sent_at, session.key),
    )
    tx.db.executemany(
        "INSERT INTO speakers VALUES (?1, ?2) ON CONFLICT DO UPDATE SET messages = messages + ?2", list(plan.speakers.items())
    )
