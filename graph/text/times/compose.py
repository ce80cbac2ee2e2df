"""Puts expressions together: a day with its time, from one to another, since and until, the beginning and the end of."""

import re
from datetime import timedelta

from dateutil.relativedelta import relativedelta

from graph.model import DISTANT_FUTURE, DISTANT_PAST, Granularity, TimeSpan
from graph.text.times.clock import BETWEEN, clock_span
from graph.text.times.moment import Moment
from graph.text.times.rule import Found

_TO = re.compile(r"\s*(?:-|–|—|\bto\b|\bthrough\b|\bthru\b|\buntil\b|\btill\b)\s*(?:the\s+)?", re.IGNORECASE)
_AND = re.compile(r"\s*\band\b\s*(?:the\s+)?", re.IGNORECASE)
_FROM = re.compile(r"\b(?:from|between)\s+(?:the\s+)?$", re.IGNORECASE)
_BOUND = re.compile(r"\b(?P<word>ever\s+since|since|until|till|before|after|prior\s+to)\s+(?:about\s+|around\s+|the\s+)?$", re.IGNORECASE)
_THIRD = re.compile(
    r"\b(?:the\s+)?(?P<word>early(?:\s+in)?|mid|late|beginning\s+of|start\s+of|middle\s+of|end\s+of)[\s-]+(?:the\s+)?$", re.IGNORECASE
)
_FINER = {
    Granularity.YEAR: Granularity.SEASON,
    Granularity.SEASON: Granularity.MONTH,
    Granularity.MONTH: Granularity.WEEK,
    Granularity.WEEK: Granularity.DAY,
}


def compose(found: list[Found], moment: Moment) -> list[Found]:
    """The expressions that stand on their own, in order; `found` are disjoint and in order."""
    dated = _drop_loose_clocks(_join_clocks(found, moment), moment)
    return [_bounded(_narrowed(one, moment), moment) for one in _join_ranges(dated, moment)]


def _join_clocks(found: list[Found], moment: Moment) -> list[Found]:
    joined: list[Found] = []
    for one in found:
        last = joined[-1] if joined else None
        if last and (last.clock is None) != (one.clock is None) and BETWEEN.fullmatch(moment.text, last.end, one.begin):
            day, clock = (last, one.clock) if one.clock else (one, last.clock)
            if clock and _is_day(day):
                spans = tuple(clock_span(moment, moment.day_of(span), clock) for span in day.spans)
                joined[-1] = Found(last.begin, one.end, spans)
                continue
        joined.append(one)
    return joined


def _is_day(found: Found) -> bool:
    return bool(found.spans) and all(
        span.granularity is Granularity.DAY or (span.granularity is Granularity.DAY_PART and span.end - span.start > timedelta(hours=4))
        for span in found.spans
    )


def _drop_loose_clocks(found: list[Found], moment: Moment) -> list[Found]:
    """A clock time without a day is that of the day on which it was said; a part of a day without a day may be any."""
    kept = []
    for one in found:
        if one.clock and not one.clock.part:
            one = Found(one.begin, one.end, (clock_span(moment, moment.today, one.clock),))
        if one.spans:
            kept.append(one)
    return kept


def _join_ranges(found: list[Found], moment: Moment) -> list[Found]:
    joined: list[Found] = []
    for one in found:
        begin = _range_begin(joined[-1], one, moment) if joined else None
        if begin is None:
            joined.append(one)
        else:
            spans = tuple(_from_to(first, second) for first, second in zip(joined[-1].spans, one.spans, strict=True))
            joined[-1] = Found(begin, one.end, spans)
    return joined


def _range_begin(first: Found, last: Found, moment: Moment) -> int | None:
    """Where the range of two expressions begins: "from June to July", "between 3 and 5 June"; None when they make none."""
    if len(first.spans) != len(last.spans):
        return None
    opening = _FROM.search(moment.text, max(0, first.begin - 30), first.begin)
    to = _TO.fullmatch(moment.text, first.end, last.begin)
    if opening:
        return opening.start() if to or _AND.fullmatch(moment.text, first.end, last.begin) else None
    return first.begin if to and _are_days(first, last) else None


def _are_days(first: Found, last: Found) -> bool:
    """Whether two expressions are days in their order, so that "to" between them needs no "from": "June 3 to June 5"."""
    return len(first.spans) == len(last.spans) and all(
        one.granularity is other.granularity is Granularity.DAY and one.end <= other.start
        for one, other in zip(first.spans, last.spans, strict=True)
    )


def _from_to(first: TimeSpan, last: TimeSpan) -> TimeSpan:
    """From the start of one to the end of the other; when the other came out earlier, the next of its kind is meant."""
    end = last.end
    if last.start < first.start:
        days = first.granularity <= Granularity.DAY and first.start - last.start < timedelta(days=7)
        end += timedelta(days=7) if days else relativedelta(years=1)
    return TimeSpan(first.start, max(first.start, end), max(first.granularity, last.granularity))


def _narrowed(found: Found, moment: Moment) -> Found:
    match = _THIRD.search(moment.text, max(0, found.begin - 30), found.begin)
    if not match:
        return found
    word = match["word"].split()[0].casefold()
    part = {"early": 0, "beginning": 0, "start": 0, "mid": 1, "middle": 1, "late": 2, "end": 2}[word]
    spans = []
    for span in found.spans:
        if span.granularity not in _FINER or span.end == DISTANT_FUTURE:
            return found
        first, after = moment.day_of(span), moment.day_of(TimeSpan(span.end, span.end, span.granularity))
        days = (after - first).days
        low, high = (round(days * n / 3) for n in (part, part + 1))
        spans.append(moment.days(first + timedelta(days=low), high - low, _FINER[span.granularity]))
    return Found(match.start("word"), found.end, tuple(spans))


def _bounded(found: Found, moment: Moment) -> Found:
    match = _BOUND.search(moment.text, max(0, found.begin - 24), found.begin)
    if not match:
        return found
    word = match["word"].casefold().split()[-1]
    if word == "since":
        spans = tuple(TimeSpan(span.start, DISTANT_FUTURE, span.granularity) for span in found.spans)
    elif word == "after":
        spans = tuple(TimeSpan(span.end, DISTANT_FUTURE, span.granularity) for span in found.spans)
    elif word in {"until", "till"}:
        spans = tuple(TimeSpan(DISTANT_PAST, span.end, span.granularity) for span in found.spans)
    else:
        spans = tuple(TimeSpan(DISTANT_PAST, span.start, span.granularity) for span in found.spans)
    return Found(match.start("word"), found.end, spans)
