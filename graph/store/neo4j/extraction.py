"""Committing an extraction: events and watermark in one transaction, if all that the worker read still holds."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from graph.model import CHANGE_KINDS, EdgeKind, Lease, NodeKind, kind_of_node
from graph.store.candidates import StatisticsGroup
from graph.store.memory_rows import MemoryRow
from graph.store.neo4j.changes import storable_changes
from graph.store.neo4j.driver.change_log import Operation
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.generations import open_generation
from graph.store.neo4j.jobs.job_queue import cover_consolidation
from graph.store.neo4j.jobs.job_rows import save_job
from graph.store.neo4j.jobs.leases import held_job
from graph.store.neo4j.links import storable_edges
from graph.store.neo4j.rows.edge_rows import EdgeRow, NodeRef, edge_row, explicit_edges
from graph.store.neo4j.rows.entity_rows import count_mentions, resolve_entities
from graph.store.neo4j.rows.namespace_rows import namespace_of
from graph.store.neo4j.rows.node_properties import passage_key
from graph.store.neo4j.rows.node_rows import Properties, SystemFields, event_properties, labels_of, statement_properties
from graph.store.neo4j.rows.node_writer import create_edges, create_nodes, create_spans, set_vectors
from graph.store.neo4j.rows.references import refs_of
from graph.store.neo4j.rows.search_columns import memory_columns, passage_columns, span_nodes
from graph.store.neo4j.rows.search_tokens import facets_text
from graph.store.neo4j.rows.session_rows import session_row
from graph.store.neo4j.rows.span_rows import insert_spans
from graph.store.neo4j.rows.summary_rows import tell_of_replaced, wait_for_window
from graph.store.neo4j.rows.usage_rows import add_usage
from graph.store.port import ExtractionWrite, Float16Vector
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

Refs = Mapping[str, NodeRef]

_ZONE = "OPTIONAL MATCH (s:Session {namespace: $namespace, name: $at.session}) RETURN properties(n), s.time_zone"


async def commit_extraction(handle: Handle, lease: Lease, write: ExtractionWrite) -> int:
    """See `Memory.commit_extraction`."""
    properties, time_zone = await handle.row(_ZONE, {"at": {"session": lease.job.session}})
    checked_passage_vectors(namespace_of(properties).embedding, write.vectors)
    columns = await handle.database.run(lambda: analysed_statements(write, time_zone or ""))

    async def work(tx: Transaction) -> int:
        job = await held_job(tx, lease)
        session = expected_session(await session_row(tx, job.session), open_generation(tx.namespace), write)
        await _require_unedited(tx, session, write)
        again = await _extracted_again(tx, write.again_ids)
        await _write_nodes(tx, session, write, columns)
        await add_usage(tx, write.usage)
        await _advance(tx, job, session, write, again)
        await insert_spans(tx, [(session.name, write.span)] if write.span else [])
        return tx.revision

    return await handle.write(work)


async def _write_nodes(tx: Transaction, session: SessionRow, write: ExtractionWrite, columns: Mapping[str, MemoryRow]) -> None:
    """Stores entities, statements and events with their edges and vectors."""
    outside = outside_ids(write)
    refs = await refs_of(tx, outside)
    require_all(refs, outside)
    refs |= await resolve_entities(tx, write.entities)
    derived = derived_nodes(write)
    refs |= {node.id: NodeRef(kind_of_node(node), key) for node, key in zip(derived, tx.keys(len(derived)), strict=True)}
    if derived:
        tx.changed(Operation.ADDED, [refs[node.id].key for node in derived])
    await _create_statements(tx, session, write, columns, refs)
    events = [
        event_properties(
            replace(event, session=session.name),
            SystemFields(tx.name, refs[event.id].key, session.key, tx.now, write.generation),
            waits=True,
        )
        for event in write.events
    ]
    await create_nodes(tx, NodeKind.EVENT, events)
    await wait_for_window(tx, session.key, write.events)
    if write.consolidate and write.events:
        await cover_consolidation(tx)
    edges = [edge_row(edge) for edge in derived_edges(write.statements, write.events, refs)]
    explicit = await storable_edges(tx, write.edges, refs)
    if any(edge.kind in CHANGE_KINDS for edge in explicit):
        # What they rest on is read from what is stored.
        await _create_edges(tx, edges)
        edges, explicit = [], await storable_changes(tx, explicit, refs)
        tx.supersessions_changed()
    await _create_edges(tx, edges + explicit_edges(explicit, refs))
    replaced = [refs[edge.target_id] for edge in explicit if replaces(edge)]
    if replaced and await tell_of_replaced(tx, replaced):
        await cover_consolidation(tx)
    await _embed(tx, write, columns, refs)


async def _create_edges(tx: Transaction, edges: Sequence[EdgeRow]) -> None:
    """Stores edges, and counts the mentions among them that were not there."""
    await create_edges(tx, [edge for edge in edges if edge.kind is not EdgeKind.MENTIONS])
    named = await create_edges(tx, [edge for edge in edges if edge.kind is EdgeKind.MENTIONS])
    await count_mentions(tx, Counter(ref.key for ref in named).items())


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
        system = SystemFields(tx.name, key, session.key, tx.now, write.generation)
        node = statement_properties(replace(statement, session=session.name), system, evidence)
        facets = facets_text(tx.token, statement.kind, session.name, statement.speaker, [labels.get(k, {}) for k in evidence])
        node |= memory_columns(row) | passage_columns(tx.token, statement.kind, row.passages[0], facets, waits=waits)
        nodes[statement.kind].append(node)
        spans[statement.kind] += span_nodes(tx.name, key, row.spans)
        tx.count_passage(StatisticsGroup.STATEMENTS, row.passages[0].terms, row.passages[0].length)
    for kind, some in nodes.items():
        await create_nodes(tx, kind, some)
        await create_spans(tx, kind, spans[kind])


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

_EXTRACTED_AGAIN = """UNWIND $at.ids AS id MATCH (m:Message {namespace: $namespace, id: id})
    MATCH (a:AgainMark {namespace: $namespace, session: m.session, seq: m.seq}) DELETE a RETURN count(a)"""


_EDITED = """RETURN EXISTS { MATCH (m:Message) WHERE m.namespace = $namespace AND m.session = $at.session AND m.seq >= $at.first
    AND m.seq <= $at.last AND m.key >= $at.before }"""


async def _require_unedited(tx: Transaction, session: SessionRow, write: ExtractionWrite) -> None:
    """Refuses what was read of a message that has been edited since, and has another key since then. Raises StaleWrite."""
    if write.span is None or not write.read_before:
        return
    span = {"first": write.span.read_from, "last": write.span.last, "before": write.read_before}
    [[edited]] = await tx.rows(_EDITED, {"session": session.name, **span})
    require_unedited(edited)


async def _extracted_again(tx: Transaction, ids: Sequence[str]) -> int:
    """These messages are no longer to be extracted anew; how many were. Raises StaleWrite."""
    if not ids:
        return 0
    [[found]] = await tx.execute(_EXTRACTED_AGAIN, {"ids": list(ids)})
    return require_marked(found, ids)


async def _advance(tx: Transaction, job: JobRow, session: SessionRow, write: ExtractionWrite, again: int) -> None:
    [[passed]] = await tx.rows(_PASSED, {"session": session.name, "after": write.expected_watermark, "upto": write.watermark})
    await tx.execute(_ADVANCE, {"session": session.name, "watermark": write.watermark})
    save_job(tx, progressed(job, tx.now, passed + again, write.partial_failures))
    tx.step()
