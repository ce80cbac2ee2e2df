"""When what is stated happened: the time that a statement names, and the same time as a date beside the words."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

from graph.model import DISTANT_FUTURE, DISTANT_PAST, Granularity, TimeSpan
from graph.text.times import find_times

# A clock time alone: whether it is that of today, of the day just agreed on or of any day cannot be told.
_LOOSE_CLOCK = re.compile(
    r"(?i)(?:(?:at|around|about|by|from|until|till|before|after)\s+)?(?:[\d:.]+\s*(?:[ap]\.?m\.?)?|\w+\s+o['’]?\s?clock|noon|midday|midnight)"
)


def main_time(times: Sequence[TimeSpan]) -> TimeSpan | None:
    """The first of the times that a statement names; the most exact where it names several."""
    return min(times, key=lambda span: span.granularity, default=None)


def times_of(text: str, said_at: datetime, zone: tzinfo) -> tuple[TimeSpan, ...]:
    """The times of what happened. The year of a thing ("a house from 1890") is none."""
    return tuple(
        span
        for span in find_times(text, said_at, zone)
        if not (span.granularity <= Granularity.HOUR and _LOOSE_CLOCK.fullmatch(span.expression))
        and not (span.granularity >= Granularity.YEAR and re.search(rf"(?i)\bfrom\s+{re.escape(span.expression)}(?!\s+on)", text))
    )


def dated(text: str, times: Sequence[TimeSpan], quoted: bool, zone: tzinfo) -> str:
    """The text with the dates that its words mean: "last week (week of 8 May 2023)", "on 28 March 2024". A quotation keeps its words and
    has the date after it.
    """
    if quoted:
        span = main_time(times)
        note = date_note(span, zone) if span else ""
        return text if not note or note.casefold() in text.casefold() else f"{text} ({note})"
    missing = []
    for span in times:
        note = date_note(span, zone)
        if note.casefold() in text.casefold():
            continue
        if span.expression not in text:
            missing.append(note)
        elif re.search(rf"(?i)(?:^|\s){re.escape(note[:-5])}$", span.expression):
            text = text.replace(span.expression, span.expression + note[-5:], 1)
        else:
            text = text.replace(span.expression, f"{span.expression} ({note})", 1)
    return _with_note(text, missing[0]) if missing else text


def undated(text: str) -> str:
    """The text with a note that its time counts from something whose time is not known: "when I was ten"."""
    return _with_note(text, "date unknown")


def _with_note(text: str, note: str) -> str:
    body, end = (text[:-1], text[-1]) if text[-1:] in {".", "!"} else (text, "")
    return f"{body} ({note}){end}"


def date_note(span: TimeSpan, zone: tzinfo) -> str:
    """A span as a reader would write it, to its granularity; an open end is left open."""
    if span.start == DISTANT_PAST:
        return f"until {_day((span.end - timedelta(microseconds=1)).astimezone(zone))}"
    start = span.start.astimezone(zone)
    if span.end == DISTANT_FUTURE:
        return f"since {start.year}" if span.granularity >= Granularity.YEAR else f"since {_day(start)}"
    after = span.end.astimezone(zone)
    last = after - timedelta(microseconds=1)
    days = (after.date() - start.date()).days
    match span.granularity:
        case Granularity.INSTANT | Granularity.HOUR | Granularity.DAY_PART:
            return _day(start)
        case Granularity.YEAR | Granularity.ERA:
            return str(start.year) if start.year == last.year else f"{start.year} to {last.year}"
        case Granularity.SEASON | Granularity.MONTH if start.day == 1 and days >= 28:
            first = f"{start:%B}" if start.year == last.year else f"{start:%B} {start.year}"
            return f"{last:%B} {last.year}" if days <= 31 else f"{first} to {last:%B} {last.year}"
        case _ if days <= 1:
            return _day(start)
        case _ if days == 7 and start.weekday() == 0:
            return f"week of {_day(start)}"
        case _:
            first = f"{start.day}" if (start.month, start.year) == (last.month, last.year) else f"{start.day} {start:%B}"
            return f"{first if start.year == last.year else _day(start)} to {_day(last)}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B} {moment.year}"
