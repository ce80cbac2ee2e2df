"""Finds the times that a text names."""

from dataclasses import replace
from datetime import datetime, tzinfo

from graph.model import TimeSpan
from graph.text.times import clock, dates, relative, seasons
from graph.text.times.compose import compose
from graph.text.times.cue import has_time_cue
from graph.text.times.moment import Moment
from graph.text.times.rule import Found, matches

_RULES = dates.RULES + relative.RULES + seasons.RULES + clock.RULES
# Longer texts are read to here: no memory is about so many times, and an answer must not cost seconds.
MAX_TEXT = 20_000
# A question's "in May" means that of each year of the conversation; no more years than this.
MAX_QUERY_YEARS = 30


def find_times(text: str, said_at: datetime, zone: tzinfo) -> list[TimeSpan]:
    """The times that a text names, in its order, resolved against when it was said.

    Args:
        text: what was said.
        said_at: when, aware.
        zone: whose calendar and wall clock the words mean.

    Returns:
        Half-open spans in UTC with the words that said so. What cannot be resolved ("when I was ten") and what repeats ("every Friday")
        gives nothing. "Since 2019" ends at DISTANT_FUTURE, "until June" starts at DISTANT_PAST.
    """
    if not has_time_cue(text):
        return []
    return _spans(Moment(said_at, zone, text[:MAX_TEXT]))


def find_query_times(
    text: str, asked_at: datetime, zone: tzinfo, earliest: datetime | None = None, latest: datetime | None = None
) -> list[TimeSpan]:
    """The times that a question names. One without a year ("in May", "on 8 May", "over Christmas") gives a span for each year between
    `earliest` and `latest` (when the conversation's first and last messages were sent; without them the five years up to `asked_at`).
    """
    if not has_time_cue(text):
        return []
    last = (latest or asked_at).astimezone(zone).year
    first = max(earliest.astimezone(zone).year if earliest else last - 4, last - MAX_QUERY_YEARS + 1)
    return _spans(Moment(asked_at, zone, text[:MAX_TEXT], tuple(range(first, last + 1))))


def _spans(moment: Moment) -> list[TimeSpan]:
    return [
        replace(span, expression=moment.text[found.begin : found.end].strip(" \n\t.,"))
        for found in compose(_disjoint(list(matches(_RULES, moment))), moment)
        for span in found.spans
    ]


def _disjoint(found: list[Found]) -> list[Found]:
    """Of overlapping expressions the longest, then the first; one that means nothing hides what it holds."""
    chosen: list[Found] = []
    for one in sorted(found, key=lambda f: (f.begin - f.end, f.begin, not f.spans)):
        if all(one.end <= other.begin or other.end <= one.begin for other in chosen):
            chosen.append(one)
    return sorted(chosen, key=lambda f: f.begin)
