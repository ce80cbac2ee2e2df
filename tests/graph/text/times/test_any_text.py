"""Whatever the text and the moment, finding times ends well."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from graph.text.times import find_query_times, find_times, has_time_cue

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
