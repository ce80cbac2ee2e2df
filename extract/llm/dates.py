"""When something happened, from what the model says of it: the words of a message, and a date of its own."""

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo

from graph.model import Granularity, Message, TimeSpan
from graph.text.times import find_times
from graph.text.times.moment import Moment

_DATE = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2})(?:[T ](\d{2}):(\d{2})(?::\d{2})?)?)?)?\Z")
_LONGEST_EXPRESSION = 100


def span_of_date(text: str, zone: tzinfo) -> TimeSpan:
    """The span of an ISO 8601 date, month, year or minute of the zone's calendar, or of "first/last" of two of them, both included.

    Raises:
        ValueError: it is none, or ends before it starts.
    """
    first, separator, last = text.partition("/")
    start = _one(first, zone)
    if not separator:
        return start
    end = _one(last, zone)
    if end.start < start.start:
        raise ValueError("ends before it starts")
    return TimeSpan(start.start, end.end, max(start.granularity, end.granularity))


def resolved_time(when: str, iso: str, evidence: Sequence[Message], zone: tzinfo) -> TimeSpan | None:
    """The span that a statement's words name, else that of its date; None where neither says one.

    The words count only where a message of the evidence says them. They go first: rules compute dates better than models do.
    """
    for message in reversed(evidence):
        span = _of_words(when, message, zone)
        if span:
            return span
    if not iso:
        return None
    return replace(span_of_date(iso, zone), expression=when[:_LONGEST_EXPRESSION] if _said(when, evidence) else "")


def _of_words(when: str, message: Message, zone: tzinfo) -> TimeSpan | None:
    wanted = _folded(when)
    if not wanted or wanted not in _folded(message.text):
        return None
    # In its sentence first: the tense around "on Friday" tells which one is meant.
    for span in find_times(message.text, message.sent_at, zone):
        found = _folded(span.expression)
        if found and (found in wanted or wanted in found):
            return span
    return next(iter(find_times(when, message.sent_at, zone)), None)


def _said(when: str, evidence: Sequence[Message]) -> bool:
    wanted = _folded(when)
    return bool(wanted) and any(wanted in _folded(message.text) for message in evidence)


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _one(text: str, zone: tzinfo) -> TimeSpan:
    match = _DATE.match(text.strip())
    if match is None or match[1] in {"0000", "9999"}:
        raise ValueError("is not a date as ISO 8601 writes it")
    year, month, day, hour, minute = (None if part is None else int(part) for part in match.groups())
    assert year is not None
    moment = Moment(datetime(2000, 1, 1, tzinfo=zone), zone, "")
    if month is None:
        return moment.year(year)
    if day is None:
        date(year, month, 1)  # raises for a month that is none
        return moment.months(year, month)
    if hour is None or minute is None:
        return moment.days(date(year, month, day))
    start = datetime(year, month, day, hour, minute)
    return moment.span(start, start + timedelta(minutes=1), Granularity.INSTANT)
