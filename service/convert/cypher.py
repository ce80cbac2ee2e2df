"""Values of Cypher, both ways, and the parts of an answer."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time
from typing import Any

from google.protobuf.struct_pb2 import NULL_VALUE
from structmem.v1 import cypher_pb2 as pb
from structmem.v1 import inspection_service_pb2

from graph.cypher import (
    CypherDuration,
    CypherElided,
    CypherHeader,
    CypherNode,
    CypherPart,
    CypherPath,
    CypherPoint,
    CypherRelationship,
    CypherSummary,
    CypherTime,
    CypherValue,
)
from graph.cypher.times import exact_time
from graph.store.port import count_within
from service.validate import Violations
from service.validate.times import zone_of

_TIME_TYPES = {
    "date": pb.CYPHER_TIME_TYPE_DATE,
    "local_time": pb.CYPHER_TIME_TYPE_LOCAL_TIME,
    "time": pb.CYPHER_TIME_TYPE_TIME,
    "local_datetime": pb.CYPHER_TIME_TYPE_LOCAL_DATETIME,
    "datetime": pb.CYPHER_TIME_TYPE_DATETIME,
}
_ELIDED = {"vector": pb.CYPHER_ELIDED_KIND_VECTOR, "bytes": pb.CYPHER_ELIDED_KIND_BYTES}
_TIME_NAMES = {type_: name for name, type_ in _TIME_TYPES.items()}
_SHAPES = {
    "date": '"2024-03-09"',
    "local_time": '"14:30:00"',
    "time": '"14:30:00+01:00"',
    "local_datetime": '"2024-03-09T14:30:00"',
    "datetime": '"2024-03-09T14:30:00+00:00"',
}
# How many coordinates a point has in each of the coordinate systems of Cypher.
_DIMENSIONS = {4326: 2, 4979: 3, 7203: 2, 9157: 3}
_MAX_PARAMETERS = 100
_NANOSECONDS = 1_000_000_000


def parts_to_proto(part: CypherPart, max_bytes: int) -> list[inspection_service_pb2.RunCypherResponse]:
    """A part of an answer; rows in runs of at most so many bytes, or a single one that is longer."""
    match part:
        case CypherHeader():
            header = inspection_service_pb2.CypherHeader(columns=part.columns, revision=part.revision)
            return [inspection_service_pb2.RunCypherResponse(header=header)]
        case CypherSummary():
            trailer = inspection_service_pb2.CypherTrailer(row_count=part.rows, truncated=part.truncated)
            return [inspection_service_pb2.RunCypherResponse(trailer=trailer)]
        case rows:
            made = [pb.CypherRow(values=[value_to_proto(value) for value in row]) for row in rows]
            batches = [inspection_service_pb2.CypherBatch(rows=run) for run in _runs(made, max_bytes)]
            return [inspection_service_pb2.RunCypherResponse(batch=batch) for batch in batches]


def _runs(rows: list[pb.CypherRow], max_bytes: int) -> Iterator[list[pb.CypherRow]]:
    while rows:
        count = count_within((row.ByteSize() for row in rows), max_bytes)
        yield rows[:count]
        rows = rows[count:]


def value_to_proto(value: CypherValue) -> pb.CypherValue:
    """A value of an answer."""
    match value:
        case None:
            return pb.CypherValue(null=NULL_VALUE)
        case bool():
            return pb.CypherValue(boolean=value)
        case int():
            return pb.CypherValue(integer=value)
        case float():
            return pb.CypherValue(float=value)
        case str():
            return pb.CypherValue(text=value)
        case datetime() | date() | time() | CypherTime():
            return pb.CypherValue(time=_time(value))
        case CypherDuration():
            made = pb.CypherDuration(months=value.months, days=value.days, seconds=value.seconds, nanoseconds=value.nanoseconds)
            return pb.CypherValue(duration=made)
        case Mapping():
            return pb.CypherValue(map=pb.CypherMap(entries=_entries(value)))
        case list() | tuple():
            return pb.CypherValue(list=pb.CypherList(values=[value_to_proto(item) for item in value]))
        case _:
            return _graph_value(value)


def _graph_value(value: Any) -> pb.CypherValue:
    match value:
        case CypherNode():
            return pb.CypherValue(node=_node(value))
        case CypherRelationship():
            return pb.CypherValue(relationship=_relationship(value))
        case CypherPath():
            nodes, relationships = map(_node, value.nodes), map(_relationship, value.relationships)
            return pb.CypherValue(path=pb.CypherPath(nodes=nodes, relationships=relationships))
        case CypherPoint():
            return pb.CypherValue(point=pb.CypherPoint(srid=value.srid, coordinates=value.coordinates))
        case CypherElided():
            return pb.CypherValue(elided=pb.CypherElided(kind=_ELIDED[value.what], size=value.size))
        case _:
            raise TypeError(f"{type(value).__name__} is no value of Cypher")


def _entries(values: Mapping[str, CypherValue]) -> dict[str, pb.CypherValue]:
    return {key: value_to_proto(value) for key, value in values.items()}


def _node(node: CypherNode) -> pb.CypherNode:
    return pb.CypherNode(id=node.id, labels=node.labels, properties=_entries(node.properties))


def _relationship(it: CypherRelationship) -> pb.CypherRelationship:
    return pb.CypherRelationship(id=it.id, type=it.type, source_id=it.source_id, target_id=it.target_id, properties=_entries(it.properties))


def _time(value: date | time | CypherTime) -> pb.CypherTime:
    match value:
        case CypherTime():
            return pb.CypherTime(type=_TIME_TYPES[value.type], text=value.text, zone=value.zone)
        case datetime():
            kind = "local_datetime" if value.tzinfo is None else "datetime"
        case time():
            kind = "local_time" if value.tzinfo is None else "time"
        case _:
            kind = "date"
    return pb.CypherTime(type=_TIME_TYPES[kind], text=value.isoformat())


def parameters_from_proto(found: Violations, field: str, values: Mapping[str, pb.CypherValue]) -> dict[str, CypherValue]:
    """Parameters of a query."""
    if len(values) > _MAX_PARAMETERS:
        found.add(field, f"must hold at most {_MAX_PARAMETERS} parameters")
        return {}
    return {name: _value_from_proto(found, f"{field}[{name[:40]!a}]", value) for name, value in values.items()}


def _value_from_proto(found: Violations, field: str, value: pb.CypherValue) -> CypherValue:
    match value.WhichOneof("kind"):
        case "null":
            return None
        case "boolean" | "integer" | "float" | "text" as kind:
            plain: bool | int | float | str = getattr(value, kind)
            return plain
        case "list":
            return [_value_from_proto(found, field, item) for item in value.list.values]
        case "map":
            return {key: _value_from_proto(found, field, item) for key, item in value.map.entries.items()}
        case "time":
            return _time_from_proto(found, field, value.time)
        case "duration":
            return _duration_from_proto(found, field, value.duration)
        case "point":
            return _point_from_proto(found, field, value.point)
        case None:
            found.add(field, "holds no value; null is one")
        case kind:
            found.add(field, f"a parameter cannot be a {kind}")
    return None


def _time_from_proto(found: Violations, field: str, value: pb.CypherTime) -> CypherValue:
    name = _TIME_NAMES.get(value.type)
    if name is None:
        found.add(field, "a time needs its type")
        return None
    if value.zone and (name != "datetime" or zone_of(value.zone) is None):
        found.add(f"{field}.zone", 'only a datetime has one, and it is an IANA time zone such as "Europe/Lisbon"')
        return None
    try:
        return exact_time(CypherTime(name, value.text, value.zone)).value
    except ValueError:
        found.add(field, f"must be in ISO 8601, such as {_SHAPES[name]}, with at most 9 digits of the second and a year from 1 to 9999")
        return None


def _duration_from_proto(found: Violations, field: str, value: pb.CypherDuration) -> CypherValue:
    if not 0 <= value.nanoseconds < _NANOSECONDS:
        found.add(f"{field}.nanoseconds", "must be from 0 to 999,999,999")
    return CypherDuration(value.months, value.days, value.seconds, value.nanoseconds)


def _point_from_proto(found: Violations, field: str, value: pb.CypherPoint) -> CypherValue:
    if _DIMENSIONS.get(value.srid) != len(value.coordinates):
        found.add(field, "must have 2 coordinates in the systems 4326 and 7203, 3 in 4979 and 9157")
    return CypherPoint(value.srid, tuple(value.coordinates))
