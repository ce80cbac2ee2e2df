"""Committing an extraction: events and watermark in one transaction, if all that the worker read still holds."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC
from zoneinfo import ZoneInfo

from graph.errors import StaleWrite
from graph.model import EdgeKind, Event, Lease, NodeKind, Statement
from graph.store.candidates import StatisticsGroup
from graph.store.memory_rows import MemoryRow, memory_row
from graph.store.neo4j.driver.change_log import Operation
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.generations import ENDING
from graph.store.neo4j.jobs.job_rows import save_job
from graph.store.neo4j.jobs.leases import held_job
from graph.store.neo4j.links import heeding_decisions
from graph.store.neo4j.rows.edge_rows import EdgeRow, NodeRef, event_edges, explicit_edges, statement_edges
from graph.store.neo4j.rows.entity_rows import count_mentions, resolve_entities
from graph.store.neo4j.rows.namespace_rows import namespace_of
from graph.store.neo4j.rows.node_properties import passage_key
from graph.store.neo4j.rows.node_rows import Placed, Properties, event_properties, labels_of, statement_properties
from graph.store.neo4j.rows.node_writer import Writer, create_edges, create_nodes, create_spans, set_vectors
from graph.store.neo4j.rows.references import refs_of
from graph.store.neo4j.rows.search_columns import memory_columns, passage_columns, span_nodes
from graph.store.neo4j.rows.search_tokens import facets_text
from graph.store.neo4j.rows.session_rows import session_row
from graph.store.neo4j.rows.usage_rows import add_usage
from graph.store.port import ExtractionWrite, Float16Vector
from graph.store.rules.jobs import JobRow, progressed
from graph.store.rules.sessions import SessionRow
from graph.store.rules.spec_rules import takes_vectors, waits_for_vectors
from graph.store.rules.vector_checks import checked_vector
from graph.text import index_statement

Refs = Mapping[str, NodeRef]

_ZONE = "OPTIONAL MATCH (s:Session {namespace: $namespace, name: $at.session}) RETURN properties(n), s.time_zone"


async def commit_extraction(handle: Handle, lease: Lease, write: ExtractionWrite) -> int:
    """See `Memory.commit_extraction`."""
    properties, time_zone = await handle.row(_ZONE, {"at": {"session": lease.job.session}})
    dimension = namespace_of(properties).embedding.dimension
    for index, item in enumerate(write.vectors):
        checked_vector(item.vector, dimension, f"vectors[{index}]")
    zone = ZoneInfo(time_zone) if time_zone else UTC
    columns = await handle.database.run(lambda: {s.id: memory_row(index_statement(s, zone)) for s in write.statements})

    async def work(tx: Transaction) -> int:
        row = await held_job(tx, lease)
        session = await _expected_session(tx, row, write)
        await _write_nodes(tx, session, write, columns)
        await add_usage(tx, write.usage)
        await _advance(tx, row, session, write)
        return tx.revision

    return await handle.write(work)


async def _expected_session(tx: Transaction, row: JobRow, write: ExtractionWrite) -> SessionRow:
    """The session, as the worker saw it. Raises StaleWrite."""
    session = await session_row(tx, row.session)
    if session is None:
        raise StaleWrite("the session is gone")
    if session.extracted_seq != write.expected_watermark:
        raise StaleWrite("the session was extracted further by another write")
    if not write.expected_watermark <= write.watermark <= session.last_seq:
        raise StaleWrite("the watermark lies beyond the session's messages")
    generation = tx.namespace.generation
    if (generation.number if generation else 0) != write.generation or (generation and generation.extractor == ENDING):
        raise StaleWrite("another generation has begun")
    return session


async def _write_nodes(tx: Transaction, session: SessionRow, write: ExtractionWrite, columns: Mapping[str, MemoryRow]) -> None:
    """Stores entities, statements and events with their edges and vectors."""
    refs = await _existing(tx, write)
    refs |= await resolve_entities(tx, write.entities)
    derived: tuple[Statement | Event, ...] = (*write.statements, *write.events)
    kinds = [node.kind if isinstance(node, Statement) else NodeKind.EVENT for node in derived]
    refs |= {node.id: NodeRef(kind, key) for node, kind, key in zip(derived, kinds, tx.keys(len(derived)), strict=True)}
    if derived:
        tx.changed(Operation.ADDED, [refs[node.id].key for node in derived])
    await _create_statements(tx, session, write, columns, refs)
    places = [Placed(tx.name, refs[event.id].key, session.key, tx.now, write.generation) for event in write.events]
    events = [replace(event, session=session.name) for event in write.events]
    await create_nodes(tx, NodeKind.EVENT, [event_properties(event, place) for event, place in zip(events, places, strict=True)])
    await link_derived(tx, write, refs, await heeding_decisions(tx, explicit_edges(write.edges, refs)))
    await _embed(tx, write, columns, refs)


async def _existing(tx: Transaction, write: ExtractionWrite) -> dict[str, NodeRef]:
    """The nodes outside this write that it refers to. Raises StaleWrite when one is gone."""
    derived: tuple[Statement | Event, ...] = (*write.statements, *write.events)
    referred = {id_ for node in derived for id_ in node.evidence_ids}
    referred |= {id_ for node in write.statements for id_ in node.entity_ids}
    referred |= {part.entity_id for event in write.events for part in event.participants}
    referred |= {id_ for event in write.events for id_ in event.statement_ids}
    referred |= {id_ for edge in write.edges for id_ in (edge.source_id, edge.target_id, edge.via_id) if id_}
    outside = (referred | set(write.read_ids)) - {node.id for node in (*derived, *write.entities)}
    refs = await refs_of(tx, outside)
    if len(refs) < len(outside):
        raise StaleWrite("something that the extraction rests on was deleted")
    return refs


_LABELS = """UNWIND $at.keys AS key MATCH (m:Message {namespace: $namespace, key: key}) WHERE m.label_names IS NOT NULL
    RETURN collect(m{.key, .label_names, .label_values})"""


async def _create_statements(
    tx: Transaction, session: SessionRow, write: ExtractionWrite, columns: Mapping[str, MemoryRow], refs: Refs
) -> None:
    keys = sorted({refs[id_].key for statement in write.statements for id_ in statement.evidence_ids})
    [[labelled]] = await tx.rows(_LABELS, {"keys": keys}) if keys else [[[]]]
    labels = {row["key"]: labels_of(row) for row in labelled}
    waits = waits_for_vectors(tx.namespace.embedding)
    nodes: defaultdict[NodeKind, list[Properties]] = defaultdict(list)
    spans: defaultdict[NodeKind, list[Properties]] = defaultdict(list)
    for statement in write.statements:
        row, key = columns[statement.id], refs[statement.id].key
        evidence = list(dict.fromkeys(refs[id_].key for id_ in statement.evidence_ids))
        place = Placed(tx.name, key, session.key, tx.now, write.generation)
        node = statement_properties(replace(statement, session=session.name), place, evidence)
        facets = facets_text(tx.token, statement.kind, session.name, statement.speaker, [labels.get(k, {}) for k in evidence])
        node |= memory_columns(row) | passage_columns(tx.token, statement.kind, row.passages[0], facets, waits=waits)
        nodes[statement.kind].append(node)
        spans[statement.kind] += span_nodes(tx.name, key, row.spans)
        tx.count_passage(StatisticsGroup.STATEMENTS, row.passages[0].terms, row.passages[0].length)
    for kind, some in nodes.items():
        await create_nodes(tx, kind, some)
        await create_spans(tx, kind, spans[kind])


async def link_derived(writer: Writer, write: ExtractionWrite, refs: Refs, explicit: list[EdgeRow]) -> None:
    """Stores the edges that events and statements imply and those that nothing implies, and counts mentions."""
    stating: defaultdict[str, list[str]] = defaultdict(list)
    for statement in write.statements:
        if statement.event_id:
            stating[statement.event_id].append(statement.id)
    edges = [edge for event in write.events for edge in event_edges(event, stating[event.id], refs)]
    edges += [edge for statement in write.statements for edge in statement_edges(statement, refs)]
    edges += explicit
    mentions = [edge for edge in edges if edge.kind is EdgeKind.MENTIONS]
    await create_edges(writer, [edge for edge in edges if edge.kind is not EdgeKind.MENTIONS])
    named = Counter(ref.key for ref in await create_edges(writer, mentions))
    await count_mentions(writer, named.items())


async def _embed(tx: Transaction, write: ExtractionWrite, columns: Mapping[str, MemoryRow], refs: Refs) -> None:
    if not takes_vectors(tx.namespace.embedding):
        return
    by_kind: defaultdict[NodeKind, dict[int, Float16Vector]] = defaultdict(dict)
    for item in write.vectors:
        if item.owner_id in columns and item.ordinal == 0:
            by_kind[refs[item.owner_id].kind][refs[item.owner_id].key] = item.vector.astype("f2")
    for kind, vectors in by_kind.items():
        await set_vectors(tx, kind, tx.namespace.embedding.dimension, vectors)
        tx.changed(Operation.EMBEDDED, [passage_key(key, 0) for key in vectors])


_PASSED = """MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = $at.session AND m.seq > $at.after AND m.seq <= $at.upto
    RETURN count(m)"""
_ADVANCE = "MATCH (s:Session {namespace: $namespace, name: $at.session}) SET s.extracted_seq = $at.watermark"


async def _advance(tx: Transaction, row: JobRow, session: SessionRow, write: ExtractionWrite) -> None:
    [[passed]] = await tx.rows(_PASSED, {"session": session.name, "after": write.expected_watermark, "upto": write.watermark})
    await tx.execute(_ADVANCE, {"session": session.name, "watermark": write.watermark})
    save_job(tx, progressed(row, tx.now, passed, write.partial_failures))
    tx.step()
