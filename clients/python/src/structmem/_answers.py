"""What the service answers: receipts of writes, retrieval with its explanations, jobs, namespaces, counts."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from structmem._inputs import EmbeddingSpec, ExtractionProfile, RetentionRule
from structmem._kinds import (
    AnswerEnding,
    DegradationReason,
    DeletionCause,
    EdgeKind,
    ErrorReason,
    ExtractionMode,
    JobKind,
    JobState,
    MissReason,
    NodeKind,
    RejectionReason,
)
from structmem._nodes import Edge, Event, Message, Node, Statement, Summary, TimeSpan

# Writes


@dataclass(frozen=True, slots=True)
class AppendedMessage:
    """Where one message went. `duplicate`: it was there already, with the same client_id and content; `edited`: it is a new version."""

    id: str
    seq: int
    client_id: str
    duplicate: bool
    edited: bool = False


@dataclass(frozen=True, slots=True)
class Appended:
    """The messages are durable. Give `consistency_token` to a read as `at_least`, or this to `wait_for`."""

    namespace: str
    session: str
    messages: tuple[AppendedMessage, ...]
    consistency_token: str
    job_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Flushed:
    """The jobs that cover what was waiting, the first 1,000 of `job_count`; none when nothing was."""

    namespace: str
    job_ids: tuple[str, ...]
    job_count: int = 0
    consistency_token: str = ""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import of messages stored, and the first 1,000 of the `job_count` jobs that will cover it."""

    namespace: str
    stored_count: int
    duplicate_count: int
    session_count: int
    consistency_token: str
    job_ids: tuple[str, ...]
    job_count: int = 0


@dataclass(frozen=True, slots=True)
class DeletionReceipt:
    """What a deletion did. It holds nothing of what was deleted but ids; `list_deleted_items` tells what it took, and why.

    Attributes:
        id: "" of a dry run, which deleted nothing.
        counts: how many nodes were deleted, by kind.
        missing_ids: asked for, but not there.
        deleted_by: the name of the token that it was asked for with.
        extracted_anew_count: messages that stay, of which something that also rested on deleted ones went; they are extracted anew.
        items_digest: SHA-256 of what it lists, in hexadecimal digits.
        signature: the service's, in hexadecimal digits, which `check_deletion` verifies.
    """

    id: str
    deleted_at: datetime | None
    counts: Mapping[NodeKind, int]
    revision: int
    missing_ids: tuple[str, ...]
    consistency_token: str = ""
    deleted_by: str = ""
    extracted_anew_count: int = 0
    items_digest: str = ""
    signature: str = ""


@dataclass(frozen=True, slots=True)
class DeletedItem:
    """A node that a deletion took, and why."""

    id: str
    cause: DeletionCause


@dataclass(frozen=True, slots=True)
class DeletionCheck:
    """What a check of a receipt found.

    Attributes:
        authentic: the service signed it for this namespace, and nothing of it was changed; all else is only said of such a one.
        kept: the namespace still has all that it lists, and the digest of it is right.
        item_count: how many nodes it lists.
        found_ids: those that are there, at most 100: none, unless something went wrong.
    """

    authentic: bool
    kept: bool
    item_count: int
    found_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LinkDecided:
    """What is between two entities after a decision: the decision first, if there is one, then what extractions propose."""

    edges: tuple[Edge, ...]
    consistency_token: str


@dataclass(frozen=True, slots=True)
class DecisionReverted:
    """The edges from a memory to the one that it replaces, or repeats, as they are now: one that was taken back has `reverted`."""

    edges: tuple[Edge, ...]
    consistency_token: str


@dataclass(frozen=True, slots=True)
class ImportedNamespace:
    """A namespace that was created from an export."""

    namespace: str
    record_count: int
    consistency_token: str


# Retrieval


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one signal added to a hit's score: `points = weight * value`. `from_id` names the memory that lent it, if another did."""

    signal: str
    raw: float
    value: float
    weight: float
    points: float
    from_id: str = ""


@dataclass(frozen=True, slots=True)
class ChannelRank:
    """Where a hit stood in one channel."""

    channel: str
    rank: int
    score: float


