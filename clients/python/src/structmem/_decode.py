"""From messages of the contract to the client's data: nodes, edges and times."""

from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from google.protobuf.timestamp_pb2 import Timestamp

from structmem._inputs import TimeRange
from structmem._kinds import EdgeKind, EntityKind, ErrorReason, Granularity, NodeKind, Role, SummaryLevel
from structmem._nodes import (
    Edge,
    EdgeDecision,
    Entity,
    Event,
    Message,
    MessageVersion,
    Node,
    Participant,
    Seed,
    Session,
    Statement,
    Summary,
    SummarySentence,
    Supersession,
    TimeSpan,
)
from structmem.v1 import error_reason_pb2, node_pb2, time_pb2

E = TypeVar("E", bound=StrEnum)
EnumNames = Any  # a generated enum: a wrapper when it runs, a class to the type checker


def kind(cls: type[E], names: EnumNames, number: int) -> E:
    """The member of `cls` for a number of the contract's enum; UNSPECIFIED for one that this client does not know."""
    prefix = names.Name(0).removesuffix("UNSPECIFIED")
    try:
        return cls(names.Name(number).removeprefix(prefix).lower())
    except ValueError:
        return cls("unspecified")


def error_reason(number: int) -> ErrorReason:
    """The reason of this number; UNSPECIFIED for one that this client does not know."""
    try:
        return ErrorReason(error_reason_pb2.ErrorReason.Name(number).removeprefix("ERROR_REASON_"))  # type: ignore[arg-type]
    except ValueError:
        return ErrorReason.UNSPECIFIED


def moment(holder: object, field: str) -> datetime | None:
    """The aware datetime in a Timestamp field; None when it is unset."""
    if not holder.HasField(field):  # type: ignore[attr-defined]  # any message that has this field
        return None
    value: Timestamp = getattr(holder, field)
    return value.ToDatetime(tzinfo=UTC)


def time_span(span: time_pb2.TimeSpan) -> TimeSpan:
    """A span of time."""
    return TimeSpan(moment(span, "start"), moment(span, "end"), kind(Granularity, time_pb2.Granularity, span.granularity), span.expression)


def node_kind(number: int) -> NodeKind:
    """The kind of a node."""
    return kind(NodeKind, node_pb2.NodeKind, number)


def edge_kind(number: int) -> EdgeKind:
    """The kind of an edge."""
    return kind(EdgeKind, node_pb2.EdgeKind, number)


def session(it: node_pb2.Session) -> Session:
    """A session."""
    return Session(
        id=it.id,
        name=it.name,
        time_zone=it.time_zone,
        message_count=it.message_count,
        first_sent_at=moment(it, "first_sent_at"),
        last_sent_at=moment(it, "last_sent_at"),
        extracted_seq=it.extracted_seq,
        recorded_at=moment(it, "recorded_at"),
    )


def message(it: node_pb2.Message) -> Message:
    """A message."""
    return Message(
        id=it.id,
        session=it.session,
        seq=it.seq,
        client_id=it.client_id,
        speaker=it.speaker,
        role=kind(Role, node_pb2.Role, it.role),
        text=it.text,
        sent_at=moment(it, "sent_at"),
        labels=dict(it.labels),
        image_caption=it.image_caption,
        recorded_at=moment(it, "recorded_at"),
        edited_at=moment(it, "edited_at"),
        earlier_versions=tuple(
            MessageVersion(one.text, moment(one, "written_at"), dict(one.labels), one.image_caption) for one in it.earlier_versions
        ),
    )


def event(it: node_pb2.Event) -> Event:
    """An event."""
    return Event(
        id=it.id,
        session=it.session,
        title=it.title,
        time=time_span(it.time) if it.HasField("time") else None,
        said_at=moment(it, "said_at"),
        statement_ids=tuple(it.statement_ids),
        participants=tuple(Participant(p.entity_id, p.name, p.role) for p in it.participants),
        evidence_ids=tuple(it.evidence_ids),
        recorded_at=moment(it, "recorded_at"),
        retired_at=moment(it, "retired_at"),
        generation=it.generation,
    )


