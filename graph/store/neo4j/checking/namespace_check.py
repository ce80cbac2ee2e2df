"""The integrity check of a namespace: what no fault and no bug should ever leave behind."""

from collections.abc import Sequence
from typing import Any

from graph.store.neo4j.checking.text_check import text_findings
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.rows.node_edges import EDGE_TYPES
from graph.store.neo4j.rows.search_columns import REMOVED_ON_RETIREMENT
from graph.store.neo4j.schema import EVENT_LINK_TYPES, NODE_LABELS, in_namespace
from graph.store.port import Finding
from graph.store.rules.reanalysis import other_analyser

# Of one problem so many are listed; more would say no more.
_LISTED = 100
_DERIVED = ("Event", "Fact", "Relation")
_STATEMENTS = ("Fact", "Relation")


def _of_each(labels: Sequence[str], condition: str) -> tuple[str, ...]:
    return tuple(f"MATCH (m:{label}) WHERE {in_namespace(label, 'm')} AND {condition} RETURN m.id" for label in labels)


_ALL = tuple(NODE_LABELS.values())
_LEFT = " OR ".join(f"m.{name} IS NOT NULL" for name in REMOVED_ON_RETIREMENT)
# (problem, sentence, queries). Each query yields ids of nodes.
_QUERIES: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "DANGLING_EDGE",
        "an edge of this node leads into another namespace",
        _of_each(_ALL, f"EXISTS {{ MATCH (m)-[:{EDGE_TYPES}]-(x) WHERE x.namespace <> m.namespace }}"),
    ),
    (
        "DANGLING_EDGE",
        "the node that states an edge of this node is gone",
        _of_each(
            ("Entity", "Event"),
            f"""EXISTS {{ MATCH (m)-[r:RELATES|{EVENT_LINK_TYPES}|SAME_AS]->() WHERE r.via_id IS NOT NULL
                AND NOT EXISTS {{ MATCH (x:Relation {{namespace: $namespace, id: r.via_id}}) }}
                AND NOT EXISTS {{ MATCH (x:Fact {{namespace: $namespace, id: r.via_id}}) }}
                AND NOT EXISTS {{ MATCH (x:Event {{namespace: $namespace, id: r.via_id}}) }}
                AND NOT EXISTS {{ MATCH (x:Message {{namespace: $namespace, id: r.via_id}}) }} }}""",
        ),
    ),
    (
        "DANGLING_EVIDENCE",
        "the node rests on other messages than its edges say",
        _of_each(_STATEMENTS, "size(m.evidence_keys) <> 8 * COUNT { (m)-[:EVIDENCED_BY]->(:Message) }"),
    ),
    ("WITHOUT_EVIDENCE", "the node rests on no message", _of_each(_DERIVED, "NOT EXISTS { (m)-[:EVIDENCED_BY]->(:Message) }")),
    (
        "ORPHAN",
        "the node's session is gone",
        _of_each(
            ("Message", *_DERIVED), "NOT EXISTS { MATCH (s:Session {namespace: $namespace, name: m.session}) WHERE s.key = m.session_key }"
        ),
    ),
    (
        "ORPHAN",
        "the message is not bound to its session",
        _of_each(("Message",), "COUNT { (m)-[:IN_SESSION]->(:Session {name: m.session}) } <> 1"),
    ),
    ("ORPHAN", "what searches read is left of a node that is retired", _of_each(_STATEMENTS, f"m.retired_at IS NOT NULL AND ({_LEFT})")),
    (
        "ORPHAN",
        "a passage is left of a node that is gone or retired",
        (
            f"""MATCH (p:Passage) WHERE {in_namespace("Passage", "p")} AND NOT EXISTS {{ MATCH (m:Chunked)-[:HAS_PASSAGE]->(p)
            WHERE m.key = p.owner_key AND m.retired_at IS NULL }} RETURN p.owner_id""",
        ),
    ),
    (
        "ORPHAN",
        "a time is left of a node that is gone or retired",
        (
            f"""MATCH (s:Span) WHERE {in_namespace("Span", "s")} AND NOT EXISTS {{ MATCH (m)-[:NAMES_TIME]->(s)
            WHERE m.key = s.key AND m.retired_at IS NULL }} RETURN ''""",
        ),
    ),
    (
        "ORPHAN",
        "a name is left of an entity that is gone",
        (
            f"""MATCH (a:EntityName) WHERE {in_namespace("EntityName", "a")}
            AND NOT EXISTS {{ MATCH (:Entity {{namespace: $namespace, id: a.entity_id}}) }} RETURN a.entity_id""",
        ),
    ),
    (
        "VECTOR_OF_OTHER_TEXT",
        "a passage has a vector and waits for one",
        (
            *_of_each(("Message", *_STATEMENTS), "m.v16 IS NOT NULL AND m.waits IS NOT NULL"),
            f"MATCH (m:Passage) WHERE {in_namespace('Passage', 'm')} AND m.v16 IS NOT NULL AND m.waits IS NOT NULL RETURN m.owner_id",
        ),
    ),
    (
        "VECTOR_OF_OTHER_TEXT",
        "the vector that is searched and the one that is measured are not both there",
        _of_each(("Message", *_STATEMENTS), "(m.v16 IS NULL) <> (m[$embedding] IS NULL)"),
    ),
    (
        "BROKEN_CHAIN",
        "NEXT does not lead from this message to the one after it in its session",
        (
            f"""MATCH (m:Message) WHERE {in_namespace("Message", "m")} WITH m ORDER BY m.seq
            WITH m.session AS session, collect(m) AS chain
            UNWIND range(0, size(chain) - 1) AS i WITH chain[i] AS m, CASE WHEN i + 1 < size(chain) THEN chain[i + 1] END AS after,
                CASE WHEN i > 0 THEN chain[i - 1].key ELSE 0 END AS before
            WHERE m.previous_key <> before OR (after IS NOT NULL AND NOT EXISTS {{ (m)-[:NEXT]->(after) }})
                OR COUNT {{ (m)-[:NEXT]->() }} <> CASE WHEN after IS NULL THEN 0 ELSE 1 END RETURN m.id""",
        ),
    ),
    ("WATERMARK_BEYOND", "the session is marked as extracted beyond its messages", _of_each(("Session",), "m.extracted_seq > m.last_seq")),
    (
        "MISCOUNTED",
        "the session counts other messages than it has",
        _of_each(
            ("Session",),
            """(m.message_count <> COUNT { MATCH (x:Message) WHERE x.namespace = $namespace AND x.session = m.name AND x.seq > 0 }
            OR EXISTS { MATCH (x:Message) WHERE x.namespace = $namespace AND x.session = m.name AND x.seq > m.last_seq })""",
        ),
    ),
    (
        "MISCOUNTED",
        "the entity counts other mentions than it has",
        _of_each(("Entity",), "m.mention_count <> COUNT { MATCH (x)-[:MENTIONS]->(m) WHERE x.retired_at IS NULL }"),
    ),
    (
        "MISCOUNTED",
        "a speaker is counted with other messages than there are",
        (
            f"""MATCH (m:Message) WHERE {in_namespace("Message", "m")} WITH m.speaker AS name, count(*) AS there
            OPTIONAL MATCH (p:Speaker {{namespace: $namespace, name: name}})
            WITH there, p WHERE coalesce(p.messages, 0) <> there RETURN ''""",
        ),
    ),
    (
        "UNCOVERED",
        "a current event is of no window and does not wait for one, or both",
        _of_each(
            ("Event",),
            "m.retired_at IS NULL AND COUNT { (m)<-[:SUMMARIZES]-(:Summary) } + CASE WHEN m.waits_in IS NULL THEN 0 ELSE 1 END <> 1",
        ),
    ),
    (
        "ORPHAN",
        "an event waits for a window and is retired, or waits by halves",
        _of_each(("Event",), "(m.waits_in IS NULL) <> (CASE WHEN m.retired_at IS NULL THEN m.waits_since END IS NULL)"),
    ),
    (
        "ORPHAN",
        "the summary has no members, or is of two summaries of the level above",
        _of_each(("Summary",), "(NOT EXISTS { (m)-[:SUMMARIZES]->() } OR COUNT { (m)<-[:SUMMARIZES]-() } > 1)"),
    ),
    (
        "ORPHAN",
        "the summary has a member that is not of the level below",
        _of_each(
            ("Summary",),
            """EXISTS { MATCH (m)-[:SUMMARIZES]->(x) WHERE coalesce(x.level, '') <>
                CASE m.level WHEN 'WINDOW' THEN '' WHEN 'THREAD' THEN 'WINDOW' ELSE 'THREAD' END }""",
        ),
    ),
    (
        "ORPHAN",
        "the summary is a profile beside another one",
        _of_each(
            ("Summary",),
            "m.level = 'PROFILE' AND COUNT { MATCH (x:Summary) WHERE x.namespace = $namespace AND x.level = m.level AND x.key > 0 } > 1",
        ),
    ),
    ("MIXED_GENERATIONS", "a summary is not of the current generation", _of_each(("Summary",), "m.generation <> $generation")),
    (
        "MIXED_GENERATIONS",
        "a current node is not of the current generation",
        _of_each(_DERIVED, "m.retired_at IS NULL AND m.generation <> $generation"),
    ),
)


async def check(handle: Handle) -> list[Finding]:
    """See `Memory.check`."""
    connection, namespace = handle.connection, handle.name
    generation, dimension, token, analyser, reanalysed_to = await handle.row(
        "RETURN n.generation, n.embedding_dimension, n.token, n.analyser, n.reanalysed_to"
    )
    values: dict[str, Any] = {"namespace": namespace, "generation": generation, "embedding": f"embedding_{dimension}"}
    findings: list[Finding] = []
    for problem, sentence, queries in _QUERIES:
        found: list[Any] = []
        for query in queries:
            found += await connection.rows(f"{query} LIMIT {_LISTED}", values)
        findings += [Finding(problem, id_ or "", sentence) for (id_,) in found[:_LISTED]]
    if reanalysed_to is not None:
        return [
            *findings,
            Finding("OTHER_ANALYSER", "", "the passages of another analyser are being made anew; a store that is open does it"),
        ]
    if other := other_analyser(analyser or 0):
        return [*findings, other]
    return findings + await text_findings(connection, namespace, token)
