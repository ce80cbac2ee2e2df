"""Taking the records of an export, kind by kind: nodes first, each with its edges to what came before it, and vectors last."""

from collections import defaultdict
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from graph.model import (
    Edge,
    EdgeKind,
    Entity,
    Event,
    Message,
    Namespace,
    NodeKind,
    Role,
    Session,
    Statement,
    Summary,
    SummaryLevel,
    kind_of_node,
    to_micros,
)
from graph.store.import_analysis import ImportAnalysis
from graph.store.memory_rows import MemoryRow, MemorySource, source_of
from graph.store.neo4j.driver.bounded_tasks import BoundedTasks
from graph.store.neo4j.driver.database import Database
from graph.store.neo4j.importing.sums import batches, write_sums
from graph.store.neo4j.importing.tally import ImportTally, SessionTally
from graph.store.neo4j.importing.writer import ImportWriter
from graph.store.neo4j.rows.edge_rows import EdgeRow, edge_row, explicit_edges
from graph.store.neo4j.rows.entity_rows import create_entities
from graph.store.neo4j.rows.node_rows import (
    Properties,
    SystemFields,
    event_properties,
    message_properties,
    session_properties,
    statement_properties,
)
from graph.store.neo4j.rows.node_writer import (
    create_edges,
    create_further_passages,
    create_nodes,
    create_spans,
    set_further_vectors,
    set_properties,
    set_vectors,
)
from graph.store.neo4j.rows.search_columns import further_passages, memory_columns, passage_columns, span_nodes
from graph.store.neo4j.rows.search_tokens import facets_text
from graph.store.neo4j.rows.summary_properties import summary_properties, vector_bytes
from graph.store.neo4j.rows.summary_rows import write_summaries
from graph.store.port import ExportRecord, Float16Vector, PassageVector, SessionProgress
from graph.store.rules.consolidating import referred_ids, second_profile
from graph.store.rules.listed_edges import event_edges, statement_edges
from graph.store.rules.spec_rules import waits_for_vectors
from graph.store.rules.vector_checks import checked_vector

# Two transactions at once keep two of the server's cores busy; with three nothing was gained.
_CONCURRENT_WRITES = 2
# The messages of a session come together, so that its node is looked up and locked once.
_MESSAGES = f"""UNWIND $at.groups AS of_session MATCH (s:Session {{namespace: $namespace, key: of_session[0]}})
    UNWIND of_session[1] AS node CREATE (m:Message)-[:IN_SESSION {{seq: node.seq}}]->(s)
    {set_properties("m", NodeKind.MESSAGE)}"""
_NEXT = """UNWIND $at.pairs AS pair
    MATCH (a:Message {namespace: $namespace, key: pair[0]}) MATCH (b:Message {namespace: $namespace, key: pair[1]})
    CREATE (a)-[:NEXT]->(b)"""
_SUMMARY_VECTORS = "UNWIND $at.rows AS row MATCH (s:Summary {namespace: $namespace, key: row[0]}) SET s.v16 = row[1]"
_Write = Callable[[Sequence[MemoryRow]], Coroutine[Any, Any, None]]


