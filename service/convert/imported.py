"""Elements of an export, from the contract: every node, edge, vector and progress record is checked as if a stranger had written it."""

from collections.abc import Mapping, Sequence

import numpy as np
from structmem.v1 import exchange_pb2, node_pb2

from graph.model import Edge, EdgeKind, Entity, EntityKind, Event, Message, NodeKind, Participant, Role, Session, Statement
from graph.model.ids import STATEMENT_KINDS
from graph.store.commands import ExportRecord, PassageVector, SessionProgress
from service.convert.messages import MAX_CAPTION, MAX_CLIENT_ID, MAX_SPEAKER, MAX_TEXT, labels_from_proto
from service.convert.times import span_from_proto
from service.validate import Violations, enum_value, instant, node_id, text, zone_name

MAX_NAME = 200
MAX_STATEMENT = 20_000
MAX_PROPERTY = 1000


def record_from_proto(found: Violations, element: exchange_pb2.ExportElement, dimension: int) -> ExportRecord | None:
    """The record of an element; None after a violation. `dimension` is that of the namespace's vectors."""
    record: ExportRecord | None = None
    match element.WhichOneof("element"):
        case "node":
            record = _node(found, element.node)
        case "edge":
            record = _edge(found, element.edge)
        case "progress":
            record = _progress(found, element.progress)
        case "vector":
            record = _vector(found, element.vector, dimension)
        case other:
            found.add("element", f"{other or 'an empty element'} cannot stand between header and trailer")
    return None if found else record


def _node(found: Violations, node: node_pb2.Node) -> ExportRecord | None:
    match node.WhichOneof("node"):
        case "session":
            return _session(found, node.session)
        case "message":
            return _message(found, node.message)
        case "event":
            return _event(found, node.event)
        case "statement":
            return _statement(found, node.statement)
        case "entity":
            return _entity(found, node.entity)
        case _:
            found.add("element.node", "is empty")
            return None


def _session(found: Violations, session: node_pb2.Session) -> Session:
    at = "element.node.session"
    return Session(
        id=node_id(found, f"{at}.id", session.id, {NodeKind.SESSION}),
        name=text(found, f"{at}.name", session.name, MAX_NAME),
        recorded_at=instant(found, f"{at}.recorded_at", session.recorded_at),
        time_zone=zone_name(found, f"{at}.time_zone", session.time_zone),
        message_count=_count(found, f"{at}.message_count", session.message_count),
        first_sent_at=instant(found, f"{at}.first_sent_at", session.first_sent_at) if session.HasField("first_sent_at") else None,
        last_sent_at=instant(found, f"{at}.last_sent_at", session.last_sent_at) if session.HasField("last_sent_at") else None,
        extracted_seq=_count(found, f"{at}.extracted_seq", session.extracted_seq),
    )


def _message(found: Violations, message: node_pb2.Message) -> Message:
    at = "element.node.message"
    return Message(
        id=node_id(found, f"{at}.id", message.id, {NodeKind.MESSAGE}),
        session=text(found, f"{at}.session", message.session, MAX_NAME),
        seq=_count(found, f"{at}.seq", message.seq, low=1),
        speaker=text(found, f"{at}.speaker", message.speaker, MAX_SPEAKER),
        role=enum_value(found, f"{at}.role", message.role, Role) or Role.USER,
        text=text(found, f"{at}.text", message.text, MAX_TEXT),
        sent_at=instant(found, f"{at}.sent_at", message.sent_at),
        recorded_at=instant(found, f"{at}.recorded_at", message.recorded_at),
        client_id=text(found, f"{at}.client_id", message.client_id, MAX_CLIENT_ID, required=False),
        labels=labels_from_proto(found, f"{at}.labels", dict(message.labels)),
        image_caption=text(found, f"{at}.image_caption", message.image_caption, MAX_CAPTION, required=False),
    )


def _event(found: Violations, event: node_pb2.Event) -> Event:
    at = "element.node.event"
    return Event(
        id=node_id(found, f"{at}.id", event.id, {NodeKind.EVENT}),
        session=text(found, f"{at}.session", event.session, MAX_NAME),
        title=text(found, f"{at}.title", event.title, MAX_STATEMENT, required=False),
        said_at=instant(found, f"{at}.said_at", event.said_at),
        recorded_at=instant(found, f"{at}.recorded_at", event.recorded_at),
        evidence_ids=_ids(found, f"{at}.evidence_ids", event.evidence_ids, frozenset({NodeKind.MESSAGE})),
        time=span_from_proto(found, f"{at}.time", event.time) if event.HasField("time") else None,
        statement_ids=_ids(found, f"{at}.statement_ids", event.statement_ids, STATEMENT_KINDS),
        participants=tuple(_participant(found, f"{at}.participants[{i}]", part) for i, part in enumerate(event.participants)),
        retired_at=instant(found, f"{at}.retired_at", event.retired_at) if event.HasField("retired_at") else None,
        generation=_count(found, f"{at}.generation", event.generation),
    )


def _participant(found: Violations, at: str, part: node_pb2.Participant) -> Participant:
    return Participant(
        entity_id=node_id(found, f"{at}.entity_id", part.entity_id, {NodeKind.ENTITY}),
        role=text(found, f"{at}.role", part.role, MAX_PROPERTY, required=False),
        name=text(found, f"{at}.name", part.name, MAX_PROPERTY, required=False),
    )


