"""Dates as people type them: "2024", "2024-03", "2024-03-05", "2024-03-05T10:00", with an offset or in a time zone."""

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import typer

_PERIOD = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?\Z")
_EXAMPLES = 'such as 2024, 2024-03, 2024-03-05 or "2024-03-05T10:00+01:00"'


def zone_of(name: str | None) -> tzinfo:
    """The IANA time zone of a name; UTC for none. Raises BadParameter."""
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise typer.BadParameter(f'"{name}" is not an IANA time zone, such as Europe/Lisbon', param_hint="--timezone") from None


def period_of(text: str, zone: tzinfo) -> tuple[datetime, datetime]:
    """The period that a text names: from its first instant to the first one after it.

    Raises:
        ValueError: it is no date.
    """
    match = _PERIOD.match(text.strip())
    if match is None:
        moment = datetime.fromisoformat(text.strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=zone)
        return moment.astimezone(UTC), moment.astimezone(UTC) + timedelta(microseconds=1)
    year, month, day = (int(part) if part else None for part in match.groups())
    start = datetime(year or 0, month or 1, day or 1, tzinfo=zone)
    if day:
        # Calendar arithmetic in the zone: a day with a change of clocks has 23 or 25 hours.
        end = (start.replace(tzinfo=None) + timedelta(days=1)).replace(tzinfo=zone)
    elif month:
        end = start.replace(year=start.year + month // 12, month=month % 12 + 1)
    else:
        end = start.replace(year=start.year + 1)
    return start.astimezone(UTC), end.astimezone(UTC)


def range_of(since: str | None, until: str | None, zone: tzinfo) -> tuple[datetime | None, datetime | None]:
    """The range from the beginning of one period to the end of another, either open. Raises BadParameter."""
    start = _parsed("--from", since, zone)
    end = _parsed("--to", until, zone)
    first, last = start and start[0], end and end[1]
    if first and last and first >= last:
        raise typer.BadParameter("ends before it starts", param_hint="--from/--to")
    return first, last


def checked_date(text: str | None) -> str | None:
    """A date as it was typed, before anything is done with it. Raises BadParameter."""
    _parsed(None, text, UTC)
    return text


def checked_period(text: str | None) -> str | None:
    """A date of a file, before anything is done with it.

    Raises:
        ValueError: it is no date.
    """
    try:
        if text is not None:
            period_of(text, UTC)
    except (ValueError, OverflowError):
        raise ValueError(f'"{text}" is not a date, {_EXAMPLES}') from None
    return text


def checked_zone(name: str | None) -> str | None:
    """The name of a time zone, before anything is done with it. Raises BadParameter."""
    zone_of(name)
    return name


def _parsed(option: str | None, text: str | None, zone: tzinfo) -> tuple[datetime, datetime] | None:
    if text is None:
        return None
    try:
        return period_of(text, zone)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f'"{text}" is not a date, {_EXAMPLES}', param_hint=option) from None
