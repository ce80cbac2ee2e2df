"""Values of Cypher, both ways, and the parts of an answer put together."""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any

from google.protobuf.struct_pb2 import NULL_VALUE

from structmem._cypher import (
    CypherAnswer,
    CypherDuration,
    CypherElided,
    CypherNode,
    CypherPath,
    CypherPoint,
    CypherRelationship,
    CypherTime,
    CypherValue,
)
from structmem._decode import kind
from structmem._encode import build
from structmem._errors import InvalidArgumentError
from structmem._kinds import CypherElidedKind
from structmem.v1 import cypher_pb2 as pb
from structmem.v1 import inspection_service_pb2 as ipb

_MICROSECOND_DIGITS = 6
_TYPE_PREFIX = "CYPHER_TIME_TYPE_"
_PARSERS: dict[str, Callable[[str], CypherValue]] = {
    "date": date.fromisoformat,
    "local_time": time.fromisoformat,
    "time": time.fromisoformat,
    "local_datetime": datetime.fromisoformat,
    "datetime": datetime.fromisoformat,
}


class Collected:
    """An answer whose parts come one after the other."""

    def __init__(self) -> None:
        self._columns: tuple[str, ...] = ()
        self._rows: list[tuple[CypherValue, ...]] = []
        self._revision = 0
        self._truncated = False

    def add(self, part: ipb.RunCypherResponse) -> None:
        """Takes the next part."""
        if part.HasField("header"):
            self._columns, self._revision = tuple(part.header.columns), part.header.revision
        self._rows += [tuple(value(one) for one in row.values) for row in part.batch.rows]
        self._truncated = self._truncated or part.trailer.truncated

    def answer(self) -> CypherAnswer:
        """All of it."""
        return CypherAnswer(self._columns, tuple(self._rows), self._revision, self._truncated)


def value(it: pb.CypherValue) -> CypherValue:
    """A value of an answer. What a newer service sends and this client does not know reads as None."""
    kind = it.WhichOneof("kind")
    return None if kind is None else _READERS[kind](getattr(it, kind))


def _entries(it: Mapping[str, pb.CypherValue]) -> dict[str, CypherValue]:
    return {key: value(one) for key, one in it.items()}


def _node(it: pb.CypherNode) -> CypherNode:
    return CypherNode(it.id, tuple(it.labels), _entries(it.properties))


def _relationship(it: pb.CypherRelationship) -> CypherRelationship:
    return CypherRelationship(it.id, it.type, it.source_id, it.target_id, _entries(it.properties))


def _time(it: pb.CypherTime) -> CypherValue:
    kind = pb.CypherTimeType.Name(it.type).removeprefix(_TYPE_PREFIX).lower()
    digits = len(it.text.partition(".")[2].partition("+")[0].partition("-")[0].rstrip("Z"))
    if it.zone or digits > _MICROSECOND_DIGITS or kind not in _PARSERS:
        return CypherTime(kind, it.text, it.zone)
    try:
        return _PARSERS[kind](it.text)
    except ValueError:
        # A year beyond Python's.
        return CypherTime(kind, it.text)


def _plain(it: CypherValue) -> CypherValue:
    return it


_READERS: dict[str, Callable[[Any], CypherValue]] = {
    "null": lambda _: None,
    "boolean": _plain,
    "integer": _plain,
    "float": _plain,
    "text": _plain,
    "time": _time,
    "duration": lambda it: CypherDuration(it.months, it.days, it.seconds, it.nanoseconds),
    "list": lambda it: [value(one) for one in it.values],
    "map": lambda it: _entries(it.entries),
    "node": _node,
    "relationship": _relationship,
    "path": lambda it: CypherPath(tuple(map(_node, it.nodes)), tuple(map(_relationship, it.relationships))),
    "point": lambda it: CypherPoint(it.srid, tuple(it.coordinates)),
    "elided": lambda it: CypherElided(kind(CypherElidedKind, pb.CypherElidedKind, it.kind), it.size),
}


def parameters(given: Mapping[str, CypherValue]) -> dict[str, pb.CypherValue]:
    """Parameters of a query, by name."""
    return {name: _parameter(f"parameters[{name!r}]", one) for name, one in given.items()}


def _parameter(field: str, it: CypherValue) -> pb.CypherValue:
    match it:
        case None:
            return pb.CypherValue(null=NULL_VALUE)
        case bool():
            return pb.CypherValue(boolean=it)
        case int():
            return build(pb.CypherValue, integer=it)
        case float():
            return pb.CypherValue(float=it)
        case str():
            return build(pb.CypherValue, text=it)
        case datetime() | date() | time():
            return pb.CypherValue(time=pb.CypherTime(type=_time_type(it), text=it.isoformat(), zone=_zone(it)))
        case CypherTime():
            if it.type not in _PARSERS:
                raise InvalidArgumentError.of(field, f"has no type of a time: {it.type[:40]!r}")
            return pb.CypherValue(
                time=pb.CypherTime(type=pb.CypherTimeType.Value(f"{_TYPE_PREFIX}{it.type.upper()}"), text=it.text, zone=it.zone)
            )
        case CypherDuration():
            parts = {"months": it.months, "days": it.days, "seconds": it.seconds, "nanoseconds": it.nanoseconds}
            return pb.CypherValue(duration=build(pb.CypherDuration, **parts))
        case CypherPoint():
            return pb.CypherValue(point=build(pb.CypherPoint, srid=it.srid, coordinates=it.coordinates))
        case Mapping():
            return pb.CypherValue(map=pb.CypherMap(entries={str(key): _parameter(field, one) for key, one in it.items()}))
        case list() | tuple():
            return pb.CypherValue(list=pb.CypherList(values=[_parameter(field, one) for one in it]))
        case _:
            raise InvalidArgumentError.of(field, f"cannot be a {type(it).__name__}")


def _zone(it: datetime | date | time) -> str:
    """The name of a datetime's zone; UTC is an offset of zero."""
    name = getattr(it.tzinfo, "key", None) if isinstance(it, datetime) else None
    return "" if name in (None, "UTC") else str(name)


def _time_type(it: datetime | date | time) -> pb.CypherTimeType.ValueType:
    match it:
        case datetime():
            return pb.CYPHER_TIME_TYPE_LOCAL_DATETIME if it.tzinfo is None else pb.CYPHER_TIME_TYPE_DATETIME
        case time():
            return pb.CYPHER_TIME_TYPE_LOCAL_TIME if it.tzinfo is None else pb.CYPHER_TIME_TYPE_TIME
        case _:
            return pb.CYPHER_TIME_TYPE_DATE
