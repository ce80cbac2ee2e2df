"""Times as LightMem's messages give them, and as its answers show them."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

# As LongMemEval writes them: "2023/05/20 (Sat) 00:44", with or without seconds.
_WITH_WEEKDAY = re.compile(r"\s*(\d{4})[/-](\d{1,2})[/-](\d{1,2})\s*\([^)]*\)\s*(\d{1,2}):(\d{2})(?::(\d{2}))?\s*\Z")
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def moment(stamp: object) -> datetime:
    """The time of a `time_stamp`: ISO 8601, or "2023/05/20 (Sat) 00:44"; naive unless it has an offset. Raises ValueError."""
    if not isinstance(stamp, str) or not stamp.strip():
        raise ValueError("must be a time such as '2023-05-20T00:44:00' or '2023/05/20 (Sat) 00:44'")
    if match := _WITH_WEEKDAY.match(stamp):
        return datetime(*(int(part or 0) for part in match.groups()))  # type: ignore[arg-type]  # six numbers, no zone
    try:
        return datetime.fromisoformat(stamp.strip())
    except ValueError:
        raise ValueError(f"must be a time such as '2023-05-20T00:44:00' or '2023/05/20 (Sat) 00:44'; it is {stamp!r}") from None


def instant(stamp: object, zone: ZoneInfo) -> datetime:
    """The same as an instant in UTC; a naive one is a local time of this zone."""
    time = moment(stamp)
    return (time if time.tzinfo else time.replace(tzinfo=zone)).astimezone(UTC)


def shown(time: datetime, zone: ZoneInfo) -> str:
    """As LightMem's `retrieve` begins each memory: local time with milliseconds, and the day of the week."""
    there = local(time, zone)
    return f"{there.isoformat(timespec='milliseconds')} {_WEEKDAYS[there.weekday()]}"


def local(time: datetime, zone: ZoneInfo) -> datetime:
    """An instant as a naive local time, as LightMem writes times."""
    return time.astimezone(zone).replace(tzinfo=None)
