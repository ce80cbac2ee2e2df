"""Nodes of the graph, to the contract. `service.convert.imported` goes the other way."""

from structmem.v1 import node_pb2

from graph.model import DISTANT_PAST, Entity, Event, Message, MessageVersion, Node, Session, Statement, Summary, Supersession
from service.convert.entity_kinds import entity_kind_to_proto
from service.convert.times import span_to_proto, timestamp


def session_to_proto(session: Session) -> node_pb2.Session:
    """A session."""
    return node_pb2.Session(
        id=session.id,
        name=session.name,
        time_zone=session.time_zone,
        message_count=session.message_count,
        first_sent_at=timestamp(session.first_sent_at),
        last_sent_at=timestamp(session.last_sent_at),
        extracted_seq=session.extracted_seq,
        recorded_at=timestamp(session.recorded_at),
    )


def message_to_proto(message: Message, *, whole: bool = False) -> node_pb2.Message:
    """A message; `whole`: with its earlier versions."""
    return node_pb2.Message(
        id=message.id,
        session=message.session,
        seq=message.seq,
        client_id=message.client_id,
        speaker=message.speaker,
        role=node_pb2.Role.ValueType(message.role),
        text=message.text,
        sent_at=timestamp(message.sent_at),
        labels=message.labels,
        image_caption=message.image_caption,
        recorded_at=timestamp(message.recorded_at),
        edited_at=timestamp(message.edited_at) if message.edited_at else None,
        earlier_versions=map(_version_to_proto, message.versions if whole else ()),
    )


def _version_to_proto(version: MessageVersion) -> node_pb2.MessageVersion:
    return node_pb2.MessageVersion(
        text=version.text, written_at=timestamp(version.written_at), labels=version.labels, image_caption=version.image_caption
    )


def event_to_proto(event: Event) -> node_pb2.Event:
    """An event."""
    return node_pb2.Event(
        id=event.id,
        session=event.session,
        title=event.title,
        time=span_to_proto(event.time),
        said_at=timestamp(event.said_at),
        statement_ids=event.statement_ids,
        participants=[node_pb2.Participant(entity_id=p.entity_id, name=p.name, role=p.role) for p in event.participants],
        evidence_ids=event.evidence_ids,
        recorded_at=timestamp(event.recorded_at),
        retired_at=timestamp(event.retired_at),
        generation=event.generation,
    )


def statement_to_proto(statement: Statement, superseded_by: Supersession | None = None) -> node_pb2.Statement:
    """A fact or relation, with what replaced it where that is told."""
    return node_pb2.Statement(
        id=statement.id,
        kind=node_pb2.NodeKind.ValueType(statement.kind),
        text=statement.text,
        speaker=statement.speaker,
        predicate=statement.predicate,
        subject=statement.subject,
        object=statement.object,
        event_id=statement.event_id,
        entity_ids=statement.entity_ids,
        evidence_ids=statement.evidence_ids,
        time=span_to_proto(statement.time),
        said_at=timestamp(statement.said_at),
        recorded_at=timestamp(statement.recorded_at),
        retired_at=timestamp(statement.retired_at),
        generation=statement.generation,
        session=statement.session,
        confidence=statement.confidence,
        superseded_by=None if superseded_by is None else supersession_to_proto(superseded_by),
    )


def supersession_to_proto(change: Supersession) -> node_pb2.Supersession:
    """What replaced a memory, without the memory that it replaced; times that no one knows are left unset."""
    return node_pb2.Supersession(
        node_id=change.newer_id,
        valid_from=None if change.valid_from == DISTANT_PAST else timestamp(change.valid_from),
        known_at=None if change.known_at == DISTANT_PAST else timestamp(change.known_at),
        reason=change.reason,
        confidence=change.confidence,
    )


def entity_to_proto(entity: Entity) -> node_pb2.Entity:
    """An entity."""
    return node_pb2.Entity(
        id=entity.id,
        name=entity.name,
        kind=entity_kind_to_proto(entity.kind),
        aliases=entity.aliases,
        mention_count=entity.mention_count,
        recorded_at=timestamp(entity.recorded_at),
    )


def summary_to_proto(summary: Summary) -> node_pb2.Summary:
    """A summary."""
    return node_pb2.Summary(
        id=summary.id,
        level=node_pb2.SummaryLevel.ValueType(summary.level),
        title=summary.title,
        sentences=[node_pb2.SummarySentence(text=one.text, source_ids=one.source_ids) for one in summary.sentences],
        member_ids=summary.member_ids,
        time=span_to_proto(summary.time),
        said_from=timestamp(summary.said_from),
        said_to=timestamp(summary.said_to),
        recorded_at=timestamp(summary.recorded_at),
        consolidated_at=timestamp(summary.consolidated_at),
        stale_since=timestamp(summary.stale_since),
        consolidator=summary.consolidator,
        generation=summary.generation,
        sessions=summary.sessions,
        names=summary.names,
        seeds=[node_pb2.Seed(event_id=seed.event_id, similarity=seed.similarity) for seed in summary.seeds],
        calls=summary.calls,
    )


def node_to_proto(node: Node, *, whole: bool = False) -> node_pb2.Node:
    """Any node. `whole`: a message with its earlier versions."""
    match node:
        case Session():
            return node_pb2.Node(session=session_to_proto(node))
        case Message():
            return node_pb2.Node(message=message_to_proto(node, whole=whole))
        case Event():
            return node_pb2.Node(event=event_to_proto(node))
        case Statement():
            return node_pb2.Node(statement=statement_to_proto(node))
        case Entity():
            return node_pb2.Node(entity=entity_to_proto(node))
        case Summary():
            return node_pb2.Node(summary=summary_to_proto(node))