@dataclass(frozen=True, slots=True)
class PathStep:
    """One step through the graph: the edge that was followed and the node that it led to."""

    edge: EdgeKind
    node_id: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a hit is where it is. The points of the contributions sum to its score."""

    contributions: tuple[Contribution, ...]
    channels: tuple[ChannelRank, ...]
    path: tuple[PathStep, ...]
    evidence_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """One memory of an answer: a message, fact or relation. `score` orders one answer; `relevance` (0 to 1) compares between answers."""

    rank: int
    namespace: str
    memory: Message | Statement
    score: float
    explanation: Explanation | None = None
    relevance: float = 0.0


@dataclass(frozen=True, slots=True)
class Degradation:
    """What could not take part in an answer: why, a sentence for people, and the namespace that it is about ("": the whole answer)."""

    reason: DegradationReason
    message: str
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class QueryPlan:
    """How a query was understood. The answer was given without what is `degraded`."""

    recipe: str
    terms: tuple[str, ...]
    dense_text: str
    speakers: tuple[str, ...]
    entities: tuple[str, ...]
    times: tuple[TimeSpan, ...]
    asks_when: bool
    degraded: tuple[Degradation, ...]


@dataclass(frozen=True, slots=True)
class OmittedHit:
    """A hit that is named without its memory, because the answer had no room for it; `get_node` has it by itself."""

    rank: int
    namespace: str
    node_id: str


@dataclass(frozen=True, slots=True)
class SummaryHit:
    """A summary that a query found.

    Attributes:
        score: how well it fits, from 0 to 1.
        contributions: with `explain`, what its vector and its words added; the points sum to the score.
    """

    rank: int
    namespace: str
    summary: Summary
    score: float
    contributions: tuple[Contribution, ...] = ()


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The hits, best first; iterates over them. `nothing_relevant`: nothing that was found reaches the `min_relevance` asked for.

    `omitted`: hits for which the answer, bounded by bytes, had no room. `summaries`: those that were asked for, best first.
    """

    hits: tuple[Hit, ...]
    plan: QueryPlan
    nothing_relevant: bool = False
    best_relevance: float = 0.0
    omitted: tuple[OmittedHit, ...] = ()
    summaries: tuple[SummaryHit, ...] = ()

    def __iter__(self) -> Iterator[Hit]:
        return iter(self.hits)

    def __len__(self) -> int:
        return len(self.hits)

    def __getitem__(self, index: int) -> Hit:
        return self.hits[index]


@dataclass(frozen=True, slots=True)
class ChannelShortfall:
    """A memory in one channel: its score and rank, and the score of the last memory found there.

    `rank` of 0: the channel sees nothing in it; `needed` of None: any score would have done.
    """

    channel: str
    score: float
    rank: int
    needed: float | None


@dataclass(frozen=True, slots=True)
class SignalDifference:
    """What one signal gave a memory and what it gave its rival."""

    signal: str
    points: float
    rival_points: float


@dataclass(frozen=True, slots=True)
class Rival:
    """A hit that kept a memory out of an answer, and where their scores differ."""

    hit: Hit
    differences: tuple[SignalDifference, ...]


@dataclass(frozen=True, slots=True)
class Miss:
    """Why a memory is not in an answer. docs/retrieval.md says what each reason means and which fields belong to it.

    `hit` is the memory as it was measured, with the rank that it has or would have had; None where there was nothing to measure.
    """

    reason: MissReason
    hit: Hit | None
    plan: QueryPlan
    filtered_by: tuple[str, ...]
    channels: tuple[ChannelShortfall, ...]
    stood_for_by: tuple[Rival, ...]
    rivals: tuple[Rival, ...]
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class ContextEntry:
    """One memory, or summary, of a context and its line in the text."""

    namespace: str
    node_id: str
    kind: NodeKind
    text: str
    said_at: datetime | None
    speaker: str
    evidence_ids: tuple[str, ...]
    rank: int
    relevance: float = 0.0


@dataclass(frozen=True, slots=True)
class Context:
    """Memories as a text for a prompt, in order of time, within a token budget; before them the profiles and summaries that were asked for.

    `nothing_relevant` and `best_relevance` are as in `Retrieval`. `stable_bytes`: so many bytes of the text in UTF-8, from its beginning,
    are the same for every query until a profile is written anew, so that a model's prefix cache holds for them; 0 without `profile`.
    """

    text: str
    token_count: int
    entries: tuple[ContextEntry, ...]
    plan: QueryPlan
    nothing_relevant: bool = False
    best_relevance: float = 0.0
    stable_bytes: int = 0


