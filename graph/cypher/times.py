"""Dates and times of Cypher in ISO 8601: read to the nanosecond, with offset and zone, and written the same way."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from graph.cypher.values import CypherTime, CypherValue

_DAY = r"(?P<day>\d{4}-\d\d-\d\d)"
_CLOCK = r"(?P<clock>\d\d:\d\d(?::\d\d(?:\.(?P<fraction>\d{1,9}))?)?)"
_OFFSET = r"(?P<offset>Z|[+-]\d\d:\d\d(?::\d\d)?)"
_TEXTS = {
    "date": re.compile(_DAY, re.ASCII),
    "local_time": re.compile(_CLOCK, re.ASCII),
    "time": re.compile(_CLOCK + _OFFSET, re.ASCII),
    "local_datetime": re.compile(f"{_DAY}T{_CLOCK}", re.ASCII),
    "datetime": re.compile(f"{_DAY}T{_CLOCK}{_OFFSET}?", re.ASCII),
}
_UNSEEN = date(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class ExactTime:
    """The parts of a date or time.

    Attributes:
        day: None of a time of day.
        clock: to the second, without an offset; None of a date.
        nanosecond: of the second, 0 to 999,999,999.
        offset: of a "time" or "datetime" from UTC.
        zone: the zone's name, of a "datetime" that has one.
    """

    day: date | None
    clock: time | None
    nanosecond: int = 0
    offset: timedelta | None = None
    zone: str = ""

    @property
    def text(self) -> str:
        """In ISO 8601, with nine digits of the second where any is known."""
        fraction = f".{self.nanosecond:09}" if self.nanosecond else ""
        offset = "" if self.offset is None else time(tzinfo=timezone(self.offset)).isoformat()[8:]
        clock = "" if self.clock is None else f"{self.clock.isoformat()}{fraction}{offset}"
        return "T".join(part for part in (str(self.day or ""), clock) if part)

    @property
    def value(self) -> CypherValue:
        """Python's own where it can hold all of it: no named zone, whole microseconds; else a CypherTime."""
        if self.zone or self.nanosecond % 1_000:
            return CypherTime(self._type, self.text, self.zone)
        if self.clock is None:
            return self.day
        zone = None if self.offset is None else UTC if not self.offset else timezone(self.offset)
        clock = self.clock.replace(microsecond=self.nanosecond // 1_000, tzinfo=zone)
        return clock if self.day is None else datetime.combine(self.day, clock)

    @property
    def _type(self) -> str:
        local = "" if self.offset is not None else "local_"
        if self.day is None:
            return f"{local}time"
        return "date" if self.clock is None else f"{local}datetime"


def exact_time(given: CypherTime) -> ExactTime:
    """The parts of a date or time whose text is in ISO 8601's extended format.

    A "datetime" has an offset, or a zone from which it follows; with both, the offset says which instant is meant.

    Raises:
        ValueError: the text is none of its type in the years 1 to 9999, or there is no such zone.
    """
    found = _TEXTS[given.type].fullmatch(given.text) if given.type in _TEXTS else None
    if found is None or (given.zone and given.type != "datetime"):
        raise ValueError
    parts = found.groupdict()
    day = date.fromisoformat(parts["day"]) if parts.get("day") else None
    clock = time.fromisoformat(parts["clock"].partition(".")[0]) if parts.get("clock") else None
    nanosecond = int((parts.get("fraction") or "0").ljust(9, "0"))
    zone = _zone(given.zone)
    offset = _offset(parts.get("offset") or "")
    if offset is None and given.type == "datetime":
        if zone is None or day is None or clock is None:
            raise ValueError
        offset = datetime.combine(day, clock, zone).utcoffset()
    return ExactTime(day, clock, nanosecond, offset, given.zone)


def in_zone(utc: datetime, nanosecond: int, name: str) -> ExactTime:
    """An instant, given in UTC and to the second, as a clock in that zone shows it. Raises ValueError where there is no such zone."""
    local = utc.astimezone(_zone(name))
    return ExactTime(local.date(), local.time(), nanosecond, local.utcoffset(), name)


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError from error


def _offset(text: str) -> timedelta | None:
    return datetime.fromisoformat(f"{_UNSEEN}T00:00:00{text}").utcoffset() if text else None
