"""Answers of queries in Cypher, and their values.

Plain values are Python's own: None, bool, int, float, str, list, dict, and of `datetime`: date, time and datetime, aware where Cypher's
value has an offset. The others are these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import TypeAlias

from structmem._kinds import CypherElidedKind


@dataclass(frozen=True, slots=True)
class CypherDuration:
    """A length of time. Its parts are added to a date one after the other; a month has no fixed length."""

    months: int = 0
    days: int = 0
    seconds: int = 0
    nanoseconds: int = 0


@dataclass(frozen=True, slots=True)
class CypherTime:
    """A date or time that Python's types cannot hold: with nanoseconds, or in a named zone. `text` is ISO 8601.

    `type` is one of "date", "local_time", "time", "local_datetime" and "datetime".
    """

    type: str
    text: str
    zone: str = ""


@dataclass(frozen=True, slots=True)
class CypherNode:
    """A node, with its labels and properties."""

    id: str
    labels: tuple[str, ...]
    properties: Mapping[str, "CypherValue"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CypherRelationship:
    """A relationship. `id` names it within one answer."""

    id: str
    type: str
    source_id: str
    target_id: str
    properties: Mapping[str, "CypherValue"] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CypherPath:
    """Nodes, and between each two the relationship that joins them."""

    nodes: tuple[CypherNode, ...]
    relationships: tuple[CypherRelationship, ...]


@dataclass(frozen=True, slots=True)
class CypherPoint:
    """A point in space: the number of its coordinate system, and two or three coordinates."""

    srid: int
    coordinates: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CypherElided:
    """What was left out: `size` numbers of a vector, or `size` bytes."""

    kind: CypherElidedKind
    size: int


CypherValue: TypeAlias = (
    bool
    | int
    | float
    | str
    | date
    | time
    | datetime
    | CypherTime
    | CypherDuration
    | Sequence["CypherValue"]
    | Mapping[str, "CypherValue"]
    | CypherNode
    | CypherRelationship
    | CypherPath
    | CypherPoint
    | CypherElided
    | None
)


@dataclass(frozen=True, slots=True)
class CypherAnswer:
    """Rows, each with a value for every column.

    Attributes:
        revision: of the namespace, as it is shown; 0 where a whole database is.
        truncated: there are more rows than these: a limit was reached.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[CypherValue, ...], ...]
    revision: int
    truncated: bool
