"""What each kind of node holds: the names and types of its properties, by label in `PROPERTIES`; a test holds what is written against it.

Beside what is listed every node has `namespace`, the namespace's name. Times are int64 microseconds since 1970 (`…_at`); where people
look, a ZONED DATETIME stands beside them (`…_on`), which nothing of ours reads. A property that would be empty is not there.

- `key`: numbers the namespace's nodes in the order in which they came; sessions, messages, events, statements and entities share one
  count, jobs have their own. Never used twice.
- `session` is a session's name, `session_key` its key.
- Kinds, roles, states and granularities are the names of the model's enums ("FACT", "USER", "QUEUED", "DAY").
"""

from datetime import datetime
from typing import NotRequired, TypedDict


class NamespaceProperties(TypedDict):
    """:Namespace. `name` in place of `namespace`. `token` starts the terms of its texts in the full-text index and is never reused.
    `next_key`, `next_job`, `epoch` are counters. `state` is CREATING, ACTIVE or DELETING; only ACTIVE ones are seen. `locked` is written
    first by every write, with the id of the write: who holds the node's lock has the namespace to itself. `last_write` is the id of the
    last one that committed. `statistics_…`: up to which revision the :TermStatistics count, how many terms they hold and how many
    differences came since. `analyser`: the version that made the passages of its texts, not there before that was kept; while they are made
    anew, `reanalysed_to` is the key up to which they are. `removed_revision`: of the last write that deleted
    or retired anything, `summaries_revision`: of the last that wrote, marked or deleted a summary,
    `changes_revision`: of the last that may have made or deleted a SUPERSEDES or REPEATS; none is there on namespaces that are older than
    these. `building_until`: of a CREATING one, until when its import is taken to be alive. `profile` and `retention` are JSON.
    """

    name: str
    uid: str
    token: str
    state: str
    locked: str
    last_write: str
    building_until: NotRequired[int]
    revision: int
    next_key: int
    next_job: int
    epoch: int
    embedding_model: str
    embedding_fingerprint: str
    embedding_dimension: int
    extraction_mode: str
    created_at: int
    time_zone: str
    description: str
    profile: NotRequired[str]
    retention: NotRequired[str]
    statistics_revision: int
    statistics_terms: int
    statistics_tail: int
    removed_revision: NotRequired[int]
    summaries_revision: NotRequired[int]
    changes_revision: NotRequired[int]
    analyser: NotRequired[int]
    reanalysed_to: NotRequired[int]
    generation: int
    extractor: NotRequired[str]
    extractor_fingerprint: NotRequired[str]
    extractor_mode: NotRequired[str]
    generation_started_at: NotRequired[int]


class SessionProperties(TypedDict):
    """:Session. `last_seq` is the seq of the last message that there ever was."""

    id: str
    key: int
    name: str
    time_zone: str
    recorded_at: int
    last_seq: int
    message_count: int
    first_sent_at: NotRequired[int]
    last_sent_at: NotRequired[int]
    extracted_seq: int


class SearchedProperties(TypedDict):
    """What searches read of :Message, :Fact, :Relation and :Passage. A retired or deleted one has none of the second part.

    - `kind`: of the memory, MESSAGE, FACT or RELATION; a :Passage has its owner's, as well as its `said_at`, `session` and `speaker`.
    - `terms`: tokens of the full-text index, `facets`: tokens to filter by (`search_tokens.py`).
    - `term_hashes`: uint64, little-endian, ascending; `term_counts`: a uint8 each, in the same order; `length`: terms in all.
    - `v16`: float16, little-endian, the vector; `embedding_<dimension>` the same as floats, for the vector index.
    - `waits`: true while a vector is to be made. `digest`: identifies the text that the vector is made from.
    - `instruction`: 1 on what a person asked an assistant to do from now on: the vector index finds the nearest of these.
    """

    kind: str
    said_at: int
    session: str
    speaker: str

    terms: NotRequired[str]
    facets: NotRequired[str]
    term_hashes: NotRequired[bytes]
    term_counts: NotRequired[bytes]
    length: NotRequired[int]
    digest: NotRequired[bytes]
    v16: NotRequired[bytes]
    waits: NotRequired[bool]
    instruction: NotRequired[int]


