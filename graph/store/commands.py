"""What callers hand to a store, and what it answers: plain data, one group a intent of the port."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from graph.model import (
    Edge,
    EmbeddingSpec,
    Entity,
    EntityKind,
    Event,
    ExtractionMode,
    ExtractionProfile,
    ExtractorSpec,
    JobError,
    LabelFilter,
    LinkVerdict,
    Message,
    Namespace,
    Node,
    NodeKind,
    Role,
    Session,
    Statement,
    TimeRange,
)
from graph.model.filters import NO_LABELS
from graph.model.profiles import NO_PROFILE

Float16Vector = NDArray[np.float16]

# A position in a listing: JSON scalars that only the store that made it understands. The service signs it into a page token.
Cursor = tuple[int | str, ...]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NamespaceSpec:
    """A namespace to create."""

    name: str
    embedding: EmbeddingSpec
    extraction_mode: ExtractionMode
    time_zone: str = ""
    description: str = ""
    profile: ExtractionProfile = NO_PROFILE


@dataclass(frozen=True, slots=True)
class NamespaceChange:
    """What to change of a namespace; None leaves it as it is. The store counts a profile's version."""

    extraction_mode: ExtractionMode | None = None
    time_zone: str | None = None
    description: str | None = None
    profile: ExtractionProfile | None = None


@dataclass(frozen=True, slots=True)
class MessageDraft:
    """A message to append, already validated. `embedding` (float16, unit length) only for namespaces with client vectors.

    `sent_at_assumed`: its writer gave no time, so `sent_at` is when it was received and does not count as content: a repeat of the message
    or of the request is the same although it was received later.
    """

    speaker: str
    role: Role
    text: str
    sent_at: datetime
    client_id: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    image_caption: str = ""
    embedding: Float16Vector | None = None
    sent_at_assumed: bool = False


@dataclass(frozen=True, slots=True)
class AppendCommand:
    """Messages for the end of a session. `idle` is how long the extraction may wait for more of them."""

    session: str
    messages: tuple[MessageDraft, ...]
    idle: timedelta
    time_zone: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class AppendedMessage:
    """Where a message went. `duplicate`: it was there already, with the same client_id and content."""

    id: str
    seq: int
    client_id: str
    duplicate: bool


@dataclass(frozen=True, slots=True)
class AppendOutcome:
    """The answer to an append: messages in the order of the command. `job_id` is empty when nothing is left to do.

    `namespace_uid` spares the caller, who needs it for the consistency token, a read of the namespace.
    """

    messages: tuple[AppendedMessage, ...]
    revision: int
    job_id: str
    namespace_uid: str = ""


@dataclass(frozen=True, slots=True)
class PassageText:
    """A passage that waits for its vector. `text` is what the embedder reads."""

    owner_id: str
    ordinal: int
    text: str


@dataclass(frozen=True, slots=True)
class PassageVector:
    """The vector of one passage of a node: float16, unit length."""

    owner_id: str
    ordinal: int
    vector: Float16Vector


@dataclass(frozen=True, slots=True)
class PendingWork:
    """What a leased extraction has before it.

    `messages` follow the watermark, in order, up to the job's target or the limit asked for (`more` tells which). `context` holds the
    few messages before them. `vectors` has the first passage's vector of each message of both that has one.
    `idle_until` is when the buffer must be extracted even if it is half full; a flush mark at the last message says the same at once.
    """

    session: Session
    generation: int
    watermark: int
    context: tuple[Message, ...]
    messages: tuple[Message, ...]
    more: bool
    flush_marks: frozenset[int]
    vectors: Mapping[str, Float16Vector]
    idle_until: datetime


@dataclass(frozen=True, slots=True)
class UsageEntry:
    """What one model was called for in one step ("embed", "extract")."""

    step: str
    model: str
    calls: int = 0
    items: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class ExtractionWrite:
    """All that one extraction step writes, atomically with the session's watermark.

    `entities` are proposals: an entity of the same kind whose name or alias matches (case-folded) is used instead, and every reference to
    the proposal's id in statements, events and edges follows it; its new aliases are added. `edges` are those that no node implies.
    `vectors` belong to the statements. The write is refused with StaleWrite when the watermark, the generation or a message that serves as
    evidence is not as expected. `read_ids` are the messages that the extractor read: the write is refused as well when one of them is gone,
    because what it said may stand in any statement.
    """

    generation: int
    expected_watermark: int
    watermark: int
    statements: tuple[Statement, ...] = ()
    events: tuple[Event, ...] = ()
    entities: tuple[Entity, ...] = ()
    edges: tuple[Edge, ...] = ()
    vectors: tuple[PassageVector, ...] = ()
    usage: tuple[UsageEntry, ...] = ()
    partial_failures: tuple[JobError, ...] = ()
    read_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobSucceeded:
    """The job is done."""


