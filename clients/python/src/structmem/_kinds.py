"""The enumerations of the contract, as strings. A value that a newer service knows and this client does not reads as UNSPECIFIED."""

from enum import StrEnum


class NodeKind(StrEnum):
    """What a node of the memory graph is."""

    UNSPECIFIED = "unspecified"
    SESSION = "session"
    MESSAGE = "message"
    EVENT = "event"
    FACT = "fact"
    RELATION = "relation"
    ENTITY = "entity"
    SUMMARY = "summary"


class SummaryLevel(StrEnum):
    """What a summary tells of: the events of a window, windows that belong together across sessions, or all of a namespace."""

    UNSPECIFIED = "unspecified"
    WINDOW = "window"
    THREAD = "thread"
    PROFILE = "profile"


class EdgeKind(StrEnum):
    """What an edge of the memory graph means."""

    UNSPECIFIED = "unspecified"
    IN_SESSION = "in_session"
    NEXT = "next"
    EVIDENCED_BY = "evidenced_by"
    STATES = "states"
    INVOLVES = "involves"
    MENTIONS = "mentions"
    RELATES = "relates"
    BEFORE = "before"
    CAUSES = "causes"
    SAME_AS = "same_as"
    DIFFERENT_FROM = "different_from"
    SUMMARIZES = "summarizes"
    SEEDED_BY = "seeded_by"
    SUPERSEDES = "supersedes"
    REPEATS = "repeats"
    MAY_SUPERSEDE = "may_supersede"
    ENABLES = "enables"
    CONTRADICTS = "contradicts"


class DeletionCause(StrEnum):
    """Why a deletion took a node: it was selected; it rested on what was deleted; nothing names the entity any more."""

    UNSPECIFIED = "unspecified"
    SELECTED = "selected"
    DERIVED = "derived"
    UNNAMED = "unnamed"


class CypherScope(StrEnum):
    """What a query in Cypher is run against: a snapshot of a namespace, or, for administrators, the database that holds it."""

    UNSPECIFIED = "unspecified"
    NAMESPACE = "namespace"
    DATABASE = "database"


class CypherElidedKind(StrEnum):
    """What kind of value an answer in Cypher leaves out."""

    UNSPECIFIED = "unspecified"
    VECTOR = "vector"
    BYTES = "bytes"


class LinkVerdict(StrEnum):
    """Whether two entities are one and the same, as somebody decides; UNDECIDED takes a decision back."""

    UNSPECIFIED = "unspecified"
    SAME = "same"
    DIFFERENT = "different"
    UNDECIDED = "undecided"


class Role(StrEnum):
    """Who speaks, as chat APIs use the word."""

    UNSPECIFIED = "unspecified"
    USER = "user"
    ASSISTANT = "assistant"
    SYSTEM = "system"
    TOOL = "tool"


class EntityKind(StrEnum):
    """What an entity is; UNKNOWN where it could not be told."""

    UNSPECIFIED = "unspecified"
    PERSON = "person"
    PLACE = "place"
    ORGANIZATION = "organization"
    THING = "thing"
    CONCEPT = "concept"
    UNKNOWN = "unknown"


class Granularity(StrEnum):
    """How exactly a time is known."""

    UNSPECIFIED = "unspecified"
    INSTANT = "instant"
    HOUR = "hour"
    DAY_PART = "day_part"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    SEASON = "season"
    YEAR = "year"
    ERA = "era"


class MissReason(StrEnum):
    """What kept a memory out of an answer; the first of these that holds. docs/retrieval.md describes each."""

    UNSPECIFIED = "unspecified"
    IN_ANSWER = "in_answer"
    NOT_FOUND = "not_found"
    NOT_A_MEMORY = "not_a_memory"
    RETIRED = "retired"
    FILTERED = "filtered"
    NOT_A_CANDIDATE = "not_a_candidate"
    NO_SIGNAL = "no_signal"
    BELOW_MIN_RELEVANCE = "below_min_relevance"
    STOOD_FOR = "stood_for"
    OUTSCORED = "outscored"


class AnswerEnding(StrEnum):
    """How the text of an answer ended: as the model wanted, at the limit of its tokens, or by a filter of its provider."""

    UNSPECIFIED = "unspecified"
    COMPLETE = "complete"
    CUT_OFF = "cut_off"
    WITHHELD = "withheld"