class MemoryProperties(SearchedProperties):
    """:Message, :Fact and :Relation. `features`: bits of `Feature`; `spans`: pairs of int64, little-endian, start and end.

    One with further passages has the label `Chunked` too.
    """

    id: str
    key: int
    session_key: int
    text: str
    recorded_at: int
    features: int
    spans: NotRequired[bytes]
    said_on: datetime


class MessageProperties(MemoryProperties):
    """:Message. `previous_key`: the message before it in the session, 0 for none. Labels are two lists of the same length."""

    seq: int
    previous_key: int
    role: str
    sent_at: int
    client_id: NotRequired[str]
    label_names: NotRequired[list[str]]
    label_values: NotRequired[list[str]]
    image_caption: NotRequired[str]
    edited_at: NotRequired[int]
    versions: NotRequired[str]


class TimedProperties(TypedDict):
    """When an event or a statement happened. `starts_at`, `ends_at` are when it was said where that is not known."""

    starts_at: int
    ends_at: int
    time_granularity: NotRequired[str]
    time_expression: NotRequired[str]
    happened_on: NotRequired[datetime]


class StatementProperties(MemoryProperties, TimedProperties):
    """:Fact and :Relation. `evidence_keys`: int64, little-endian, the messages that it rests on, in their order."""

    predicate: NotRequired[str]
    subject: NotRequired[str]
    object: NotRequired[str]
    confidence: float
    evidence_keys: bytes
    generation: int
    retired_at: NotRequired[int]


class EventProperties(TimedProperties):
    """:Event. While no window summarizes it, `waits_in` is its `session_key` and `waits_since` its `recorded_at`."""

    id: str
    key: int
    session: str
    session_key: int
    title: str
    said_at: int
    said_on: datetime
    recorded_at: int
    generation: int
    retired_at: NotRequired[int]
    waits_in: NotRequired[int]
    waits_since: NotRequired[int]


class SummaryProperties(TimedProperties):
    """:Summary, which has no words when something that it rests on was deleted. `text`: the title and the sentences. `sentence_sources`: of
    each sentence the ids that it rests on, parted by blanks. `said_on` is `said_from`. `session_key`: of a window's session. `v16`: the
    vector, as of a memory; no index holds it: a search reads all summaries. `calls`: marks of what one call of a model wrote together."""

    id: str
    key: int
    session_key: NotRequired[int]
    level: str
    title: NotRequired[str]
    text: NotRequired[str]
    sentences: NotRequired[list[str]]
    sentence_sources: NotRequired[list[str]]
    sessions: NotRequired[list[str]]
    names: NotRequired[list[str]]
    said_from: int
    said_to: int
    said_on: datetime
    recorded_at: int
    consolidated_at: int
    consolidator: str
    generation: int
    stale_since: NotRequired[int]
    calls: NotRequired[list[str]]
    v16: NotRequired[bytes]


class EntityProperties(TypedDict):
    """:Entity. Each of its names is an :EntityName."""

    id: str
    key: int
    name: str
    kind: str
    aliases: list[str]
    mention_count: int
    recorded_at: int


class EntityNameProperties(TypedDict):
    """:EntityName, a name of an entity, folded."""

    folded: str
    entity_id: str


class SpeakerProperties(TypedDict):
    """:Speaker, one a name. `messages`: how many are of it."""

    name: str
    messages: int


class PassageProperties(SearchedProperties):
    """:Passage, the further passages (ordinal 1 and on) of a long message: (owner)-[:HAS_PASSAGE {ordinal}]->(passage)."""

    owner_id: str
    owner_key: int
    key: int
    ordinal: int


class SpanProperties(TypedDict):
    """:Span, one for each time that a current memory names: (memory)-[:NAMES_TIME]->(span).

    `width`: a class of its length, see `spans.py`, so that all spans that overlap a time lie in one stretch of the index a class.
    """

    key: int
    width: int
    starts_at: int
    ends_at: int


class JobProperties(TypedDict):
    """:Job. `due_at` only while it is open: `run_after` of a queued one, `expires_at`, the end of the lease, of a running one. `error` and
    `partial_failures` are JSON. `session` is missing when the session was deleted, and "" where the
    job is of no session: a consolidation. `succeeded_at` only on those that did."""

    id: str
    key: int
    kind: str
    state: str
    session: NotRequired[str]
    created_at: int
    updated_at: int
    run_after: int
    idle_until: int
    target: int
    done: int
    total: int
    attempts: int
    epoch: int
    due_at: NotRequired[int]
    expires_at: NotRequired[int]
    worker: NotRequired[str]
    error: NotRequired[str]
    partial_failures: NotRequired[str]
    succeeded_at: NotRequired[int]


