"""Rules for times of the day: clock times and parts of a day, which need a day beside them or mean the day on which they were said."""

import re
from datetime import date, datetime, time, timedelta

from graph.model import Granularity, TimeSpan
from graph.text.times.moment import Moment
from graph.text.times.rule import Clock, Match, rule
from graph.text.times.words import DIGIT, NUMBERS, PART, PART_WORDS


def _twelve_hours(match: Match, moment: Moment) -> Clock | None:
    hour, half = int(match["hour"]), match["half"].casefold().replace(".", "")
    if not 1 <= hour <= 12:
        return None
    return Clock(hour % 12 + (12 if half == "pm" else 0), int(match["minute"]) if match["minute"] else None)


def _twenty_four_hours(match: Match, moment: Moment) -> Clock | None:
    return Clock(int(match["hour"]), int(match["minute"]))


def _on_the_hour(match: Match, moment: Moment) -> Clock | None:
    """ "7 o'clock" without its half of the day: read from 8 to 11 as morning, else as afternoon, which is when people meet."""
    word = match["hour"].casefold()
    hour = int(word) if word.isdigit() else NUMBERS[word]
    if not 1 <= hour <= 12:
        return None
    return Clock(hour if 8 <= hour <= 12 else hour + 12)


def _named(match: Match, moment: Moment) -> Clock | None:
    return Clock(12 if match["name"].casefold() in {"noon", "midday"} else 24)


def _part(match: Match, moment: Moment) -> Clock | None:
    return Clock(part=match["part"].casefold())


def clock_span(moment: Moment, day: date, clock: Clock) -> TimeSpan:
    """That time on that day. On the hour it is known to the hour; with minutes, to the minute."""
    if clock.part:
        return moment.part(day, clock.part)
    start = datetime.combine(day, time()) + timedelta(hours=clock.hour, minutes=clock.minute or 0)
    if clock.minute:
        return moment.span(start, start + timedelta(minutes=1), Granularity.INSTANT)
    return moment.span(start, start + timedelta(hours=1), Granularity.HOUR)


_AT = r"(?:(?:at|around|about|by|from|until|till)\s+)?(?P<core>)"

RULES = (
    rule(_AT + r"(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d))?\s?(?P<half>[ap]m|[ap]\.m\.?)", _twelve_hours, DIGIT),
    rule(r"(?:at|around|about|by|from|until|till)\s+(?P<core>)(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)", _twenty_four_hours, DIGIT),
    rule(_AT + rf"(?P<hour>1[0-2]|[1-9]|{'|'.join(w for w in NUMBERS if len(w) > 2)})\s+o['’]?\s?clock", _on_the_hour, {"clock", "oclock"}),
    rule(r"(?:at|around|by|before|after|until|till)\s+(?P<core>)(?P<name>noon|midday|midnight)", _named, {"noon", "midday", "midnight"}),
    rule(rf"(?:in\s+the\s+|at\s+|on\s+the\s+)?(?:early\s+|late\s+)?(?P<part>{PART})", _part, PART_WORDS),
)

# What may stand between a day and its time.
BETWEEN = re.compile(r"[\s,]*(?:\b(?:at|around|about|on|in|the|of|from|by)\b\s*)*", re.IGNORECASE)
