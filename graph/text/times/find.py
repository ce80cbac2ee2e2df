"""Finds the times that a text names."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, tzinfo
from itertools import islice

from graph.model import TimeSpan
from graph.text.slices import slices_of
from graph.text.times import clock, dates, relative, seasons
from graph.text.times.compose import compose
from graph.text.times.cue import has_time_cue
from graph.text.times.moment import Moment
from graph.text.times.rule import Found, matches

_RULES = dates.RULES + relative.RULES + seasons.RULES + clock.RULES
# Longer texts are read to here: no memory is about so many times, and an answer must not cost seconds.
MAX_TEXT = 20_000
# Read at once, to the end of a sentence: the time that the rules take grows faster than the text.
_PART = 1_500
# Far more than anybody names; each costs up to three milliseconds.
_MOST_FOUND = 100
_ENDS = (". ", "! ", "? ", "\n", ", ", " ")
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
    if not has_time_cue(text[:MAX_TEXT]):
        return []
    return _in_parts(text, lambda part: Moment(said_at, zone, part))


def find_query_times(
    text: str, asked_at: datetime, zone: tzinfo, earliest: datetime | None = None, latest: datetime | None = None
) -> list[TimeSpan]:
    """The times that a question names. One without a year ("in May", "on 8 May", "over Christmas") gives a span for each year between
    `earliest` and `latest` (when the conversation's first and last messages were sent; without them the five years up to `asked_at`).
    """
    if not has_time_cue(text[:MAX_TEXT]):
        return []
    last = (latest or asked_at).astimezone(zone).year
    first = max(earliest.astimezone(zone).year if earliest else last - 4, last - MAX_QUERY_YEARS + 1)
    years = tuple(range(first, last + 1))
    return _in_parts(text, lambda part: Moment(asked_at, zone, part, years))


def _in_parts(text: str, moment_of: Callable[[str], Moment]) -> list[TimeSpan]:
    found: list[TimeSpan] = []
    for part in slices_of(text[:MAX_TEXT], _PART, _ENDS):
        found += _spans(moment_of(part))
        if len(found) >= _MOST_FOUND:
            break
    return found


def _spans(moment: Moment) -> list[TimeSpan]:
    return [
        replace(span, expression=moment.text[found.begin : found.end].strip(" \n\t.,"))
        for found in compose(_disjoint(list(islice(matches(_RULES, moment), _MOST_FOUND))), moment)
        for span in found.spans
    ]


def _disjoint(found: list[Found]) -> list[Found]:
    """Of overlapping expressions the longest, then the first; one that means nothing hides what it holds."""
    chosen: list[Found] = []
    for one in sorted(found, key=lambda f: (f.begin - f.end, f.begin, not f.spans)):
        if all(one.end <= other.begin or other.end <= one.begin for other in chosen):
            chosen.append(one)
    return sorted(chosen, key=lambda f: f.begin)
