"""What passes between the service and the process of the engine: messages in packets, and values as JSON.

A message is cut into packets that a pipe takes whole or not at all (POSIX: PIPE_BUF, at least 512 bytes, 4,096 on Linux), so that a writer
that is killed leaves no half of one. The first and the last packet of a message say that they are: what a killed writer began is dropped.
"""

import math
import struct
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import orjson

from graph.cypher.values import (
    CypherDuration,
    CypherElided,
    CypherNode,
    CypherPath,
    CypherPoint,
    CypherRelationship,
    CypherTime,
    CypherValue,
)

_HEAD = struct.Struct(">HB")
_PACKET = 4_096 - _HEAD.size
_FIRST, _LAST = 1, 2
_TIMES: dict[str, Callable[[str], CypherValue]] = {
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "datetime": datetime.fromisoformat,
}
# Floats that are no JSON.
_FLOATS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def packets(message: Any) -> list[bytes]:
    """A message as packets."""
    data = orjson.dumps(message)
    count = max(1, -(-len(data) // _PACKET))
    made = []
    for index in range(count):
        part = data[index * _PACKET : (index + 1) * _PACKET]
        made.append(_HEAD.pack(len(part), (_FIRST if index == 0 else 0) | (_LAST if index == count - 1 else 0)) + part)
    return made


class Unpacking:
    """Puts messages together again. `head` is the size of a packet's head."""

    head = _HEAD.size

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    @staticmethod
    def size(head: bytes) -> int:
        """How many bytes follow the head."""
        size: int = _HEAD.unpack(head)[0]
        return size

    def add(self, head: bytes, part: bytes) -> Any | None:
        """Takes a packet; returns the message if it was its last one."""
        flags = _HEAD.unpack(head)[1]
        if flags & _FIRST:
            self._parts.clear()
        self._parts.append(part)
        return orjson.loads(b"".join(self._parts)) if flags & _LAST else None


def encoded(value: CypherValue) -> Any:
    """A value as JSON: scalars as they are, anything else as a list that begins with its type."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else ["float", str(value)]
        case datetime() | date() | time():
            return ["time", type(value).__name__, value.isoformat(), _zone(value)]
        case CypherTime():
            return ["other_time", value.type, value.text, value.zone]
        case CypherDuration():
            return ["duration", value.months, value.days, value.seconds, value.nanoseconds]
        case CypherNode():
            return ["node", value.id, list(value.labels), _entries(value.properties)]
        case CypherRelationship():
            return ["relationship", value.id, value.type, value.source_id, value.target_id, _entries(value.properties)]
        case CypherPath():
            return ["path", [encoded(node) for node in value.nodes], [encoded(one) for one in value.relationships]]
        case CypherPoint():
            return ["point", value.srid, list(value.coordinates)]
        case CypherElided():
            return ["elided", value.what, value.size]
        case dict():
            return ["map", _entries(value)]
        case _:
            return ["list", [encoded(item) for item in value]]


def _entries(properties: Any) -> dict[str, Any]:
    return {str(key): encoded(value) for key, value in properties.items()}


def _zone(value: date | time) -> str:
    return str(getattr(getattr(value, "tzinfo", None), "key", ""))


def decoded(plain: Any) -> CypherValue:
    """The value of `encoded`."""
    if not isinstance(plain, list):
        scalar: CypherValue = plain
        return scalar
    return _DECODERS[plain[0]](*plain[1:])


def decoded_rows(plain: list[list[Any]]) -> list[dict[str, CypherValue]]:
    """Rows that were encoded as maps."""
    return [_decoded_entries(row[1]) for row in plain]


def _time_of(kind: str, text: str, zone: str) -> CypherValue:
    if zone:
        return CypherTime("datetime", text, zone)
    return _TIMES[kind](text)


def _decoded_entries(plain: dict[str, Any]) -> dict[str, CypherValue]:
    return {key: decoded(value) for key, value in plain.items()}


def _node(id_: str, labels: list[str], properties: dict[str, Any]) -> CypherNode:
    return CypherNode(id_, tuple(labels), _decoded_entries(properties))


def _relationship(id_: str, type_: str, source: str, target: str, properties: dict[str, Any]) -> CypherRelationship:
    return CypherRelationship(id_, type_, source, target, _decoded_entries(properties))


def _path(nodes: list[Any], relationships: list[Any]) -> CypherPath:
    return CypherPath(tuple(_node(*node[1:]) for node in nodes), tuple(_relationship(*one[1:]) for one in relationships))


_DECODERS: dict[str, Callable[..., CypherValue]] = {
    "float": lambda text: _FLOATS[text],
    "time": _time_of,
    "other_time": CypherTime,
    "duration": CypherDuration,
    "node": _node,
    "relationship": _relationship,
    "path": _path,
    "point": lambda srid, coordinates: CypherPoint(srid, tuple(coordinates)),
    "elided": CypherElided,
    "map": _decoded_entries,
    "list": lambda items: [decoded(item) for item in items],
}
