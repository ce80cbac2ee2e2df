"""Committing an extraction: events and watermark in one transaction, if all that the worker read still holds."""

from collections.abc import Sequence

from graph.model import EdgeKind, Lease, Namespace, NodeKind
from graph.store.embedded.changes import storable_changes
from graph.store.embedded.files.namespace_file import NamespaceFile
from graph.store.embedded.files.transaction import Operation, Transaction
from graph.store.embedded.jobs.job_queue import cover_consolidation
from graph.store.embedded.jobs.job_rows import save_job
from graph.store.embedded.jobs.leases import held_job
from graph.store.embedded.links import storable_edges
from graph.store.embedded.rows.entity_rows import resolve_entities
from graph.store.embedded.rows.node_keys import keys_of
from graph.store.embedded.rows.node_values import SystemFields, edge_values, event_values, explicit_edges, statement_values
from graph.store.embedded.rows.node_writer import EdgeValues, insert_edges, insert_nodes, insert_passages
from graph.store.embedded.rows.session_rows import session_row
from graph.store.embedded.rows.span_rows import insert_spans
from graph.store.embedded.rows.summary_rows import tell_of_replaced, wait_for_window
from graph.store.embedded.rows.usage_rows import add_usage
from graph.store.embedded.rows.vector_rows import store_vectors
from graph.store.memory_rows import MemoryRow
from graph.store.port import ExtractionWrite
from graph.store.rules.changes import replaces
from graph.store.rules.extracting import (
    analysed_statements,
    derived_nodes,
    expected_session,
    outside_ids,
    require_all,
    require_marked,
    require_unedited,
)
from graph.store.rules.jobs import JobRow, progressed
from graph.store.rules.listed_edges import derived_edges
from graph.store.rules.sessions import SessionRow
from graph.store.rules.spec_rules import takes_vectors, waits_for_vectors
from graph.store.rules.vector_checks import checked_passage_vectors


def commit_extraction(file: NamespaceFile, settings: Namespace, lease: Lease, write: ExtractionWrite) -> int:
    """See `Memory.commit_extraction`."""
    with file.read() as db:
        session = session_row(db, lease.job.session)
    checked_passage_vectors(settings.embedding, write.vectors)
    columns = analysed_statements(write, session.time_zone if session else "")
    with file.write(settings) as tx:
        job = held_job(tx.db, tx.now, lease)
        current = expected_session(session_row(tx.db, job.session), tx.generation, write)
        _require_unedited(tx, current, write)
        again = _extracted_again(tx, current, write.again_ids)
        keys = _write_nodes(tx, current, write, columns)
        _write_passages(tx, settings, current, write, columns, keys)
        add_usage(tx, write.usage)
        _advance(tx, job, current, write, again)
        return int(tx.revision)


def _write_nodes(tx: Transaction, session: SessionRow, write: ExtractionWrite, columns: dict[str, MemoryRow]) -> dict[str, int]:
    """Stores entities, statements and events with their edges; returns the keys of all nodes that the write names, by id."""
    outside = outside_ids(write)
    keys = keys_of(tx.db, outside)
    require_all(keys, outside)
    keys |= resolve_entities(tx, write.entities)
    own = [node.id for node in derived_nodes(write)]
    keys |= dict(zip(own, tx.node_keys(len(own)), strict=True))
    system = {id_: SystemFields(keys[id_], session.key, tx.now, write.generation) for id_ in own}
    insert_nodes(tx, [statement_values(node, system[node.id], columns[node.id]) for node in write.statements])
    insert_nodes(tx, [event_values(node, system[node.id]) for node in write.events])
    tx.changed(Operation.ADDED, [keys[id_] for id_ in own])
    wait_for_window(tx, session.key, [(keys[event.id], event) for event in write.events])
    if write.consolidate and write.events:
        cover_consolidation(tx)
    edges = [edge_values(edge) for edge in derived_edges(write.statements, write.events, keys)]
    _insert_edges(tx, edges)
    storable = storable_changes(tx.db, storable_edges(tx.db, write.edges, keys), keys)
    _insert_edges(tx, explicit_edges(storable, keys))
    replaced = {keys[edge.target_id] for edge in storable if replaces(edge)}
    if replaced and tell_of_replaced(tx, replaced):
        cover_consolidation(tx)
    return keys


def _insert_edges(tx: Transaction, edges: Sequence[EdgeValues]) -> None:
    """Stores edges, and counts the mentions among them that were not there."""
    insert_edges(tx, [edge for edge in edges if edge[1] != EdgeKind.MENTIONS])
    mentions = [edge for edge in edges if edge[1] == EdgeKind.MENTIONS]
    named = tx.db.executemany("INSERT OR IGNORE INTO edges VALUES (?, ?, ?, ?, ?, ?) RETURNING dst", mentions).fetchall()
    tx.db.executemany("UPDATE entities SET mentions = mentions + 1 WHERE key = ?", named)


def _write_passages(
    tx: Transaction,
    settings: Namespace,
    session: SessionRow,
    write: ExtractionWrite,
    columns: dict[str, MemoryRow],
    keys: dict[str, int],
) -> None:
    owners = [(keys[statement.id], session.key, columns[statement.id]) for statement in write.statements]
    passages = insert_passages(tx, owners, wait=waits_for_vectors(settings.embedding))
    if not takes_vectors(settings.embedding):
        return
    digests = {(keys[id_], passage.ordinal): passage.digest for id_, row in columns.items() for passage in row.passages}
    given = {(keys.get(item.owner_id, 0), item.ordinal): item.vector for item in write.vectors}
    store_vectors(tx, {passages[passage]: (vector, digests[passage]) for passage, vector in given.items() if passage in passages})


def _advance(tx: Transaction, job: JobRow, session: SessionRow, write: ExtractionWrite, again: int) -> None:
    passed = tx.db.execute(
        f"SELECT count(*) FROM nodes WHERE kind = {NodeKind.MESSAGE:d} AND session = ? AND seq > ? AND seq <= ?",
        (session.key, write.expected_watermark, write.watermark),
    ).get
    tx.db.execute("UPDATE sessions SET extracted_seq = ? WHERE key = ?", (write.watermark, session.key))
    if write.span is not None:
        insert_spans(tx, session.key, [write.span])
    save_job(tx, progressed(job, tx.now, passed + again, write.partial_failures))
    tx.step()


def _require_unedited(tx: Transaction, session: SessionRow, write: ExtractionWrite) -> None:
    """Refuses what was read of a message that has been edited since, and has another key since then. Raises StaleWrite."""
    if write.span is None or not write.read_before:
        return
    edited = f"SELECT 1 FROM nodes WHERE kind = {NodeKind.MESSAGE:d} AND session = ? AND seq >= ? AND seq <= ? AND key >= ? LIMIT 1"
    values = (session.key, write.span.read_from, write.span.last, write.read_before)
    require_unedited(tx.db.execute(edited, values).fetchone() is not None)


def _extracted_again(tx: Transaction, session: SessionRow, ids: Sequence[str]) -> int:
    """These messages are no longer to be extracted anew; how many were. Raises StaleWrite."""
    before = tx.db.total_changes()
    again = "DELETE FROM messages_again WHERE session = ? AND seq = (SELECT seq FROM nodes WHERE key = ?)"
    tx.db.executemany(again, [(session.key, key) for key in keys_of(tx.db, ids).values()])
    return require_marked(tx.db.total_changes() - before, ids)
