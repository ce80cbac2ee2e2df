"""From the nodes that the channels found to all that is measured: the evidence of statements, what rests on messages, and neighbours.

One round trip. Neo4j's own numbers find the nodes without an index; one that was freed and taken since is caught by the namespace.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from graph.model import MEMORY_KINDS
from graph.store.neo4j.driver.connection import Connection
from graph.store.neo4j.rows.node_reading import ids_by_kind
from graph.store.neo4j.schema import NODE_LABELS
from graph.store.neo4j.searching.channels import Hit
from graph.store.neo4j.searching.filters import SearchFilter
from graph.store.neo4j.searching.memories import MEMORY_VALUES, FoundMemory, found_memory, is_searched
from graph.store.search.candidate_rows import STATEMENTS_PER_MESSAGE

_FOUND = """CALL () { UNWIND $at.numbers AS number MATCH (m) WHERE id(m) = number AND m.namespace = $namespace AND m.retired_at IS NULL
        RETURN collect(m) AS hits }
    CALL () { UNWIND $at.further AS number MATCH (p) WHERE id(p) = number AND p.namespace = $namespace MATCH (m)-[:HAS_PASSAGE]->(p)
        RETURN collect(DISTINCT m) AS owners }"""
_INCLUDED = " ".join(
    f"""CALL () {{ UNWIND $at.{NODE_LABELS[kind]} AS id MATCH (m:{NODE_LABELS[kind]} {{namespace: $namespace, id: id}})
    WHERE m.retired_at IS NULL RETURN collect(m) AS {NODE_LABELS[kind]} }}"""
    for kind in sorted(MEMORY_KINDS)
)
_EVIDENCE = """CALL (found) { UNWIND found AS f WITH f WHERE f:Fact OR f:Relation MATCH (f)-[:EVIDENCED_BY]->(m:Message)
    RETURN collect(m) AS evidence }
    CALL (found, evidence) { UNWIND found + evidence AS m RETURN collect(DISTINCT m) AS base }"""
_DEPENDENTS = f"""CALL (base) {{ UNWIND base AS b WITH b WHERE b:Message
    CALL (b) {{ MATCH (b)<-[:EVIDENCED_BY]-(m:Fact|Relation) WHERE m.retired_at IS NULL
        RETURN m ORDER BY m.key LIMIT {STATEMENTS_PER_MESSAGE} }}
    RETURN collect(m) AS dependents }}"""


async def with_related(
    connection: Connection, namespace: str, hits: Iterable[Hit], include: Sequence[str], neighbours: int, chosen: SearchFilter
) -> tuple[list[FoundMemory], list[bool]]:
    """The memories by key, each once, and whether each passes the filter. What was retired or deleted meanwhile is left out."""
    query = f"""{_FOUND} {_INCLUDED} WITH hits + owners + Message + Fact + Relation AS found {_EVIDENCE} {_DEPENDENTS} {_near(neighbours)}
        UNWIND base + dependents + near AS m WITH DISTINCT m RETURN collect({MEMORY_VALUES}), collect({chosen.all})"""
    included = ids_by_kind(include)
    numbers: dict[bool, list[int]] = {False: [], True: []}
    for hit in hits:
        numbers[hit.further].append(hit.number)
    at: dict[str, list[Any]] = {"numbers": sorted(set(numbers[False])), "further": sorted(set(numbers[True]))}
    at |= {NODE_LABELS[kind]: included.get(kind, []) for kind in MEMORY_KINDS}
    values = {**chosen.parameters, "namespace": namespace, "at": at}
    [[rows, passing]] = await connection.rows(query, values)
    searched = sorted((row[0], index) for index, row in enumerate(rows) if is_searched(row))
    return [found_memory(rows[index]) for _, index in searched], [bool(passing[index]) for _, index in searched]


def _near(neighbours: int) -> str:
    if neighbours <= 0:
        return "WITH base, dependents, [] AS near"
    return f"""CALL (base) {{ UNWIND base AS b WITH b WHERE b:Message MATCH (b)-[:NEXT]-{{1,{int(neighbours)}}}(m:Message)
        RETURN collect(DISTINCT m) AS near }}"""
