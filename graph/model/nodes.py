"""The nodes of the memory graph: plain, frozen data.

Three times, never confused: *valid* (`time`: true in the world), *said* (`said_at` or `sent_at`: when it became known in the
conversation) and *recorded* (`recorded_at`, `retired_at`: when this system stored it, and when it stopped believing it).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from graph.model.ids import NodeKind
from graph.model.summaries import Summary
from graph.model.times import TimeSpan


class Role(IntEnum):
    """Who speaks, as chat APIs use the word. The numbers are those of the contract."""

    USER = 1
    ASSISTANT = 2
    SYSTEM = 3
    TOOL = 4


class EntityKind(IntEnum):
    """What an entity is. The numbers are those of the contract."""

    UNKNOWN = 0
    PERSON = 1
    PLACE = 2
    ORGANISATION = 3
    THING = 4
    CONCEPT = 5


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation. `name` is its writer's, unique in the namespace; requests name sessions by it."""

    id: str
    name: str
    recorded_at: datetime
    time_zone: str = ""
    message_count: int = 0
    first_sent_at: datetime | None = None
    last_sent_at: datetime | None = None
    extracted_seq: int = 0


@dataclass(frozen=True, slots=True)
class MessageVersion:
    """What a message said before its writer edited it. `written_at`: when it was sent or, if it is an edit itself, edited."""

    text: str
    written_at: datetime
    labels: Mapping[str, str] = field(default_factory=dict)
    image_caption: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn, verbatim: the source of truth, rewritten by nobody but its writer.

    `session` is the session's name, `seq` counts from 1 in it.
    `edited_at`: when its writer wrote what it says now, None if nothing was edited; `versions` are what it said before, oldest first.
    """

    id: str
    session: str
    seq: int
    speaker: str
    role: Role
    text: str
    sent_at: datetime
    recorded_at: datetime
    client_id: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    image_caption: str = ""
    edited_at: datetime | None = None
    versions: tuple[MessageVersion, ...] = ()


@dataclass(frozen=True, slots=True)
class Participant:
    """How an entity takes part in an event: speaker, subject, object, place, ..."""

    entity_id: str
    role: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened or was said at one place in time; binds the facts and relations that share an anchor."""

    id: str
    session: str
    title: str
    said_at: datetime
    recorded_at: datetime
    evidence_ids: tuple[str, ...]
    time: TimeSpan | None = None
    statement_ids: tuple[str, ...] = ()
    participants: tuple[Participant, ...] = ()
    retired_at: datetime | None = None
    generation: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """A fact or a relation (`kind`): one statement of an event that stands on its own."""

    id: str
    kind: NodeKind
    session: str
    text: str
    speaker: str
    said_at: datetime
    recorded_at: datetime
    evidence_ids: tuple[str, ...]
    event_id: str = ""
    entity_ids: tuple[str, ...] = ()
    predicate: str = ""
    subject: str = ""
    object: str = ""
    time: TimeSpan | None = None
    confidence: float = 1.0
    retired_at: datetime | None = None
    generation: int = 0

    def says_the_same_as(self, other: "Statement") -> bool:
        """Whether the two are of one event and state the same, as the fact "works at Colibri as a designer" and "works for Colibri" do."""
        if self.event_id != other.event_id:
            return False
        short, long = sorted((self.object, other.object), key=len)
        verbs = {one.predicate.partition("_")[0] for one in (self, other)}
        alike = bool(short) and long.startswith(short) and self.subject == other.subject and len(verbs) == 1
        return self.text == other.text or alike


@dataclass(frozen=True, slots=True)
class Entity:
    """A person, place, organisation, thing or concept that statements name."""

    id: str
    name: str
    kind: EntityKind
    recorded_at: datetime
    aliases: tuple[str, ...] = ()
    mention_count: int = 0


Node = Session | Message | Event | Statement | Entity | Summary


def kind_of_node(node: Node) -> NodeKind:
    """The kind of a node."""
    match node:
        case Statement():
            return node.kind
        case Session():
            return NodeKind.SESSION
        case Message():
            return NodeKind.MESSAGE
        case Event():
            return NodeKind.EVENT
        case Entity():
            return NodeKind.ENTITY
        case Summary():
            return NodeKind.SUMMARY