class RejectionReason(StrEnum):
    """Why a citation of a model was not taken: it read no such memory, or the memory does not hold the words."""

    UNSPECIFIED = "unspecified"
    NO_SUCH_MEMORY = "no_such_memory"
    WORDS_NOT_FOUND = "words_not_found"


class JobKind(StrEnum):
    """What a job does."""

    UNSPECIFIED = "unspecified"
    EXTRACTION = "extraction"
    CONSOLIDATION = "consolidation"


class JobState(StrEnum):
    """Where a job stands."""

    UNSPECIFIED = "unspecified"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def ended(self) -> bool:
        """Whether a job in this state will not change by itself any more."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED)


class ExtractionMode(StrEnum):
    """How much an extractor looks for."""

    UNSPECIFIED = "unspecified"
    EVENT = "event"
    FLAT = "flat"
    OFF = "off"


class DegradationReason(StrEnum):
    """Why something could not take part in an answer. docs/retrieval.md describes each."""

    UNSPECIFIED = "unspecified"
    NO_VECTORS = "no_vectors"
    VECTOR_NOT_GIVEN = "vector_not_given"
    MODEL_NOT_SERVED = "model_not_served"
    EMBEDDER_UNAVAILABLE = "embedder_unavailable"
    NOT_EMBEDDED_YET = "not_embedded_yet"
    NO_TERMS = "no_terms"
    RERANKER_TOO_LATE = "reranker_too_late"
    RERANKER_FAILED = "reranker_failed"


class ErrorReason(StrEnum):
    """Why a call or a job failed; docs/errors.md describes each. UNSPECIFIED: the service did not say, or did not answer at all."""

    UNSPECIFIED = "UNSPECIFIED"
    INVALID_ARGUMENT = "INVALID_ARGUMENT"
    NOT_FOUND = "NOT_FOUND"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    MESSAGE_ID_REUSED = "MESSAGE_ID_REUSED"
    CONFLICT = "CONFLICT"
    STALE_WRITE = "STALE_WRITE"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    REVISION_NOT_REACHED = "REVISION_NOT_REACHED"
    SHUTTING_DOWN = "SHUTTING_DOWN"
    STORE_UNAVAILABLE = "STORE_UNAVAILABLE"
    STORAGE_FULL = "STORAGE_FULL"
    STORE_LIMIT = "STORE_LIMIT"
    NAMESPACE_NOT_FOUND = "NAMESPACE_NOT_FOUND"
    TOO_MANY_EXPORTS = "TOO_MANY_EXPORTS"
    EMBEDDER_UNAVAILABLE = "EMBEDDER_UNAVAILABLE"
    LANGUAGE_MODEL_MISSING = "LANGUAGE_MODEL_MISSING"
    LANGUAGE_MODEL_UNAVAILABLE = "LANGUAGE_MODEL_UNAVAILABLE"
    NAMESPACE_CORRUPT = "NAMESPACE_CORRUPT"
    CYPHER_REFUSED = "CYPHER_REFUSED"
    CYPHER_INVALID = "CYPHER_INVALID"
    CYPHER_TIMEOUT = "CYPHER_TIMEOUT"
    CYPHER_LIMIT = "CYPHER_LIMIT"
    CYPHER_UNAVAILABLE = "CYPHER_UNAVAILABLE"
    INTERNAL = "INTERNAL"
    EXTRACTOR_UNAVAILABLE = "EXTRACTOR_UNAVAILABLE"
    EXTRACTOR_ANSWER_INVALID = "EXTRACTOR_ANSWER_INVALID"
    EXTRACTOR_ANSWER_UNREADABLE = "EXTRACTOR_ANSWER_UNREADABLE"
    EXTRACTOR_ANSWER_TRUNCATED = "EXTRACTOR_ANSWER_TRUNCATED"
    EXTRACTOR_ANSWER_TOO_LARGE = "EXTRACTOR_ANSWER_TOO_LARGE"
    EXTRACTOR_ANSWER_WITHHELD = "EXTRACTOR_ANSWER_WITHHELD"
    EMBEDDING_MISMATCH = "EMBEDDING_MISMATCH"
    EXTRACTION_FAILED = "EXTRACTION_FAILED"
    ELEMENT_TOO_LARGE = "ELEMENT_TOO_LARGE"
    ANSWER_TOO_LARGE = "ANSWER_TOO_LARGE"
    STREAM_STALLED = "STREAM_STALLED"
