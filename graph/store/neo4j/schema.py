"""Labels, constraints and indexes of the database, and the migrations that make them.

Every node carries `namespace`, the namespace's name. A composite index is used only where every one of its columns has a predicate, and
gives an order only where ORDER BY names all of them from the first on: `WHERE n.namespace = $ns AND n.id > '' ORDER BY n.namespace, n.id`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.model import CHANGE_KINDS, EVENT_LINKS, EdgeKind, NodeKind

NODE_LABELS = {
    NodeKind.SESSION: "Session",
    NodeKind.MESSAGE: "Message",
    NodeKind.EVENT: "Event",
    NodeKind.FACT: "Fact",
    NodeKind.RELATION: "Relation",
    NodeKind.ENTITY: "Entity",
    NodeKind.SUMMARY: "Summary",
}
# Kinds of edges that name what states them (`via_id`), and go with it.
STATED_EDGES = (EdgeKind.RELATES, EdgeKind.SAME_AS, EdgeKind.DIFFERENT_FROM, *sorted(EVENT_LINKS), EdgeKind.MENTIONS)
EVENT_LINK_TYPES = "|".join(kind.name for kind in sorted(EVENT_LINKS))
# All that a namespace has beside its Namespace node, with the columns of the index by which it is found (`in_namespace`). Passages and
# spans are bound to their memories; what follows them is bookkeeping, never bound to the graph: nothing that people look at leads there,
# and no node becomes a hub. The Store and Migration nodes are the database's.
NAMESPACED_LABELS = {
    **dict.fromkeys(NODE_LABELS.values(), ("key",)),
    "Passage": ("owner_key", "ordinal"),
    "Span": ("width", "starts_at"),
    "EntityName": ("folded", "entity_id"),
    "Speaker": ("name",),
    "Job": ("key",),
    "Request": ("id",),
    "Change": ("revision",),
    "TermStatistics": ("group",),
    "Usage": ("step", "model"),
    "FlushMark": ("session", "seq"),
    "AgainMark": ("session", "seq"),
    "ExtractionSpan": ("session", "last"),
    "Deletion": ("key",),
    "DeletedItems": ("deletion", "piece"),
}

TERMS_INDEX = "memory_terms"


def in_namespace(label: str, variable: str) -> str:
    """A predicate that finds all nodes of a label in `$namespace` by an index, which each of its columns has to be asked of."""
    columns = [f"{variable}.{column} IS NOT NULL" for column in NAMESPACED_LABELS[label]]
    return " AND ".join([f"{variable}.namespace = $namespace", *columns])


def vector_property(dimension: int) -> str:
    """The property that holds the vectors of this dimension; a namespace has one dimension."""
    return f"embedding_{int(dimension)}"


def vector_index(dimension: int) -> str:
    """The name of the index on them."""
    return f"memory_embedding_{int(dimension)}"


def vector_index_of(dimension: int) -> "Index":
    """The index of one dimension, made when the first namespace has it. What searches filter by is in it.

    Texts among these columns are short: names of at most MAX_NAME_LENGTH characters, and words of ours. Whoever adds one bounds it as well,
    wherever it comes in: the index's limit of length is a matter of the server's safety.

    The default quantization, binary, found 96.7 % of the exact 60 nearest of 100,000, scalar 98.2 %, none no more.
    """
    name = vector_index(dimension)
    statement = f"""CYPHER 25 CREATE VECTOR INDEX {name} IF NOT EXISTS
        FOR (m:Message|Fact|Relation|Passage) ON m.{vector_property(dimension)}
        WITH [m.namespace, m.kind, m.said_at, m.session, m.speaker, m.instruction]
        OPTIONS {{indexConfig: {{`vector.dimensions`: {int(dimension)}, `vector.similarity_function`: 'cosine',
            `vector.quantization.type`: 'scalar'}}}}"""
    return Index(name, statement)


@dataclass(frozen=True, slots=True)
class Index:
    """An index, or a constraint with the index that it stands on: its name and the statement that makes it unless it is there."""

    name: str
    statement: str


def _unique(name: str, label: str, *columns: str) -> Index:
    properties = ", ".join(f"n.{column}" for column in columns)
    return Index(name, f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label}) REQUIRE ({properties}) IS UNIQUE")


def _index(name: str, label: str, *columns: str) -> Index:
    properties = ", ".join(f"n.{column}" for column in columns)
    return Index(name, f"CREATE INDEX {name} IF NOT EXISTS FOR (n:{label}) ON ({properties})")


@dataclass(frozen=True, slots=True)
class Migration:
    """A step from one version of the schema to the next. All of it may be repeated: a step that broke off is done again.

    `fill` brings what is stored of a namespace to the step, a page at a time: it changes nodes of `$namespace` whose key is greater than
    `$after`, at most `$limit`, and returns the key of the last one that it looked at, null where there is none.
    """

    version: int
    indexes: tuple[Index, ...]
    fill: str = ""


_FIRST_LABELS = tuple(label for kind, label in NODE_LABELS.items() if kind is not NodeKind.SUMMARY)
_FIRST = (
    _unique("namespace_name", "Namespace", "name"),
    _unique("namespace_uid", "Namespace", "uid"),
    _unique("namespace_token", "Namespace", "token"),
    *(_unique(f"{label.lower()}_id", label, "namespace", "id") for label in (*_FIRST_LABELS, "Job", "Request")),
    # The order in which a namespace's nodes came; the change log names them by it.
    *(_index(f"{label.lower()}_key", label, "namespace", "key") for label in (*_FIRST_LABELS, "Job")),
    _unique("session_name", "Session", "namespace", "name"),
    _unique("message_seq", "Message", "namespace", "session", "seq"),
    _unique("message_client_id", "Message", "namespace", "session", "client_id"),
    _index("message_time", "Message", "namespace", "sent_at", "key"),
    _index("event_time", "Event", "namespace", "starts_at", "key"),
    _index("fact_time", "Fact", "namespace", "said_at", "key"),
    _index("relation_time", "Relation", "namespace", "said_at", "key"),
    _index("event_session", "Event", "namespace", "session"),
    _index("fact_session", "Fact", "namespace", "session"),
    _index("relation_session", "Relation", "namespace", "session"),
    # `waits` is there only while a vector is not: these hold what waits and nothing else.
    *(
        _index(f"{label.lower()}_waits", label, "namespace", "session", "waits", "key")
        for label in ("Message", "Fact", "Relation", "Passage")
    ),
    _unique("passage_place", "Passage", "namespace", "owner_key", "ordinal"),
    _index("span_start", "Span", "namespace", "width", "starts_at"),
    _unique("entity_name", "EntityName", "namespace", "folded", "entity_id"),
    _index("entity_name_owner", "EntityName", "namespace", "entity_id"),
    _unique("speaker_name", "Speaker", "namespace", "name"),
    # `due_at` is there only on open jobs: run_after of queued ones, the end of the lease of running ones.
    _index("job_due", "Job", "due_at"),
    _index("job_session", "Job", "namespace", "session", "state"),
    _index("job_succeeded", "Job", "namespace", "succeeded_at"),
    _index("request_expiry", "Request", "namespace", "expires_at"),
    _unique("change_revision", "Change", "namespace", "revision"),
    _unique("term_statistics_group", "TermStatistics", "namespace", "group"),
    _unique("usage_step", "Usage", "namespace", "step", "model"),
    _unique("flush_mark_place", "FlushMark", "namespace", "session", "seq"),
    *(
        Index(f"{kind.name.lower()}_via", f"CREATE INDEX {kind.name.lower()}_via IF NOT EXISTS FOR ()-[r:{kind.name}]-() ON (r.via_id)")
        for kind in STATED_EDGES
    ),
    # Tokens are hashes of terms with the namespace's own prefix: whitespace parts them, nothing else has to be understood.
    Index(
        TERMS_INDEX,
        f"""CREATE FULLTEXT INDEX {TERMS_INDEX} IF NOT EXISTS FOR (m:Message|Fact|Relation|Passage) ON EACH [m.terms, m.facets]
            OPTIONS {{indexConfig: {{`fulltext.analyzer`: 'whitespace', `fulltext.eventually_consistent`: false}}}}""",
    ),
)

_SUMMARIES = (
    _unique("summary_id", "Summary", "namespace", "id"),
    _index("summary_key", "Summary", "namespace", "key"),
    _index("summary_level", "Summary", "namespace", "level", "key"),
    _index("summary_time", "Summary", "namespace", "said_from", "key"),
    # Windows alone have `session_key`, and what is stale `stale_since`.
    _index("summary_session", "Summary", "namespace", "session_key", "said_from"),
    _index("summary_stale", "Summary", "namespace", "stale_since"),
    # On an event that no window summarizes, and on no other.
    _index("event_waits", "Event", "namespace", "waits_in", "said_at", "key"),
    _index("event_waits_since", "Event", "namespace", "waits_since"),
)
# Before there were summaries no event was summarized.
_EVENTS_WAIT = """MATCH (e:Event) WHERE e.namespace = $namespace AND e.key > $after WITH e ORDER BY e.namespace, e.key LIMIT $limit
    FOREACH (x IN CASE WHEN e.retired_at IS NULL AND NOT EXISTS { (e)<-[:SUMMARIZES]-() } THEN [e] ELSE [] END |
        SET x.waits_in = x.session_key, x.waits_since = x.recorded_at)
    RETURN max(e.key)"""

_CHANGES = tuple(
    Index(f"{kind.name.lower()}_of", f"CREATE INDEX {kind.name.lower()}_of IF NOT EXISTS FOR ()-[r:{kind.name}]-() ON (r.namespace)")
    for kind in sorted(CHANGE_KINDS)
)

_DELETIONS = (
    # Messages that are to be extracted anew.
    _unique("again_mark_place", "AgainMark", "namespace", "session", "seq"),
    # What each step of a session's extraction read.
    _unique("extraction_span_place", "ExtractionSpan", "namespace", "session", "last", "first"),
    _index("extraction_span_last", "ExtractionSpan", "namespace", "session", "last"),
    _index("extraction_span_call", "ExtractionSpan", "namespace", "call"),
    _unique("deletion_id", "Deletion", "namespace", "id"),
    _index("deletion_key", "Deletion", "namespace", "key"),
    # `unfinished` is there only on a deletion that needs further transactions.
    _index("deletion_unfinished", "Deletion", "namespace", "unfinished"),
    _unique("deleted_items_place", "DeletedItems", "namespace", "deletion", "piece"),
)

# Steps are only ever added at the end.
MIGRATIONS: Sequence[Migration] = (
    Migration(1, _FIRST),
    Migration(2, _SUMMARIES, _EVENTS_WAIT),
    Migration(3, _CHANGES),
    Migration(4, _DELETIONS),
)
