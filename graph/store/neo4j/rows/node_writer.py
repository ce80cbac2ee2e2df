"""Putting nodes, their searched columns and their edges into the database, many at once. Imports and transactions write through it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from neo4j.vector import Vector

from graph.model import CHANGE_KINDS, EdgeKind, NodeKind
from graph.store.neo4j.driver.connection import Row
from graph.store.neo4j.rows.edge_rows import EdgeRow, NodeRef
from graph.store.neo4j.rows.node_rows import Properties
from graph.store.neo4j.schema import NODE_LABELS, vector_property
from graph.store.port import Float16Vector

# A datetime for people, of microseconds since 1970. Sending one takes the driver 80 µs; Neo4j makes one in .4.
# In two parts: a duration of more than 292 years in microseconds alone does not fit Neo4j's nanoseconds.
_DATE = "datetime({{epochSeconds: {micros} / 1000000}}) + duration({{microseconds: {micros} % 1000000}})"
_DATED = frozenset({NodeKind.MESSAGE, NodeKind.EVENT, NodeKind.FACT, NodeKind.RELATION, NodeKind.SUMMARY})


class Writer(Protocol):
    """Runs queries that write: `$namespace` is the namespace's name, `$at` holds the parameters."""

    async def execute(self, query: str, parameters: Mapping[str, Any] | None = None) -> list[Row]:
        """The rows of a query."""
        ...


def set_properties(variable: str, kind: NodeKind) -> str:
    """Gives a new node of this kind the properties of the map `node`, and the dates that people look at."""
    parts = [f"{variable} = node"]
    if kind in _DATED:
        said = "node.said_from" if kind is NodeKind.SUMMARY else "node.said_at"
        parts.append(f"{variable}.said_on = {_DATE.format(micros=said)}")
    if kind in _DATED and kind is not NodeKind.MESSAGE:
        happened = _DATE.format(micros="node.starts_at")
        parts.append(f"{variable}.happened_on = CASE WHEN node.time_granularity IS NOT NULL THEN {happened} END")
    return f"SET {', '.join(parts)}"


async def create_nodes(writer: Writer, kind: NodeKind, nodes: Sequence[Properties]) -> None:
    """New nodes of one kind."""
    if nodes:
        query = f"UNWIND $at.nodes AS node CREATE (n:{NODE_LABELS[kind]}) {set_properties('n', kind)}"
        await writer.execute(query, {"nodes": nodes})


async def create_further_passages(writer: Writer, kind: NodeKind, passages: Sequence[Properties]) -> None:
    """The :Passage nodes of long memories of one kind."""
    if passages:
        query = f"""UNWIND $at.passages AS passage
            MATCH (m:{NODE_LABELS[kind]} {{namespace: $namespace, key: passage.owner_key}}) SET m:Chunked
            CREATE (m)-[:HAS_PASSAGE {{ordinal: passage.ordinal}}]->(p:Passage) SET p = passage"""
        await writer.execute(query, {"passages": passages})


async def create_spans(writer: Writer, kind: NodeKind, spans: Sequence[Properties]) -> None:
    """The :Span nodes of memories of one kind."""
    if spans:
        query = f"""UNWIND $at.spans AS span MATCH (m:{NODE_LABELS[kind]} {{namespace: $namespace, key: span.key}})
            CREATE (m)-[:NAMES_TIME]->(s:Span) SET s = span"""
        await writer.execute(query, {"spans": spans})


async def create_edges(writer: Writer, edges: Iterable[EdgeRow]) -> list[NodeRef]:
    """New relationships; an explicit one that is there already is left as it is. Returns the targets of those that were made."""
    groups: defaultdict[tuple[Any, ...], list[EdgeRow]] = defaultdict(list)
    for edge in edges:
        groups[(edge.kind, edge.source.kind, edge.target.kind, edge.explicit)].append(edge)
    made: list[NodeRef] = []
    for (kind, source, target, explicit), some in groups.items():
        query = _edges_query(kind.name, NODE_LABELS[source], NODE_LABELS[target], explicit=explicit)
        [[keys]] = await writer.execute(query, {"rows": [[e.source.key, e.target.key, dict(e.properties)] for e in some]})
        made += [NodeRef(target, key) for key in keys]
    return made


# Is there one with the same statement behind it, and is that a decision too?
_THERE = """EXISTS { MATCH (a)-[x:%s]->(b) WHERE coalesce(x.via_id, '') = coalesce(row[2].via_id, '')
    AND (x.decided_at IS NULL) = (row[2].decided_at IS NULL) }"""


def _edges_query(kind: str, source: str, target: str, *, explicit: bool) -> str:
    there = f"WITH a, b, row WHERE NOT {_THERE % kind}" if explicit else ""
    named = ", r.namespace = $namespace" if EdgeKind[kind] in CHANGE_KINDS else ""
    return f"""UNWIND $at.rows AS row
        MATCH (a:{source} {{namespace: $namespace, key: row[0]}}) MATCH (b:{target} {{namespace: $namespace, key: row[1]}}) {there}
        CREATE (a)-[r:{kind}]->(b) SET r = row[2]{named} RETURN collect(b.key)"""


async def set_vectors(writer: Writer, kind: NodeKind, dimension: int, vectors: Mapping[int, Float16Vector]) -> None:
    """The vectors of the first passages of memories of one kind, by key. They wait no more."""
    match = f"MATCH (m:{NODE_LABELS[kind]} {{namespace: $namespace, key: row.key}})"
    await _set_vectors(writer, match, dimension, [({"key": key}, vector) for key, vector in vectors.items()])


async def set_further_vectors(writer: Writer, dimension: int, vectors: Mapping[tuple[int, int], Float16Vector]) -> None:
    """The vectors of further passages, by owner's key and ordinal."""
    await _set_vectors(
        writer,
        "MATCH (m:Passage {namespace: $namespace, owner_key: row.key, ordinal: row.ordinal})",
        dimension,
        [({"key": key, "ordinal": ordinal}, vector) for (key, ordinal), vector in vectors.items()],
    )


async def _set_vectors(writer: Writer, match: str, dimension: int, vectors: Sequence[tuple[Properties, Float16Vector]]) -> None:
    if not vectors:
        return
    rows = [{**found_by, "v16": vector.astype("<f2").tobytes(), "vector": Vector(vector.astype("<f4"))} for found_by, vector in vectors]
    # Community's format keeps no VECTOR as a property; the procedure keeps its numbers.
    query = f"""UNWIND $at.rows AS row {match} SET m.v16 = row.v16 REMOVE m.waits
        WITH m, row CALL db.create.setNodeVectorProperty(m, $at.property, row.vector)"""
    await writer.execute(query, {"rows": rows, "property": vector_property(dimension)})
