"""Messages, events and statements as rows of `nodes`, and the edges that they imply."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from graph.model import Edge, Event, Message, Statement, TimeSpan, to_micros
from graph.store.embedded.rows.node_bodies import event_body, message_body, statement_body
from graph.store.embedded.rows.node_keys import id_columns
from graph.store.embedded.rows.node_writer import EdgeValues, NodeValues
from graph.store.memory_rows import MemoryRow
from graph.store.rules.listed_edges import ListedEdge


@dataclass(frozen=True, slots=True)
class SystemFields:
    """What a store decides of a node, as against what its writer says."""

    key: int
    session: int
    recorded_at: int
    generation: int = 0
    retired_at: int | None = None


def message_values(message: Message, system: SystemFields, columns: MemoryRow) -> NodeValues:
    """The row of a message."""
    uuid, kind = id_columns(message.id)
    sent_at = to_micros(message.sent_at)
    head = (system.key, uuid, kind, system.session, message.seq, message.speaker, int(message.role), sent_at, sent_at, sent_at)
    return (*head, system.recorded_at, None, 0, columns.features, columns.spans, message.client_id or None, message_body(message))


def event_values(event: Event, system: SystemFields) -> NodeValues:
    """The row of an event."""
    uuid, kind = id_columns(event.id)
    said_at = to_micros(event.said_at)
    starts_at, ends_at = _valid(event.time, said_at)
    head = (system.key, uuid, kind, system.session, 0, None, 0, said_at, starts_at, ends_at)
    return (*head, system.recorded_at, system.retired_at, system.generation, 0, None, None, event_body(event))


def statement_values(statement: Statement, system: SystemFields, columns: MemoryRow) -> NodeValues:
    """The row of a statement."""
    uuid, kind = id_columns(statement.id)
    said_at = to_micros(statement.said_at)
    starts_at, ends_at = _valid(statement.time, said_at)
    head = (system.key, uuid, kind, system.session, 0, statement.speaker, 0, said_at, starts_at, ends_at)
    tail = (columns.features, columns.spans, None, statement_body(statement))
    return (*head, system.recorded_at, system.retired_at, system.generation, *tail)


def _valid(time: TimeSpan | None, said_at: int) -> tuple[int, int]:
    return (to_micros(time.start), to_micros(time.end)) if time else (said_at, said_at)


def edge_values(edge: ListedEdge[int]) -> EdgeValues:
    """The row of an edge that a node's lists imply."""
    properties = orjson.dumps(edge.properties).decode() if edge.properties else None
    return (edge.source, int(edge.kind), edge.order, edge.target, 0, properties)


def explicit_edges(edges: Sequence[Edge], keys: Mapping[str, int]) -> list[EdgeValues]:
    """Edges that no node implies."""
    rows: list[EdgeValues] = []
    for edge in edges:
        properties = orjson.dumps(dict(edge.properties), option=orjson.OPT_SORT_KEYS).decode() if edge.properties else None
        via = keys[edge.via_id] if edge.via_id else 0
        rows.append((keys[edge.source_id], int(edge.kind), int(edge.is_decision), keys[edge.target_id], via, properties))
    return rows
