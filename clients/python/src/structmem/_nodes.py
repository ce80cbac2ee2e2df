"""The nodes and edges of the memory graph, as frozen data. Every datetime is aware and in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from structmem._inputs import TimeRange
from structmem._kinds import EdgeKind, EntityKind, Granularity, NodeKind, Role, SummaryLevel


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
class MessageVersion:
    """What a message said before its writer edited it."""

    text: str
    written_at: datetime | None
    labels: Mapping[str, str] = field(default_factory=dict)
    image_caption: str = ""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn, verbatim. `session` is the session's name, `seq` counts from 1 in it.

    `edited_at`: when its writer wrote what it says now; `earlier_versions`, oldest first, are told by `get_node` alone.
    """

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
    edited_at: datetime | None = None
    earlier_versions: tuple[MessageVersion, ...] = ()


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
class Supersession:
    """That a later memory, `node_id`, replaced one.

    Attributes:
        valid_from: since when the older one no longer holds; None where it never did.
        known_at: from when on that is known: when the later one was said.
    """

    node_id: str
    valid_from: datetime | None
    known_at: datetime | None
    reason: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Statement:
    """A fact or a relation (`kind`): one statement that stands on its own.

    `superseded_by`, which listings and `get_event` tell: what replaced it; None while it stands.
    """

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
    superseded_by: Supersession | None = None


@dataclass(frozen=True, slots=True)
class Entity:
    """A person, place, organization, thing or concept that statements name."""

    id: str
    name: str
    kind: EntityKind
    aliases: tuple[str, ...]
    mention_count: int
    recorded_at: datetime | None


@dataclass(frozen=True, slots=True)
class SummarySentence:
    """A sentence of a summary, and the members of the summary that it rests on."""

    text: str
    source_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seed:
    """An earlier event that helped to understand a window. `similarity` is the cosine of the two, -1 to 1."""

    event_id: str
    similarity: float


@dataclass(frozen=True, slots=True)
class Summary:
    """What events, or summaries of the level below, say, told shorter.

    Attributes:
        sentences: what it says; none where its members say nothing worth keeping, or where it waits to be written anew after a deletion.
        member_ids: what it covers: events for a window, windows for a thread, threads for the profile.
        time: from when to when that happened, or was said where that is not known.
        said_from, said_to: when the first and the last of it was said.
        recorded_at: when it was first written; `consolidated_at`: when it was last written.
        stale_since: since when what it rests on has been another; None while it stands. A job writes it anew.
        consolidator: the fingerprint of what wrote it.
        sessions: the names of the sessions that it tells of; none for the profile, which tells of all.
        names: who takes part, those named most first.
        seeds: of a window, earlier events that helped to understand it.
        calls: marks of the calls of a model that wrote it together with others; a deletion takes the words of all with one in common.
    """

    id: str
    level: SummaryLevel
    title: str
    sentences: tuple[SummarySentence, ...]
    member_ids: tuple[str, ...]
    time: TimeSpan | None
    said_from: datetime | None
    said_to: datetime | None
    recorded_at: datetime | None
    consolidated_at: datetime | None
    stale_since: datetime | None
    consolidator: str
    generation: int
    sessions: tuple[str, ...]
    names: tuple[str, ...]
    seeds: tuple[Seed, ...]
    calls: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Its sentences, joined."""
        return " ".join(sentence.text for sentence in self.sentences)


Node = Session | Message | Event | Statement | Entity | Summary


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
        valid: of RELATES, when it is or was true in the world; of SUPERSEDES and MAY_SUPERSEDE, since when; None when the conversation does
            not tell.
        confidence: of SAME_AS, DIFFERENT_FROM, SUPERSEDES, MAY_SUPERSEDE and REPEATS, how sure whoever says so is, from 0 to 1; None where
            nobody says.
        reason: of the same, why.
        decision: of SAME_AS and DIFFERENT_FROM, who decided it; None where an extraction proposes it.
        properties: what else an extraction notes about it.
        similarity: of SEEDED_BY, the cosine of the two, from -1 to 1; None for others.
        known_at: of SUPERSEDES, MAY_SUPERSEDE and REPEATS, when the later of the two was said; None for others.
        reverted: of the same, who took it back; None where it holds.
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
    similarity: float | None = None
    known_at: datetime | None = None
    reverted: EdgeDecision | None = None


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
        case Summary():
            return NodeKind.SUMMARY