def statement(it: node_pb2.Statement) -> Statement:
    """A fact or relation."""
    return Statement(
        id=it.id,
        kind=node_kind(it.kind),
        session=it.session,
        text=it.text,
        speaker=it.speaker,
        predicate=it.predicate,
        subject=it.subject,
        object=it.object,
        event_id=it.event_id,
        entity_ids=tuple(it.entity_ids),
        evidence_ids=tuple(it.evidence_ids),
        time=time_span(it.time) if it.HasField("time") else None,
        said_at=moment(it, "said_at"),
        recorded_at=moment(it, "recorded_at"),
        retired_at=moment(it, "retired_at"),
        generation=it.generation,
        confidence=it.confidence,
        superseded_by=supersession(it.superseded_by) if it.HasField("superseded_by") else None,
    )


def supersession(it: node_pb2.Supersession) -> Supersession:
    """What replaced a statement."""
    return Supersession(it.node_id, moment(it, "valid_from"), moment(it, "known_at"), it.reason, it.confidence)


def entity(it: node_pb2.Entity) -> Entity:
    """An entity."""
    return Entity(
        id=it.id,
        name=it.name,
        kind=kind(EntityKind, node_pb2.EntityKind, it.kind),
        aliases=tuple(it.aliases),
        mention_count=it.mention_count,
        recorded_at=moment(it, "recorded_at"),
    )


def summary(it: node_pb2.Summary) -> Summary:
    """A summary."""
    return Summary(
        id=it.id,
        level=kind(SummaryLevel, node_pb2.SummaryLevel, it.level),
        title=it.title,
        sentences=tuple(SummarySentence(one.text, tuple(one.source_ids)) for one in it.sentences),
        member_ids=tuple(it.member_ids),
        time=time_span(it.time) if it.HasField("time") else None,
        said_from=moment(it, "said_from"),
        said_to=moment(it, "said_to"),
        recorded_at=moment(it, "recorded_at"),
        consolidated_at=moment(it, "consolidated_at"),
        stale_since=moment(it, "stale_since"),
        consolidator=it.consolidator,
        generation=it.generation,
        sessions=tuple(it.sessions),
        names=tuple(it.names),
        seeds=tuple(Seed(one.event_id, one.similarity) for one in it.seeds),
        calls=tuple(it.calls),
    )


def is_known(it: node_pb2.Node) -> bool:
    """Whether it is of a kind that this client knows; what a later service has besides is left out of its lists."""
    return it.WhichOneof("kind") is not None


def is_memory(it: node_pb2.Node) -> bool:
    """Whether it is a node that retrieval returns, of a kind that this client knows."""
    return it.WhichOneof("kind") in ("message", "statement")


def node(it: node_pb2.Node) -> Node:
    """Any node. Raises ValueError for a kind of node that this client does not know."""
    match it.WhichOneof("kind"):
        case "session":
            return session(it.session)
        case "message":
            return message(it.message)
        case "event":
            return event(it.event)
        case "statement":
            return statement(it.statement)
        case "entity":
            return entity(it.entity)
        case "summary":
            return summary(it.summary)
        case _:
            raise ValueError("a node of a kind that this client does not know")


def memory(it: node_pb2.Node) -> Message | Statement:
    """A node that retrieval returns."""
    found = node(it)
    if not isinstance(found, Message | Statement):
        raise ValueError("a hit that is no message, fact or relation")
    return found


def edges(them: Iterable[node_pb2.Edge]) -> tuple[Edge, ...]:
    """Edges."""
    return tuple(map(edge, them))


def edge(it: node_pb2.Edge) -> Edge:
    """An edge."""
    return Edge(
        kind=edge_kind(it.kind),
        source_id=it.source_id,
        target_id=it.target_id,
        via_id=it.via_id,
        role=it.role,
        predicate=it.predicate,
        valid=TimeRange(moment(it.valid, "start"), moment(it.valid, "end")) if it.HasField("valid") else None,
        confidence=it.confidence if it.HasField("confidence") else None,
        reason=it.reason,
        decision=_decision(it.decision) if it.HasField("decision") else None,
        properties=dict(it.properties),
        similarity=it.similarity if it.HasField("similarity") else None,
        known_at=moment(it, "known_at"),
        reverted=_decision(it.reverted) if it.HasField("reverted") else None,
    )


def _decision(it: node_pb2.EdgeDecision) -> EdgeDecision:
    return EdgeDecision(moment(it, "decided_at"), it.decided_by)
