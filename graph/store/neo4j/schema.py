"""Labels, constraints and indexes of the database, and the migrations that make them.

Every node carries `namespace`, the namespace's name. A composite index is used only where every one of its columns has a predicate, and gives
an order only where ORDER BY names all of them from the first on: `WHERE n.namespace = $ns AND n.id > '' ORDER BY n.namespace, n.id`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from graph.model import NodeKind

NODE_LABELS = {
    NodeKind.SESSION: "Session",
    NodeKind.MESSAGE: "Message",
    NodeKind.EVENT: "Event",
    NodeKind.FACT: "Fact",
    NodeKind.RELATION: "Relation",
    NodeKind.ENTITY: "Entity",
}
# Nodes beside those of the model that are bound to them: a long message's further passages, and the times that a memory names.
BOUND_LABELS = ("Passage", "Span")
# Bookkeeping, never bound to the graph: nothing that people look at leads there, and no node of theirs becomes a hub.
KEPT_LABELS = ("EntityName", "Speaker", "Job", "Request", "Change", "TermStatistics", "Usage", "FlushMark")
# All that a namespace has beside its Namespace node: what its deletion deletes. The Store and Migration nodes are the database's.
NAMESPACED_LABELS = (*NODE_LABELS.values(), *BOUND_LABELS, *KEPT_LABELS)

TERMS_INDEX = "memory_terms"


def vector_property(dimension: int) -> str:
    """The property that holds the vectors of this dimension; a namespace has one dimension."""
    return f"embedding_{int(dimension)}"


def vector_index(dimension: int) -> str:
    """The name of the index on them."""
    return f"memory_embedding_{int(dimension)}"


def vector_index_ddl(dimension: int) -> str:
    """Makes the index of one dimension. What searches filter by is in it.

    The default quantization, binary, found 96.7 % of the exact 60 nearest of 100,000, scalar 98.2 %, none no more.
    """
    return f"""CYPHER 25 CREATE VECTOR INDEX {vector_index(dimension)} IF NOT EXISTS
        FOR (m:Message|Fact|Relation|Passage) ON m.{vector_property(dimension)}
        WITH [m.namespace, m.kind, m.said_at, m.session, m.speaker]
        OPTIONS {{indexConfig: {{`vector.dimensions`: {int(dimension)}, `vector.similarity_function`: 'cosine',
            `vector.quantization.type`: 'scalar'}}}}"""


def _unique(name: str, label: str, *columns: str) -> str:
    properties = ", ".join(f"n.{column}" for column in columns)
    return f"CREATE CONSTRAINT {name} IF NOT EXISTS FOR (n:{label}) REQUIRE ({properties}) IS UNIQUE"


def _index(name: str, label: str, *columns: str) -> str:
    properties = ", ".join(f"n.{column}" for column in columns)
    return f"CREATE INDEX {name} IF NOT EXISTS FOR (n:{label}) ON ({properties})"


@dataclass(frozen=True, slots=True)
class Migration:
    """A step from one version of the schema to the next. Every statement may be repeated: a step that broke off is done again."""

    version: int
    statements: tuple[str, ...]


_FIRST = (
    _unique("namespace_name", "Namespace", "name"),
    _unique("namespace_uid", "Namespace", "uid"),
    _unique("namespace_token", "Namespace", "token"),
    *(_unique(f"{label.lower()}_id", label, "namespace", "id") for label in (*NODE_LABELS.values(), "Job", "Request")),
    # The order in which a namespace's nodes came; the change log names them by it.
    *(_index(f"{label.lower()}_key", label, "namespace", "key") for label in (*NODE_LABELS.values(), "Job")),
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
    # Tokens are hashes of terms with the namespace's own prefix: whitespace parts them, nothing else has to be understood.
    f"""CREATE FULLTEXT INDEX {TERMS_INDEX} IF NOT EXISTS FOR (m:Message|Fact|Relation|Passage) ON EACH [m.terms, m.facets]
        OPTIONS {{indexConfig: {{`fulltext.analyzer`: 'whitespace', `fulltext.eventually_consistent`: false}}}}""",
)

# Steps are only ever added at the end.
MIGRATIONS: Sequence[Migration] = (Migration(1, _FIRST),)