def _statement(found: Violations, statement: node_pb2.Statement) -> Statement:
    at = "element.node.statement"
    kind = enum_value(found, f"{at}.kind", statement.kind, NodeKind)
    if kind not in STATEMENT_KINDS:
        found.add(f"{at}.kind", "must be NODE_KIND_FACT or NODE_KIND_RELATION")
        kind = NodeKind.FACT
    if not 0 <= statement.confidence <= 1:
        found.add(f"{at}.confidence", "must be from 0 to 1")
    return Statement(
        id=node_id(found, f"{at}.id", statement.id, {kind}),
        kind=kind,
        session=text(found, f"{at}.session", statement.session, MAX_NAME),
        text=text(found, f"{at}.text", statement.text, MAX_STATEMENT),
        speaker=text(found, f"{at}.speaker", statement.speaker, MAX_SPEAKER, required=False),
        said_at=instant(found, f"{at}.said_at", statement.said_at),
        recorded_at=instant(found, f"{at}.recorded_at", statement.recorded_at),
        evidence_ids=_ids(found, f"{at}.evidence_ids", statement.evidence_ids, frozenset({NodeKind.MESSAGE})),
        event_id=node_id(found, f"{at}.event_id", statement.event_id, {NodeKind.EVENT}) if statement.event_id else "",
        entity_ids=_ids(found, f"{at}.entity_ids", statement.entity_ids, frozenset({NodeKind.ENTITY})),
        predicate=text(found, f"{at}.predicate", statement.predicate, MAX_PROPERTY, required=False),
        subject=text(found, f"{at}.subject", statement.subject, MAX_PROPERTY, required=False),
        object=text(found, f"{at}.object", statement.object, MAX_STATEMENT, required=False),
        time=span_from_proto(found, f"{at}.time", statement.time) if statement.HasField("time") else None,
        confidence=statement.confidence,
        retired_at=instant(found, f"{at}.retired_at", statement.retired_at) if statement.HasField("retired_at") else None,
        generation=_count(found, f"{at}.generation", statement.generation),
    )


def _entity(found: Violations, entity: node_pb2.Entity) -> Entity:
    at = "element.node.entity"
    return Entity(
        id=node_id(found, f"{at}.id", entity.id, {NodeKind.ENTITY}),
        name=text(found, f"{at}.name", entity.name, MAX_PROPERTY),
        kind=enum_value(found, f"{at}.kind", entity.kind, EntityKind) or EntityKind.UNKNOWN,
        recorded_at=instant(found, f"{at}.recorded_at", entity.recorded_at),
        aliases=tuple(text(found, f"{at}.aliases[{i}]", alias, MAX_PROPERTY) for i, alias in enumerate(entity.aliases)),
        mention_count=_count(found, f"{at}.mention_count", entity.mention_count),
    )


def _edge(found: Violations, edge: node_pb2.Edge) -> Edge | None:
    at = "element.edge"
    kind = enum_value(found, f"{at}.kind", edge.kind, EdgeKind)
    source = node_id(found, f"{at}.source_id", edge.source_id)
    target = node_id(found, f"{at}.target_id", edge.target_id)
    via = node_id(found, f"{at}.via_id", edge.via_id) if edge.via_id else ""
    if kind is None:
        found.add(f"{at}.kind", "is required")
        return None
    return Edge(kind, source, target, via, _properties(found, f"{at}.properties", edge.properties))


def _properties(found: Violations, at: str, properties: Mapping[str, str]) -> dict[str, str]:
    for key, value in properties.items():
        text(found, f"{at}.key", key, MAX_PROPERTY)
        text(found, f"{at}[{key[:100]}]", value, MAX_PROPERTY, required=False)
    return dict(properties)


def _progress(found: Violations, progress: exchange_pb2.SessionProgress) -> SessionProgress:
    at = "element.progress"
    return SessionProgress(
        session=text(found, f"{at}.session", progress.session, MAX_NAME),
        extracted_seq=_count(found, f"{at}.extracted_seq", progress.extracted_seq),
        flush_marks=tuple(_count(found, f"{at}.flush_marks[{i}]", mark, low=1) for i, mark in enumerate(progress.flush_marks)),
    )


def _vector(found: Violations, vector: exchange_pb2.PassageVector, dimension: int) -> PassageVector:
    at = "element.vector"
    if len(vector.float16_values) != dimension * 2:
        found.add(f"{at}.float16_values", f"must be {dimension:,} numbers of 2 bytes; it has {len(vector.float16_values):,} bytes")
        return PassageVector("", 0, np.zeros(0, np.float16))
    numbers = np.frombuffer(vector.float16_values, dtype="<f2").astype(np.float16)
    if not np.isfinite(numbers).all():
        found.add(f"{at}.float16_values", "must hold finite numbers only")
    return PassageVector(node_id(found, f"{at}.owner_id", vector.owner_id), _count(found, f"{at}.ordinal", vector.ordinal), numbers)


def _ids(found: Violations, at: str, ids: Sequence[str], kinds: frozenset[NodeKind]) -> tuple[str, ...]:
    return tuple(node_id(found, f"{at}[{index}]", value, kinds) for index, value in enumerate(ids))


def _count(found: Violations, at: str, value: int, low: int = 0) -> int:
    if value < low:
        found.add(at, f"must be at least {low}")
    return value