@dataclass(frozen=True, slots=True)
class JobDeferred:
    """The job goes back into the queue until `run_after`: it waits for more messages, or its worker is shutting down."""

    run_after: datetime


@dataclass(frozen=True, slots=True)
class JobAttemptFailed:
    """The attempt failed. With `retry_at` the job is tried again then; without, it rests as FAILED."""

    error: JobError
    retry_at: datetime | None


JobOutcome = JobSucceeded | JobDeferred | JobAttemptFailed


@dataclass(frozen=True, slots=True)
class Deletion:
    """What to delete: memories by id, or a session by name. Exactly one of the two."""

    memory_ids: tuple[str, ...] = ()
    session: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class DeletionReceipt:
    """What a deletion did. `counts` by kind; `missing_ids` were asked for but not there."""

    id: str
    deleted_at: datetime
    counts: Mapping[NodeKind, int]
    revision: int
    missing_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkDecision:
    """Whether two entities are one and the same, as somebody decided; UNDECIDED takes back what was decided before."""

    entity_id: str
    other_id: str
    verdict: LinkVerdict
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class LinkDecided:
    """The links between two entities after a decision: the decision first, if there is one, then what extractions propose."""

    edges: tuple[Edge, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing, and where the next one starts; None on the last page."""

    items: tuple[T, ...]
    next: Cursor | None


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events to list, by when they happened or, where unknown, were said."""

    range: TimeRange | None = None
    sessions: tuple[str, ...] = ()
    entity_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StatementQuery:
    """Which facts and relations to list, by when they were said."""

    kinds: frozenset[NodeKind] = frozenset({NodeKind.FACT, NodeKind.RELATION})
    said: TimeRange | None = None
    sessions: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    entity_ids: tuple[str, ...] = ()
    include_retired: bool = False


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """Which messages to list: of one session by seq, else by when they were said."""

    sessions: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    said: TimeRange | None = None
    labels: LabelFilter = NO_LABELS


@dataclass(frozen=True, slots=True)
class EntityQuery:
    """Which entities to list. `name` matches names and aliases, case-folded."""

    kinds: frozenset[EntityKind] = frozenset()
    name: str = ""


@dataclass(frozen=True, slots=True)
class QueryScope:
    """What understanding a query needs to know of a namespace.

    Attributes:
        speakers: everyone who speaks in it; at most the 1,000 most frequent.
        entities: those with a name or alias among the names asked for, case-folded.
    """

    namespace: Namespace
    speakers: tuple[str, ...]
    entities: tuple[Entity, ...]


@dataclass(frozen=True, slots=True)
class NodeEdges:
    """A node with its edges in both directions; `truncated` when there are more than were asked for."""

    node: Node
    edges: tuple[Edge, ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class SessionProgress:
    """How far a session was extracted, for export and import."""

    session: str
    extracted_seq: int
    flush_marks: tuple[int, ...]


ExportRecord = Node | Edge | SessionProgress | PassageVector


@dataclass(frozen=True, slots=True)
class GraphDescription:
    """Counts of a namespace's graph. `retired` counts nodes no longer believed, which `nodes` leaves out."""

    nodes: Mapping[NodeKind, int]
    retired: Mapping[NodeKind, int]
    edges: Mapping[int, int]
    vectors: int
    vectors_pending: int
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    revision: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an integrity check found wrong: a stable word for what, the node concerned, and a sentence."""

    problem: str
    node_id: str
    detail: str


@dataclass(frozen=True, slots=True)
class GenerationStart:
    """Asks for answers of this extractor from now on; what another one extracted is retired and its sessions are queued anew."""

    extractor: ExtractorSpec
