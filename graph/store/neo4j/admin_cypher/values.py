"""Values of the driver as values of Cypher's answers; vectors and bytes are left out."""

from collections.abc import Mapping
from datetime import UTC, datetime, time, timezone
from typing import Any

import neo4j.graph
import neo4j.spatial
import neo4j.time
from neo4j.exceptions import BrokenRecordError
from neo4j.vector import Vector

from graph.cypher import CypherDuration, CypherElided, CypherNode, CypherPath, CypherPoint, CypherRelationship, CypherValue
from graph.cypher.times import ExactTime, in_zone
from graph.errors import CypherInvalid

# A list of so many numbers with a fraction is a vector: nobody reads it.
VECTOR_LENGTH = 64
_PYTHON_YEARS = range(1, 10_000)
_NANOSECONDS = 1_000_000_000
_PLAIN = (bool, int, float, str)


def row_of(record: neo4j.Record) -> list[CypherValue]:
    """The values of a record.

    Raises:
        CypherInvalid: the driver, or we, cannot read one of them; its column is named. The driver knows no date outside of the years 1 to
            9999, though the server does.
    """
    row = []
    for index, column in enumerate(record.keys()):
        try:
            row.append(value_of(record[index]))
        except (BrokenRecordError, _Unread) as error:
            told = "holds what Neo4j's driver cannot read, such as a date outside of the years 1 to 9999; return its toString()"
            raise CypherInvalid(f"the column {column[:60]!a} {told}") from error
    return row


class _Unread(ValueError):
    """A value that the driver reads as something that it is not, or as something new."""


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
            # The driver's parts have one sign; ours are the server's, with nanoseconds that count up.
            seconds, nanoseconds = divmod(value.seconds * _NANOSECONDS + value.nanoseconds, _NANOSECONDS)
            return CypherDuration(value.months, value.days, seconds, nanoseconds)
        case neo4j.time.Date() | neo4j.time.Time() | neo4j.time.DateTime():
            return _time(value).value
        case neo4j.spatial.Point():
            return CypherPoint(int(value.srid or 0), tuple(map(float, value)))
        case bytes() | bytearray():
            return CypherElided("bytes", len(value))
        case Vector():
            return CypherElided("vector", len(value.to_native()))
        case dict():
            return _properties(value)
        case list():
            return _list(value)
        case None:
            return None
        case _ if isinstance(value, _PLAIN):
            return value
        case _:
            raise _Unread


def _list(values: list[Any]) -> CypherValue:
    if len(values) >= VECTOR_LENGTH and all(isinstance(item, float) for item in values):
        return CypherElided("vector", len(values))
    return [value_of(item) for item in values]


def _node(node: neo4j.graph.Node) -> CypherNode:
    return CypherNode(_id(node), tuple(sorted(node.labels)), _properties(node))


def _relationship(it: neo4j.graph.Relationship) -> CypherRelationship:
    source, target = it.nodes
    return CypherRelationship(it.element_id, it.type, _id(source), _id(target), _properties(it))


def _properties(values: Mapping[str, Any]) -> dict[str, CypherValue]:
    return {str(key): value_of(item) for key, item in values.items()}


def _id(node: neo4j.graph.Node | None) -> str:
    """Ours; the database's, of nodes that have none and of ends of a relationship that are not in the answer themselves."""
    if node is None:
        return ""
    ours = node.get("id")
    return ours if isinstance(ours, str) else node.element_id


def _time(value: Any) -> ExactTime:
    match value:
        case neo4j.time.DateTime():
            return _datetime(value)
        case neo4j.time.Time():
            return ExactTime(None, time(value.hour, value.minute, value.second), value.nanosecond, value.utc_offset())
        case _:
            _check_year(value)
            return ExactTime(value.to_native(), None)


def _datetime(value: neo4j.time.DateTime) -> ExactTime:
    """The instant is the driver's; what a clock in a named zone shows we compute, since the driver's zones end in 2037."""
    _check_year(value)
    naive = datetime(value.year, value.month, value.day, value.hour, value.minute, value.second)
    offset = value.utc_offset()
    # The driver knows the zone named UTC only as an offset of zero.
    zone = getattr(value.tzinfo, "zone", None) if value.tzinfo is not None and offset is not None else None
    if offset is None or zone in (None, "UTC"):
        return ExactTime(naive.date(), naive.time(), value.nanosecond, offset)
    try:
        return in_zone(naive.replace(tzinfo=timezone(offset)).astimezone(UTC), value.nanosecond, str(zone))
    except (ValueError, OverflowError) as error:
        raise _Unread from error


def _check_year(value: Any) -> None:
    """The driver reads the last day of the year 0 as no day at all, and says nothing."""
    if value.year not in _PYTHON_YEARS:
        raise _Unread