class ImportRecords:
    """Takes the records of an export in their order. Each refers only to those before it; of one kind two batches are written at once."""

    def __init__(self, database: Database, namespace: Namespace, token: str) -> None:
        self._database = database
        self._namespace = namespace
        self._token = token
        self._writer = ImportWriter(database.connection, namespace.name)
        self._writes = BoundedTasks(_CONCURRENT_WRITES)
        self._analysis = ImportAnalysis()
        self._analysed: list[tuple[_Write, Sequence[MemoryRow]]] = []
        self._kind: type | None = None
        self._pairs: list[list[int]] = []
        self.tally = ImportTally()
        self._add: Mapping[type, Callable[[Sequence[Any]], Coroutine[Any, Any, None]]] = {
            Session: self._add_sessions,
            Message: self._add_messages,
            Entity: self._add_entities,
            Statement: self._add_statements,
            Event: self._add_events,
            Summary: self._add_summaries,
            Edge: self._add_edges,
            SessionProgress: self._add_progress,
            PassageVector: self._add_vectors,
        }

    async def add(self, kind: type, records: Sequence[ExportRecord]) -> None:
        """Takes records of one kind.

        Raises:
            InvalidArgument: a record refers to one that did not come before it, or comes twice.
        """
        if kind is not self._kind:
            # What comes after refers to what came before: that must be there by then.
            await self._settle()
            self._kind = kind
        await self._add[kind](records)

    async def complete(self) -> None:
        """Writes what follows from all records."""
        await self._settle()
        await self._database.run(self._analysis.close)
        await write_sums(self._writer, self._namespace, self.tally)

    def unfinished(self) -> list[SessionTally]:
        """Sessions with messages that are yet to be extracted, or with passages that wait for a vector."""
        bare = self.tally.bare.values() if waits_for_vectors(self._namespace.embedding) else ()
        waiting = {session for _, session in bare}
        return [s for s in self.tally.sessions.values() if s.count and (s.extracted_seq < s.last_seq or s.again or s.key in waiting)]

    async def abandon(self) -> None:
        """Ends what is under way."""
        await self._database.run(self._analysis.close)
        await self._writes.cancel()

    async def _settle(self) -> None:
        """Waits until all records so far are written."""
        await self._database.run(self._analysis.complete)
        await self._write_analysed()
        await self._writes.join()
        pairs, self._pairs = self._pairs, []
        for some in batches(pairs):
            await self._writes.start(self._writer.execute(_NEXT, {"pairs": some}))
        await self._writes.join()

    async def _analyse(self, sources: Sequence[MemorySource], write: _Write) -> None:
        """Has texts analysed; `write` gets their rows, now or when the next ones are analysed."""
        await self._database.run(lambda: self._analysis.submit(sources, lambda rows: self._analysed.append((write, rows))))
        await self._write_analysed()

    async def _write_analysed(self) -> None:
        analysed, self._analysed = self._analysed, []
        for write, rows in analysed:
            await self._writes.start(write(rows))

    async def _add_sessions(self, sessions: Sequence[Session]) -> None:
        nodes = []
        for session in sessions:
            key = self.tally.new_key(session.id, NodeKind.SESSION)
            self.tally.begin(session, key)
            recorded_at = to_micros(session.recorded_at)
            nodes.append(session_properties(self._namespace.name, key, session.id, session.name, session.time_zone, recorded_at))
        await self._writes.start(create_nodes(self._writer, NodeKind.SESSION, nodes))

    async def _add_messages(self, messages: Sequence[Message]) -> None:
        keyed: list[tuple[Message, SystemFields, int]] = []
        for message in messages:
            session = self.tally.session(message.session)
            key = self.tally.new_key(message.id, NodeKind.MESSAGE)
            before = session.append(message, key)
            if before:
                self._pairs.append([before, key])
            if message.labels:
                self.tally.labels[key] = message.labels
            self.tally.speakers[message.speaker] += 1
            keyed.append((message, SystemFields(self._namespace.name, key, session.key, to_micros(message.recorded_at)), before))
        zones = [self.tally.session(message.session).time_zone for message in messages]
        sources = [source_of(message, zone) for message, zone in zip(messages, zones, strict=True)]
        await self._analyse(sources, lambda rows: self._write_messages(keyed, rows))

    async def _write_messages(self, keyed: Sequence[tuple[Message, SystemFields, int]], rows: Sequence[MemoryRow]) -> None:
        self.tally.count_passages(NodeKind.MESSAGE, [(p.key, p.session_key, row) for (_, p, _), row in zip(keyed, rows, strict=True)])
        groups, passages, spans = await self._database.run(lambda: self._message_nodes(keyed, rows))
        await self._writer.execute(_MESSAGES, {"groups": groups})
        await create_further_passages(self._writer, NodeKind.MESSAGE, passages)
        await create_spans(self._writer, NodeKind.MESSAGE, spans)

    def _message_nodes(
        self, keyed: Sequence[tuple[Message, SystemFields, int]], rows: Sequence[MemoryRow]
    ) -> tuple[list[list[Any]], list[Properties], list[Properties]]:
        """Messages by session, in the order of the sessions' keys, so that transactions lock them in one order; further passages; spans."""
        groups: defaultdict[int, list[Properties]] = defaultdict(list)
        passages, spans = [], []
        for (message, system, before), row in zip(keyed, rows, strict=True):
            facets = facets_text(self._token, NodeKind.MESSAGE, message.session, message.speaker, [message.labels])
            node = message_properties(message, system, before) | self._searched(NodeKind.MESSAGE, row, facets, message.role)
            groups[system.session_key].append(node)
            passages += further_passages(node, self._token, NodeKind.MESSAGE, row, facets, waits=False)
            spans += span_nodes(system.namespace, system.key, row.spans)
        return [[key, groups[key]] for key in sorted(groups)], passages, spans

    def _searched(self, kind: NodeKind, row: MemoryRow, facets: str, role: Role | None = None) -> Properties:
        return memory_columns(row, role) | passage_columns(self._token, kind, row.passages[0], facets, waits=False)

    async def _add_entities(self, entities: Sequence[Entity]) -> None:
        keyed = []
        for entity in entities:
            key = self.tally.new_key(entity.id, NodeKind.ENTITY)
            keyed.append((entity, SystemFields(self._namespace.name, key, 0, to_micros(entity.recorded_at))))
        await self._writes.start(create_entities(self._writer, self._namespace.name, keyed))

    async def _add_statements(self, statements: Sequence[Statement]) -> None:
        self.tally.known(id_ for s in statements for id_ in (*s.evidence_ids, *s.entity_ids))
        keyed = [(statement, self._system_fields(statement)) for statement in statements]
        for statement in statements:
            if statement.retired_at is None:
                self.tally.mentions.update({self.tally.refs[id_].key for id_ in statement.entity_ids})
        sources = [source_of(s, self.tally.session(s.session).time_zone) for s in statements]
        await self._analyse(sources, lambda rows: self._write_statements(keyed, rows))

    async def _write_statements(self, keyed: Sequence[tuple[Statement, SystemFields]], rows: Sequence[MemoryRow]) -> None:
        nodes: defaultdict[NodeKind, list[Properties]] = defaultdict(list)
        spans: defaultdict[NodeKind, list[Properties]] = defaultdict(list)
        searched: defaultdict[NodeKind, list[tuple[int, int, MemoryRow]]] = defaultdict(list)
        for (statement, system), row in zip(keyed, rows, strict=True):
            kind, current = statement.kind, statement.retired_at is None
            evidence = [self.tally.refs[id_].key for id_ in dict.fromkeys(statement.evidence_ids)]
            node = statement_properties(statement, system, evidence)
            if current:
                labels = [self.tally.labels.get(key, {}) for key in evidence]
                node |= self._searched(kind, row, facets_text(self._token, kind, statement.session, statement.speaker, labels))
                spans[kind] += span_nodes(system.namespace, system.key, row.spans)
                searched[kind].append((system.key, system.session_key, row))
            nodes[kind].append(node | memory_columns(row))
        for kind, counted in searched.items():
            self.tally.count_passages(kind, counted)
        for kind, some in nodes.items():
            await create_nodes(self._writer, kind, some)
            await create_spans(self._writer, kind, spans[kind])
        refs = self.tally.refs
        await self._link([edge_row(edge) for statement, _ in keyed for edge in statement_edges(refs[statement.id], statement, refs)])

    async def _add_events(self, events: Sequence[Event]) -> None:
        self.tally.known(part.entity_id for event in events for part in event.participants)
        self.tally.known(id_ for event in events for id_ in (*event.evidence_ids, *event.statement_ids))
        nodes = [event_properties(event, self._system_fields(event)) for event in events]
        self.tally.unsummarized.update(self.tally.refs[event.id].key for event in events if event.retired_at is None)
        await self._writes.start(self._write_events(events, nodes))

    async def _write_events(self, events: Sequence[Event], nodes: Sequence[Properties]) -> None:
        await create_nodes(self._writer, NodeKind.EVENT, nodes)
        refs = self.tally.refs
        await self._link([edge_row(edge) for event in events for edge in event_edges(refs[event.id], event, refs)])

    async def _add_summaries(self, summaries: Sequence[Summary]) -> None:
        nodes: list[Properties] = []
        for summary in summaries:
            self.tally.known(referred_ids([summary]))
            key = self.tally.new_key(summary.id, NodeKind.SUMMARY)
            self.tally.summaries += 1
            self.tally.stale_summaries += summary.stale_since is not None
            if summary.level is SummaryLevel.PROFILE:
                if self.tally.profile:
                    raise second_profile("records")
                self.tally.profile = summary.id
            self.tally.unsummarized.difference_update(self.tally.refs[member].key for member in summary.member_ids)
            session = self.tally.session(summary.sessions[0]).key if summary.level is SummaryLevel.WINDOW else None
            nodes.append(summary_properties(summary, self._namespace.name, key, session))
        # Those of a higher level are bound to those of the batches before.
        await self._writes.join()
        await self._writes.start(write_summaries(self._writer, summaries, nodes, self.tally.refs))

    async def _add_edges(self, edges: Sequence[Edge]) -> None:
        self.tally.known(id_ for edge in edges for id_ in (edge.source_id, edge.target_id, edge.via_id) if id_)
        rows = explicit_edges(edges, self.tally.refs)
        self.tally.mentions.update(edge.target.key for edge in rows if edge.kind is EdgeKind.MENTIONS)
        # An export holds each edge once; what extractions have to look for first is not looked for here.
        await self._writes.start(self._link([replace(edge, explicit=False) for edge in rows]))

    async def _link(self, edges: Sequence[EdgeRow]) -> None:
        # In the order of the nodes that they lead to, which two transactions may want to lock.
        await create_edges(self._writer, sorted(edges, key=lambda edge: edge.target))

    async def _add_progress(self, progress: Sequence[SessionProgress]) -> None:
        for item in progress:
            session = self.tally.session(item.session)
            session.extracted_seq, session.flush_marks = item.extracted_seq, item.flush_marks
            session.spans = item.spans
            session.again = tuple(seq for seq in item.again if seq <= item.extracted_seq)
            session.last_seq = max(session.last_seq, item.extracted_seq, *item.flush_marks, 0)

    async def _add_vectors(self, vectors: Sequence[PassageVector]) -> None:
        self.tally.known(item.owner_id for item in vectors)
        dimension = self._namespace.embedding.dimension
        for item in vectors:
            checked_vector(item.vector, dimension, "records.vector")
        first: defaultdict[NodeKind, dict[int, Float16Vector]] = defaultdict(dict)
        further: dict[tuple[int, int], Float16Vector] = {}
        of_summaries = [item for item in vectors if self.tally.refs[item.owner_id].kind is NodeKind.SUMMARY]
        if of_summaries:
            rows = [[self.tally.refs[item.owner_id].key, vector_bytes(np.asarray(item.vector, np.float16))] for item in of_summaries]
            await self._writes.start(self._writer.execute(_SUMMARY_VECTORS, {"rows": rows}))
        for item in vectors:
            memory = self.tally.take_vector(item.owner_id, item.ordinal)
            if memory is not None and item.ordinal:
                further[(memory[1], item.ordinal)] = np.asarray(item.vector, np.float16)
            elif memory is not None:
                first[memory[0]][memory[1]] = np.asarray(item.vector, np.float16)
        for kind, some in first.items():
            await self._writes.start(set_vectors(self._writer, kind, dimension, some))
        if further:
            await self._writes.start(set_further_vectors(self._writer, dimension, further))

    def _system_fields(self, node: Statement | Event) -> SystemFields:
        retired_at = None if node.retired_at is None else to_micros(node.retired_at)
        session, key = self.tally.session(node.session), self.tally.new_key(node.id, kind_of_node(node))
        return SystemFields(self._namespace.name, key, session.key, to_micros(node.recorded_at), node.generation, retired_at)
