"""Values of a caller as parameters of the driver: what was read from the database is, given back, what it was.

The server compares times by their offset and zone too: 13:00 in Lisbon is not 12:00 at an offset of zero.
"""

from collections.abc import Mapping
from datetime import datetime, time, timedelta, tzinfo
from typing import Any

import neo4j.spatial
import neo4j.time

from graph.cypher import CypherDuration, CypherPoint, CypherTime, CypherValue
from graph.cypher.times import ExactTime, exact_time


def parameter_of(value: CypherValue) -> Any:
    """A parameter.

    Raises:
        ValueError, OverflowError: a CypherTime is none of its type (see `exact_time`), or the driver does not take it: beyond the years 1
            to 9999 in UTC, or at an offset that is no whole number of minutes.
    """
    match value:
        case CypherTime():
            return _time(exact_time(value))
        case time() | datetime() if value.tzinfo is not None:
            # The driver asks a zone for its offset at a time of day, which Python's zones do not answer.
            clock = value.timetz() if isinstance(value, datetime) else value
            day = value.date() if isinstance(value, datetime) else None
            return _time(ExactTime(day, clock.replace(microsecond=0, tzinfo=None), value.microsecond * 1_000, value.utcoffset()))
        case CypherDuration():
            return neo4j.time.Duration(months=value.months, days=value.days, seconds=value.seconds, nanoseconds=value.nanoseconds)
        case CypherPoint():
            point = neo4j.spatial.Point(value.coordinates)
            point.srid = value.srid
            return point
        case Mapping():
            return {key: parameter_of(item) for key, item in value.items()}
        case list() | tuple():
            return [parameter_of(item) for item in value]
        case _:
            return value


def _time(it: ExactTime) -> Any:
    if it.day is None:
        return _clock(it)
    if it.clock is None:
        return neo4j.time.Date.from_native(it.day)
    day, clock = it.day, it
    if it.zone and it.offset is not None:
        # As the same instant at an offset of zero: the driver sends the instant with the zone's name, but takes offsets of minutes alone.
        utc = datetime.combine(it.day, it.clock) - it.offset
        day, clock = utc.date(), ExactTime(None, utc.time(), it.nanosecond, timedelta(0), it.zone)
    return neo4j.time.DateTime.combine(neo4j.time.Date.from_native(day), _clock(clock))


def _clock(it: ExactTime) -> neo4j.time.Time:
    assert it.clock is not None
    if it.offset is not None and it.offset.seconds % 60:
        raise ValueError
    zone = None if it.offset is None else _Zone(it.offset, it.zone)
    return neo4j.time.Time(it.clock.hour, it.clock.minute, it.clock.second, it.nanosecond, zone)


class _Zone(tzinfo):
    """An offset that is known, with the name that the driver tells the server; "" for none."""

    def __init__(self, offset: timedelta, name: str) -> None:
        self._offset = offset
        self.key = name

    def utcoffset(self, at: datetime | None, /) -> timedelta:
        return self._offset

    def dst(self, at: datetime | None, /) -> None:
        return None

    def tzname(self, at: datetime | None, /) -> str:
        return self.key
