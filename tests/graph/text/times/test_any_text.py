"""Whatever the text and the moment, finding times ends well."""

import importlib.util
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.model import DISTANT_FUTURE, DISTANT_PAST, Granularity
from graph.text.times import find_query_times, find_times, has_time_cue

_spec = importlib.util.spec_from_file_location("expressions", Path(__file__).with_name("expressions.py"))
assert _spec is not None
assert _spec.loader is not None
_table = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(_table)

_WORDS = [
    word
    for line in (
        "May march last next this Friday friday Sat weekend week month year ago in on at since until from to between and the a two few of",
        "2019 1999 8th 31 29 February 7pm 19:30 noon midnight tonight tomorrow yesterday morning night Christmas summer early late mid 90s",
        "9999 0001 century 99th before after decades hundred 9999-12-31 12/31/9999 o'clock half an hour, . - ?",
    )
    for word in line.split()
]
_TEXTS = st.one_of(st.text(max_size=80), st.lists(st.sampled_from(_WORDS), max_size=12).map(" ".join))
_ZONES = st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"]).map(ZoneInfo)
_MOMENTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=st.just(UTC))


@settings(max_examples=300, deadline=None)
@given(_TEXTS, _MOMENTS, _ZONES)
def test_spans_never_end_before_they_start_and_quote_the_text(text: str, said_at: datetime, zone: ZoneInfo) -> None:
    spans = find_times(text, said_at, zone)
    assert all(span.start <= span.end for span in spans)
    assert all(span.start.tzinfo is UTC and span.end.tzinfo is UTC for span in spans)
    assert all(span.expression and span.expression in text for span in spans)
    assert has_time_cue(text) or not spans
    assert spans == find_times(text, said_at, zone)


@settings(max_examples=150, deadline=None)
@given(_TEXTS, _MOMENTS, _ZONES)
def test_questions_too(text: str, asked_at: datetime, zone: ZoneInfo) -> None:
    assert all(span.start <= span.end for span in find_query_times(text, asked_at, zone))


@settings(max_examples=100, deadline=None)
@given(st.datetimes(datetime(1950, 1, 1), datetime(2080, 1, 1), timezones=st.just(UTC)), _ZONES)
def test_days_follow_one_another_without_gap(said_at: datetime, zone: ZoneInfo) -> None:
    [yesterday, today, tomorrow] = [find_times(word, said_at, zone)[0] for word in ("yesterday", "today", "tomorrow")]
    assert yesterday.end == today.start <= said_at < today.end == tomorrow.start


_EXPRESSIONS = st.sampled_from(list(_table.EXPRESSIONS))
# Zones whose clocks never change at midnight, so that every day begins at 0:00.
_MIDNIGHT_ZONES = st.sampled_from(["UTC", "America/New_York", "Asia/Kathmandu", "Europe/Lisbon", "Pacific/Auckland"]).map(ZoneInfo)
_WALLS = st.datetimes(datetime(2001, 1, 1, 4), datetime(2037, 12, 1))
_HOUR = timedelta(hours=1)
# The least that a whole unit may last; where clocks change a day has an hour less.
_LEAST = {Granularity.MONTH: timedelta(days=28) - _HOUR, Granularity.SEASON: timedelta(days=56), Granularity.YEAR: timedelta(days=365)}
_MOST = {
    Granularity.INSTANT: timedelta(minutes=1),
    Granularity.HOUR: timedelta(hours=4),
    Granularity.DAY_PART: timedelta(hours=11),
    Granularity.WEEK: timedelta(days=36),
}


@settings(max_examples=300, deadline=None)
@given(_EXPRESSIONS, _WALLS, _MIDNIGHT_ZONES, _MIDNIGHT_ZONES)
def test_the_same_words_at_the_same_wall_clock_mean_the_same_dates_in_every_zone(
    text: str, wall: datetime, one: ZoneInfo, other: ZoneInfo
) -> None:
    def dates(zone: ZoneInfo) -> list[object]:
        said_at = wall.replace(tzinfo=zone).astimezone(UTC)
        found = find_times(text, said_at, zone)
        return [
            (_local(span.start, zone), _local(span.end, zone), span.granularity) for span in found if span.granularity >= Granularity.DAY
        ]

    assert dates(one) == dates(other)


def _local(moment: datetime, zone: ZoneInfo) -> object:
    return moment if moment in {DISTANT_PAST, DISTANT_FUTURE} else moment.astimezone(zone).date()


@settings(max_examples=300, deadline=None)
@given(_EXPRESSIONS, _WALLS, _MIDNIGHT_ZONES)
def test_spans_are_no_longer_and_no_shorter_than_their_granularity(text: str, wall: datetime, zone: ZoneInfo) -> None:
    said_at = wall.replace(tzinfo=zone).astimezone(UTC)
    for span in find_times(text, said_at, zone):
        if span.start > DISTANT_PAST and span.end < DISTANT_FUTURE:
            length = span.end - span.start
            assert length <= _MOST.get(span.granularity, timedelta.max)
            clipped = said_at in {span.start, span.end}
            assert clipped or length >= _LEAST.get(span.granularity, timedelta())


@settings(max_examples=200, deadline=None)
@given(_WALLS, _MIDNIGHT_ZONES)
def test_a_day_lasts_from_midnight_to_midnight_whatever_the_clocks_do(wall: datetime, zone: ZoneInfo) -> None:
    said_at = wall.replace(tzinfo=zone).astimezone(UTC)
    [today] = find_times("today", said_at, zone)
    assert today.end - today.start in {23 * _HOUR, 24 * _HOUR, 25 * _HOUR}
    assert today.start.astimezone(zone).hour == today.end.astimezone(zone).hour == 0
    assert today.start <= said_at < today.end
