"""Checks of instants, local times and time zones."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from google.protobuf.timestamp_pb2 import Timestamp

from graph.model import DISTANT_PAST, from_micros
from service.validate.violations import Violations

# Year 0 does not exist in the calendar of the contract, and 9999 holds the instant that stands for "no end".
_FIRST = datetime(1, 1, 1, tzinfo=UTC)
_END = datetime(9999, 1, 1, tzinfo=UTC)
_RANGE = "must be between the years 1 and 9998"
_MAX_LOCAL = 64


def instant(found: Violations, field: str, value: Timestamp) -> datetime:
    """A timestamp between the years 1 and 9998, to the microsecond."""
    seconds, nanos = value.seconds, value.nanos
    if not 0 <= nanos <= 999_999_999:
        found.add(f"{field}.nanos", "must be from 0 to 999,999,999")
        return DISTANT_PAST
    moment = _moment(seconds, nanos)
    if moment is None:
        found.add(field, _RANGE)
        return DISTANT_PAST
    return moment


# What stands together in an import was mostly said and recorded at the same time.
@lru_cache(maxsize=4096)
def _moment(seconds: int, nanos: int) -> datetime | None:
    try:
        moment = from_micros(seconds * 1_000_000 + nanos // 1000)
    except OverflowError:
        return None
    return moment if _FIRST <= moment < _END else None


def local_time(found: Violations, field: str, value: str, zone: ZoneInfo | None) -> datetime:
    """A time in ISO 8601, with an offset of its own or in the zone given, in UTC."""
    try:
        if len(value) > _MAX_LOCAL:
            raise ValueError
        moment = datetime.fromisoformat(value)
    except ValueError:
        # fromisoformat refuses the years 0 and 10000 and beyond as it refuses other text.
        found.add(field, _RANGE if value.startswith(("0000-", "-", "+")) else 'is not a time such as "2024-03-05T18:30:00"')
        return DISTANT_PAST
    if moment.tzinfo is None:
        if zone is None:
            found.add(field, "has no offset and neither the session nor the namespace has a time zone")
            return DISTANT_PAST
        moment = moment.replace(tzinfo=zone)
    try:
        utc = moment.astimezone(UTC)
        if _FIRST <= utc < _END and moment.year < 9999:
            return utc
    except (OverflowError, ValueError):
        pass
    found.add(field, _RANGE)
    return DISTANT_PAST


def zone_name(found: Violations, field: str, value: str) -> str:
    """The name of an IANA time zone; "" for none."""
    if value and zone_of(value) is None:
        found.add(field, 'is not an IANA time zone such as "Europe/Lisbon"')
    return value


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of this name; None for "" and for names that are not in the database."""
    if not name or len(name) > 100 or "\0" in name:
        return None
    try:
        zone = ZoneInfo(name)
        datetime(2000, 1, 1, tzinfo=zone) + timedelta(0)
        return zone
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None
