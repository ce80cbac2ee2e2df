"""Nodes and edges as a query sees them: labels, types and properties.

They have the names that they have in Neo4j, so that a query works on both: times are `…_at`, microseconds since 1970, and where people look
`…_on`, a datetime; kinds and roles are the names of their enumerations; what would be empty is not there.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from graph.cypher.values import CypherValue
from graph.model import Edge, Entity, Event, Message, Node, NodeKind, Session, Statement, Summary, TimeSpan, to_micros

LABELS = {
    NodeKind.SESSION: "Session",
    NodeKind.MESSAGE: "Message",
    NodeKind.EVENT: "Event",
    NodeKind.FACT: "Fact",
    NodeKind.RELATION: "Relation",
    NodeKind.ENTITY: "Entity",
    NodeKind.SUMMARY: "Summary",
}
_WHOLE_NUMBERS = frozenset({"order", "seq"})

Row = Mapping[str, CypherValue]


def node_row(namespace: str, node: Node) -> Row:
    """The properties of a node."""
    row: dict[str, Any] = {"namespace": namespace, "id": node.id, "recorded_at": to_micros(node.recorded_at)}
    match node:
        case Session():
            row |= {
                "name": node.name,
                "time_zone": node.time_zone,
                "message_count": node.message_count,
                "extracted_seq": node.extracted_seq,
            }
            row |= {"first_sent_at": _micros(node.first_sent_at), "last_sent_at": _micros(node.last_sent_at)}
        case Message():
            row |= _message(node)
        case Event():
            row |= {"session": node.session, "title": node.title, "generation": node.generation, "retired_at": _micros(node.retired_at)}
            row |= _times(node.said_at, node.time)
        case Statement():
            row |= _statement(node)
        case Entity():
            row |= {"name": node.name, "kind": node.kind.name, "aliases": list(node.aliases), "mention_count": node.mention_count}
        case Summary():
            row |= _summary(node)
    return {key: value for key, value in row.items() if value is not None and value != "" and value != []}


def edge_row(edge: Edge) -> Row:
    """The ends and the properties of an edge."""
    properties: dict[str, Any] = {
        key: int(text) if key in _WHOLE_NUMBERS and text.isdigit() else text for key, text in edge.properties.items()
    }
    if edge.via_id:
        properties["via_id"] = edge.via_id
    return {"source": edge.source_id, "target": edge.target_id, "properties": properties}


def _message(node: Message) -> dict[str, Any]:
    return {
        "session": node.session,
        "seq": node.seq,
        "speaker": node.speaker,
        "role": node.role.name,
        "text": node.text,
        "sent_at": to_micros(node.sent_at),
        "said_at": to_micros(node.sent_at),
        "said_on": node.sent_at,
        "client_id": node.client_id,
        "label_names": list(node.labels),
        "label_values": list(node.labels.values()),
        "image_caption": node.image_caption,
        "kind": "MESSAGE",
    }


def _statement(node: Statement) -> dict[str, Any]:
    return {
        "kind": node.kind.name,
        "session": node.session,
        "speaker": node.speaker,
        "text": node.text,
        "predicate": node.predicate,
        "subject": node.subject,
        "object": node.object,
        "confidence": node.confidence,
        "generation": node.generation,
        "retired_at": _micros(node.retired_at),
        **_times(node.said_at, node.time),
    }


def _summary(node: Summary) -> dict[str, Any]:
    times = _times(node.said_from, node.time)
    del times["said_at"]
    return times | {
        "level": node.level.name,
        "title": node.title,
        "text": node.text,
        "sentences": [sentence.text for sentence in node.sentences],
        "sentence_sources": [" ".join(sentence.source_ids) for sentence in node.sentences],
        "sessions": list(node.sessions),
        "names": list(node.names),
        "said_from": to_micros(node.said_from),
        "said_to": to_micros(node.said_to),
        "consolidated_at": to_micros(node.consolidated_at),
        "consolidator": node.consolidator,
        "generation": node.generation,
        "stale_since": _micros(node.stale_since),
    }


def _times(said_at: datetime, span: TimeSpan | None) -> dict[str, Any]:
    """When it was said, and when it happened: when it was said, where that is not known."""
    times: dict[str, Any] = {"said_at": to_micros(said_at), "said_on": said_at}
    if span is None:
        return times | {"starts_at": to_micros(said_at), "ends_at": to_micros(said_at)}
    known = {"time_granularity": span.granularity.name, "time_expression": span.expression, "happened_on": span.start}
    return times | known | {"starts_at": to_micros(span.start), "ends_at": to_micros(span.end)}


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else to_micros(moment)
