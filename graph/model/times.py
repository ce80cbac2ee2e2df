"""Times. Inside the service every time is an aware datetime in UTC; open ends are far-away instants, not nulls."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import IntEnum

DISTANT_PAST = datetime(1, 1, 1, tzinfo=UTC)
DISTANT_FUTURE = datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Granularity(IntEnum):
    """How exactly a time is known. The numbers are stored and are those of the contract."""

    INSTANT = 1
    HOUR = 2
    DAY_PART = 3
    DAY = 4
    WEEK = 5
    MONTH = 6
    SEASON = 7
    YEAR = 8
    ERA = 9


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """When something happened: `start <= t < end`, and how exactly that is known. `expression` holds the words that said so."""

    start: datetime
    end: datetime
    granularity: Granularity
    expression: str = ""

    def __post_init__(self) -> None:
        if self.start.tzinfo is None or self.end.tzinfo is None:
            raise ValueError("a time span needs aware datetimes")
        if self.start > self.end:
            raise ValueError("a time span starts before it ends")

    def overlaps(self, other: "TimeSpan") -> bool:
        """Whether the two share an instant. An instant (start == end) is a span of one microsecond here."""
        return self.start < max(other.end, other.start + _MICROSECOND) and other.start < max(self.end, self.start + _MICROSECOND)


@dataclass(frozen=True, slots=True)
class TimeRange:
    """What a filter accepts: `start <= t < end`."""

    start: datetime = DISTANT_PAST
    end: datetime = DISTANT_FUTURE


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970, exactly; negative before."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """The datetime of `to_micros`."""
    return _EPOCH + timedelta(microseconds=micros)