# Looking at the graph


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node with its edges, outgoing and incoming, and the nodes at their other ends, as many as the answer had room for."""

    node: Node
    edges: tuple[Edge, ...]
    neighbors: tuple[Node, ...]
    edges_truncated: bool
    neighbors_truncated: bool = False


@dataclass(frozen=True, slots=True)
class EventView:
    """An event with its facts and relations and the messages it rests on; `truncated`: the answer had no room for all of them."""

    event: Event
    statements: tuple[Statement, ...]
    evidence: tuple[Message, ...]
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class SummaryTree:
    """A summary and what lies below it: each node once, nearest first; `truncated`: there is more than the answer had room for.

    Below a profile lie its threads, below a thread its windows, below a window its events, below an event its statements, below these their
    messages.
    """

    summary: Summary
    below: tuple[Node, ...]
    truncated: bool = False

    def nodes(self, ids: Iterable[str]) -> tuple[Node, ...]:
        """The nodes below with these ids, such as the `source_ids` of a sentence, as far as the answer has them."""
        known = {node.id: node for node in self.below}
        return tuple(known[id_] for id_ in ids if id_ in known)


@dataclass(frozen=True, slots=True)
class TraversedEvent:
    """An event that a walk reached: the fewest hops and a shortest path from a start."""

    event: Event
    hops: int
    path: tuple[PathStep, ...]


# Jobs


@dataclass(frozen=True, slots=True)
class JobProblem:
    """Why a job, an attempt or a part of it failed."""

    reason: ErrorReason
    message: str


@dataclass(frozen=True, slots=True)
class Job:
    """Durable background work. The units are messages for an extraction, events for a consolidation.

    `consistency_token`: where a call changed the job.
    """

    id: str
    namespace: str
    kind: JobKind
    state: JobState
    session: str
    completed_units: int
    total_units: int
    attempts: int
    run_after: datetime | None
    error: JobProblem | None
    created_at: datetime | None
    updated_at: datetime | None
    partial_failures: tuple[JobProblem, ...]
    consistency_token: str = ""

    @property
    def job_ids(self) -> tuple[str, ...]:
        """Its own id, so that `wait_for` takes a job as it takes an append."""
        return (self.id,)


# Namespaces and the service


@dataclass(frozen=True, slots=True)
class Generation:
    """One extraction of a namespace by one extractor in one mode."""

    number: int
    extractor: str
    fingerprint: str
    mode: ExtractionMode
    started_at: datetime | None


@dataclass(frozen=True, slots=True)
class Namespace:
    """The unit of isolation, with its settings. `consistency_token`: where a call created or changed it."""

    name: str
    embedding: EmbeddingSpec
    extraction_mode: ExtractionMode
    time_zone: str
    description: str
    revision: int
    generation: Generation | None
    created_at: datetime | None
    profile: ExtractionProfile | None = None
    consistency_token: str = ""
    retention: tuple[RetentionRule, ...] = ()


@dataclass(frozen=True, slots=True)
class GraphStats:
    """Counts of a namespace's graph. `retired` counts nodes no longer believed, which `nodes` leaves out."""

    nodes: Mapping[NodeKind, int]
    retired: Mapping[NodeKind, int]
    edges: Mapping[EdgeKind, int]
    vector_count: int
    pending_vector_count: int
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    revision: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class UsageEntry:
    """What one model was called for in one step."""

    step: str
    model: str
    calls: int
    items: int
    prompt_tokens: int
    completion_tokens: int
    errors: int


@dataclass(frozen=True, slots=True)
class Citation:
    """A memory that an answer rests on: "[number]" of its text. `text` is what the model read of it; `quotes` are words of that."""

    number: int
    namespace: str
    node_id: str
    kind: NodeKind
    text: str
    said_at: datetime | None
    speaker: str
    evidence_ids: tuple[str, ...]
    quotes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RejectedCitation:
    """What a model cited and what was not taken; `node_id` is empty where the model read no such memory."""

    reason: RejectionReason
    quote: str
    node_id: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a language model answers from memories.

    Attributes:
        text: with "[1]" after what rests on the citation of that number; empty where there was no memory to answer from.
        grounded: whether there is a citation at all.
        not_in_memory: what was asked is not in the memories that the model read.
        usage: what the model's call took; None where no model was asked.
        memory_count: how many memories, profiles and summaries it read.
    """

    text: str
    citations: tuple[Citation, ...]
    rejected_citations: tuple[RejectedCitation, ...]
    grounded: bool
    not_in_memory: bool
    ending: AnswerEnding
    usage: UsageEntry | None
    plan: QueryPlan
    memory_count: int


@dataclass(frozen=True, slots=True)
class SettingWarning:
    """What a setting keeps the service from, in a sentence."""

    setting: str
    message: str


@dataclass(frozen=True, slots=True)
class ServerInfo:
    """What the service is and does; `warnings`: what it cannot do as it is set up, such as calling an API without a key."""

    version: str
    store: str
    extractor: str
    extractor_note: str
    embedder: EmbeddingSpec
    recipes: tuple[str, ...]
    default_recipe: str
    started_at: datetime | None
    job_retention: timedelta
    request_id_retention: timedelta
    warnings: tuple[SettingWarning, ...] = ()