class ChangeProperties(TypedDict):
    """:Change, one a revision. `added`, `retired`, `removed`, `decided`: keys of nodes, int64, little-endian; `embedded`: keys of passages
    (`passage_key`). `write`: the id of the write that made it.

    Of the passages of messages and of statements (`messages_…`, `statements_…`): by how much the write changed their number, their length
    in terms, and in how many each term occurs (uint64 hashes, int32 differences, little-endian). Revisions follow each other without a
    gap, so that a reader sees when the ones that it needs were dropped.
    """

    revision: int
    write: str
    added: NotRequired[bytes]
    retired: NotRequired[bytes]
    removed: NotRequired[bytes]
    embedded: NotRequired[bytes]
    decided: NotRequired[bytes]
    messages_passages: NotRequired[int]
    messages_length: NotRequired[int]
    messages_hashes: NotRequired[bytes]
    messages_deltas: NotRequired[bytes]
    statements_passages: NotRequired[int]
    statements_length: NotRequired[int]
    statements_hashes: NotRequired[bytes]
    statements_deltas: NotRequired[bytes]


class TermStatisticsProperties(TypedDict):
    """:TermStatistics, one a `group` ("messages", "statements"): the sums of all changes up to `revision`; later ones are added to it.

    `hashes`: uint64, ascending; `counts`: int32, in how many passages each occurs; both little-endian.
    """

    group: str
    revision: int
    passages: int
    length: int
    hashes: bytes
    counts: bytes


class RequestProperties(TypedDict):
    """:Request, a request id with its answer (JSON) until it `expires_at`. `digest` identifies what was asked."""

    id: str
    digest: bytes
    answer: str
    expires_at: int


class UsageProperties(TypedDict):
    """:Usage, one a `step` and `model`: sums of its calls. `writes`: the ids of the last writes that added to it."""

    step: str
    model: str
    calls: int
    items: int
    prompt_tokens: int
    completion_tokens: int
    errors: int
    writes: list[str]


class FlushMarkProperties(TypedDict):
    """:FlushMark: the session was flushed when `seq` was its last message."""

    session: str
    seq: int


class AgainMarkProperties(TypedDict):
    """:AgainMark: a message that is extracted anew."""

    session: str
    seq: int


class ExtractionSpanProperties(TypedDict):
    """:ExtractionSpan: what a step of a session's extraction read. `call` is there where it read other sessions, too."""

    session: str
    first: int
    last: int
    read_from: int
    call: NotRequired[str]


class DeletionProperties(TypedDict):
    """:Deletion: its receipt (JSON), or, while it needs further transactions, how far it has come. `unfinished` is the request's digest."""

    id: str
    key: int
    receipt: NotRequired[str]
    count: NotRequired[int]
    again: NotRequired[list[int]]
    unfinished: NotRequired[str]


class DeletedItemsProperties(TypedDict):
    """:DeletedItems: a piece of what a receipt lists (`graph.store.rules.receipts`)."""

    deletion: str
    piece: int
    items: bytes


PROPERTIES = {
    "Namespace": NamespaceProperties,
    "Session": SessionProperties,
    "Message": MessageProperties,
    "Event": EventProperties,
    "Fact": StatementProperties,
    "Relation": StatementProperties,
    "Entity": EntityProperties,
    "Summary": SummaryProperties,
    "Passage": PassageProperties,
    "Span": SpanProperties,
    "EntityName": EntityNameProperties,
    "Speaker": SpeakerProperties,
    "Job": JobProperties,
    "Request": RequestProperties,
    "Change": ChangeProperties,
    "TermStatistics": TermStatisticsProperties,
    "Usage": UsageProperties,
    "FlushMark": FlushMarkProperties,
    "AgainMark": AgainMarkProperties,
    "ExtractionSpan": ExtractionSpanProperties,
    "Deletion": DeletionProperties,
    "DeletedItems": DeletedItemsProperties,
}
PASSAGE_KEY_SHIFT = 16


def passage_key(owner: int, ordinal: int) -> int:
    """The key of a passage: its owner's key and its ordinal."""
    return owner << PASSAGE_KEY_SHIFT | ordinal
