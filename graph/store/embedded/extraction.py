"""Committing an extraction: events and watermark in one transaction, if all that the worker read still holds."""

from collections import defaultdict
from datetime import UTC
from zoneinfo import ZoneInfo

from graph.errors import StaleWrite
from graph.model import EdgeKind, Event, Lease, Namespace, NodeKind, Statement
from graph.store.embedded.files.namespace_file import NamespaceFile
from graph.store.embedded.files.transaction import Operation, Transaction
from graph.store.embedded.jobs.job_rows import save_job
from graph.store.embedded.jobs.leases import held_job
from graph.store.embedded.links import heeding_decisions
from graph.store.embedded.rows.entity_rows import resolve_entities
from graph.store.embedded.rows.node_keys import keys_of
from graph.store.embedded.rows.node_values import Placed, event_edges, event_values, explicit_edges, statement_edges, statement_values
from graph.store.embedded.rows.node_writer import EdgeValues, insert_edges, insert_nodes, insert_passages
from graph.store.embedded.rows.session_rows import session_row
from graph.store.embedded.rows.usage_rows import add_usage
from graph.store.embedded.rows.vector_rows import store_vectors
from graph.store.memory_rows import MemoryRow, memory_row
from graph.store.port import ExtractionWrite
from graph.store.rules.jobs import JobRow, progressed
from graph.store.rules.sessions import SessionRow
from graph.store.rules.spec_rules import takes_vectors, waits_for_vectors
from graph.store.rules.vector_checks import checked_vector
from graph.text import index_statement


def commit_extraction(file: NamespaceFile, settings: Namespace, lease: Lease, write: ExtractionWrite) -> int:
    """See `Store.commit_extraction`."""
    with file.read() as db:
        session = session_row(db, lease.job.session)
    zone = ZoneInfo(session.time_zone) if session and session.time_zone else UTC
    columns = {statement.id: memory_row(index_statement(statement, zone)) for statement in write.statements}
    for index, item in enumerate(write.vectors):
        checked_vector(item.vector, settings.embedding.dimension, f"vectors[{index}]")
    with file.write() as tx:
        row = held_job(tx.db, tx.now, lease)
        current = _expected_session(tx, row, write)
        keys = _write_nodes(tx, current, write, columns)
        _write_passages(tx, settings, current, write, columns, keys)
        add_usage(tx, write.usage)
        _advance(tx, row, current, write)
        return int(tx.revision)


def _expected_session(tx: Transaction, row: JobRow, write: ExtractionWrite) -> SessionRow:
    """The session, as the worker saw it. Raises StaleWrite."""
    session = session_row(tx.db, row.session)
    if session is None:
        raise StaleWrite("the session is gone")
    if session.extracted_seq != write.expected_watermark:
        raise StaleWrite("the session was extracted further by another write")
    if not write.expected_watermark <= write.watermark <= session.last_seq:
        raise StaleWrite("the watermark lies beyond the session's messages")
    if tx.generation != write.generation:
        raise StaleWrite("another generation has begun")
    return session


def _write_nodes(tx: Transaction, session: SessionRow, write: ExtractionWrite, columns: dict[str, MemoryRow]) -> dict[str, int]:
    """Stores entities, statements and events with their edges; returns the keys of all nodes that the write names, by id."""
    keys = _existing(tx, write)
    keys |= resolve_entities(tx, write.entities)
    derived: tuple[Statement | Event, ...] = (*write.statements, *write.events)
    own = [node.id for node in derived]
    keys |= dict(zip(own, tx.node_keys(len(own)), strict=True))
    place = {id_: Placed(keys[id_], session.key, tx.now, write.generation) for id_ in own}
    insert_nodes(tx, [statement_values(node, place[node.id], columns[node.id]) for node in write.statements])
    insert_nodes(tx, [event_values(node, place[node.id]) for node in write.events])
    tx.changed(Operation.ADDED, [keys[id_] for id_ in own])
    link_derived(tx, write, keys)
    return keys


def _existing(tx: Transaction, write: ExtractionWrite) -> dict[str, int]:
    """Keys of the nodes outside this write that it refers to. Raises StaleWrite when one is gone."""
    derived: tuple[Statement | Event, ...] = (*write.statements, *write.events)
    referred = {id_ for node in derived for id_ in node.evidence_ids}
    referred |= {id_ for node in write.statements for id_ in node.entity_ids}
    referred |= {part.entity_id for event in write.events for part in event.participants}
    referred |= {id_ for event in write.events for id_ in event.statement_ids}
    referred |= {id_ for edge in write.edges for id_ in (edge.source_id, edge.target_id, edge.via_id) if id_}
    outside = (referred | set(write.read_ids)) - {node.id for node in (*derived, *write.entities)}
    keys = keys_of(tx.db, outside)
    if len(keys) < len(outside):
        raise StaleWrite("something that the extraction rests on was deleted")
    return keys


def link_derived(tx: Transaction, write: ExtractionWrite, keys: dict[str, int]) -> None:
    """Stores the edges that events and statements imply and those that nothing implies, and counts mentions."""
    stating: defaultdict[str, list[str]] = defaultdict(list)
    for statement in write.statements:
        if statement.event_id:
            stating[statement.event_id].append(statement.id)
    rows: list[EdgeValues] = []
    for event in write.events:
        rows += event_edges(keys[event.id], event, stating[event.id], keys)
    mentions: list[EdgeValues] = []
    stated = [row for statement in write.statements for row in statement_edges(keys[statement.id], statement, keys)]
    for edge in stated + heeding_decisions(tx.db, explicit_edges(write.edges, keys)):
        (mentions if edge[1] == EdgeKind.MENTIONS else rows).append(edge)
    insert_edges(tx, rows)
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
    store_vectors(tx, {passages[place]: (vector, digests[place]) for place, vector in given.items() if place in passages})


def _advance(tx: Transaction, row: JobRow, session: SessionRow, write: ExtractionWrite) -> None:
    passed = tx.db.execute(
        f"SELECT count(*) FROM nodes WHERE kind = {NodeKind.MESSAGE:d} AND session = ? AND seq > ? AND seq <= ?",
        (session.key, write.expected_watermark, write.watermark),
    ).get
    tx.db.execute("UPDATE sessions SET extracted_seq = ? WHERE key = ?", (write.watermark, session.key))
    save_job(tx, progressed(row, tx.now, passed, write.partial_failures))
    tx.step()
