"""Values of the driver as values of Cypher's answers; vectors and bytes are left out."""

from datetime import timedelta
from typing import Any

import neo4j.graph
import neo4j.spatial
import neo4j.time
from neo4j.vector import Vector

from graph.cypher import CypherDuration, CypherElided, CypherNode, CypherPath, CypherPoint, CypherRelationship, CypherTime, CypherValue

# A list of so many numbers with a fraction is a vector: nobody reads it.
VECTOR_LENGTH = 64
_PYTHON_YEARS = range(1, 10_000)


def value_of(value: Any) -> CypherValue:
    """A value of a record."""
    match value:
        case neo4j.graph.Node():
            return _node(value)
        case neo4j.graph.Relationship():
            return _relationship(value)
        case neo4j.graph.Path():
            return CypherPath(tuple(map(_node, value.nodes)), tuple(map(_relationship, value.relationships)))
        case neo4j.time.Duration():
            return CypherDuration(value.months, value.days, value.seconds, value.nanoseconds)
        case neo4j.time.Date() | neo4j.time.Time() | neo4j.time.DateTime():
            return _time(value)
        case neo4j.spatial.Point():
            return CypherPoint(int(value.srid or 0), tuple(map(float, value)))
        case bytes() | bytearray():
            return CypherElided("bytes", len(value))
        case Vector():
            return CypherElided("vector", len(value.to_native()))
        case dict():
            return {str(key): value_of(item) for key, item in value.items()}
        case list():
            return _list(value)
        case _:
            plain: CypherValue = value
            return plain


def _list(values: list[Any]) -> CypherValue:
    if len(values) >= VECTOR_LENGTH and all(isinstance(item, float) for item in values):
        return CypherElided("vector", len(values))
    return [value_of(item) for item in values]


def _node(node: neo4j.graph.Node) -> CypherNode:
    return CypherNode(_id(node), tuple(sorted(node.labels)), {key: value_of(item) for key, item in node.items()})


def _relationship(it: neo4j.graph.Relationship) -> CypherRelationship:
    source, target = it.nodes
    properties = {key: value_of(item) for key, item in it.items()}
    return CypherRelationship(it.element_id, it.type, _id(source), _id(target), properties)


def _id(node: neo4j.graph.Node | None) -> str:
    """Ours; the database's, of nodes that have none and of ends of a relationship that are not in the answer themselves."""
    if node is None:
        return ""
    ours = node.get("id")
    return ours if isinstance(ours, str) else node.element_id


def _time(value: Any) -> CypherValue:
    """Python's own where it can hold the value: no nanoseconds, no named zone, no year beyond its calendar."""
    zone = str(getattr(getattr(value, "tzinfo", None), "key", "") or getattr(getattr(value, "tzinfo", None), "zone", None) or "")
    if zone == "UTC":
        zone = ""
    exact = getattr(value, "nanosecond", 0) % 1000 == 0 and getattr(value, "year", 1) in _PYTHON_YEARS and not zone
    if exact:
        native: CypherValue = value.to_native()
        return native
    return CypherTime(_type(value), value.iso_format(), zone)


def _type(value: Any) -> str:
    aware = isinstance(getattr(value, "tzinfo", None) and value.utcoffset(), timedelta)
    match value:
        case neo4j.time.DateTime():
            return "datetime" if aware else "local_datetime"
        case neo4j.time.Time():
            return "time" if aware else "local_time"
        case _:
            return "date"
