"""The nodes and edges of the memory graph, as frozen data. Every datetime is aware and in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from structmem._inputs import TimeRange
from structmem._kinds import EdgeKind, EntityKind, Granularity, NodeKind, Role


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """When something happened: `start <= t < end`; None is an open end. `expression` holds the words that said so."""

    start: datetime | None
    end: datetime | None
    granularity: Granularity
    expression: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation; requests name it by `name`. Messages up to `extracted_seq` have been extracted."""

    id: str
    name: str
    time_zone: str
    message_count: int
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    extracted_seq: int
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class Message:
    """One turn, verbatim. `session` is the session's name, `seq` counts from 1 in it."""

    id: str
    session: str
    seq: int
    client_id: str
    speaker: str
    role: Role
    text: str
    sent_at: datetime | None
    labels: Mapping[str, str] = field(default_factory=dict)
    image_caption: str = ""
    recorded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Participant:
    """How an entity takes part in an event."""

    entity_id: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened or was said at one place in time; it binds facts and relations."""

    id: str
    session: str
    title: str
    time: TimeSpan | None
    said_at: datetime | None
    statement_ids: tuple[str, ...]
    participants: tuple[Participant, ...]
    evidence_ids: tuple[str, ...]
    recorded_at: datetime | None
    retired_at: datetime | None
    generation: int


@dataclass(frozen=True, slots=True)
class Statement:
    """A fact or a relation (`kind`): one statement that stands on its own."""

    id: str
    kind: NodeKind
    session: str
    text: str
    speaker: str
    predicate: str
    subject: str
    object: str
    event_id: str
    entity_ids: tuple[str, ...]
    evidence_ids: tuple[str, ...]
    time: TimeSpan | None
    said_at: datetime | None
    recorded_at: datetime | None
    retired_at: datetime | None
    generation: int
    confidence: float


@dataclass(frozen=True, slots=True)
class Entity:
    """A person, place, organization, thing or concept that statements name."""

    id: str
    name: str
    kind: EntityKind
    aliases: tuple[str, ...]
    mention_count: int
    recorded_at: datetime | None


Node = Session | Message | Event | Statement | Entity


@dataclass(frozen=True, slots=True)
class EdgeDecision:
    """That somebody decided an edge: when, and under the name of which token."""

    decided_at: datetime | None
    decided_by: str


@dataclass(frozen=True, slots=True)
class Edge:
    """A directed edge.

    Attributes:
        via_id: the node that states it; empty when there is none.
        role: of INVOLVES, the entity's part in the event.
        predicate: of RELATES, what is stated.
        valid: of RELATES, when it is or was true in the world; None when the conversation does not tell.
        confidence: of SAME_AS and DIFFERENT_FROM, how sure whoever says so is, from 0 to 1; None where nobody says.
        reason: of the same, why the two are taken for one.
        decision: of the same, who decided it; None where an extraction proposes it.
        properties: what else an extraction notes about it.
    """

    kind: EdgeKind
    source_id: str
    target_id: str
    via_id: str = ""
    role: str = ""
    predicate: str = ""
    valid: TimeRange | None = None
    confidence: float | None = None
    reason: str = ""
    decision: EdgeDecision | None = None
    properties: Mapping[str, str] = field(default_factory=dict)


def kind_of(node: Node) -> NodeKind:
    """The kind of a node."""
    match node:
        case Session():
            return NodeKind.SESSION
        case Message():
            return NodeKind.MESSAGE
        case Event():
            return NodeKind.EVENT
        case Statement():
            return node.kind
        case Entity():
            return NodeKind.ENTITY
