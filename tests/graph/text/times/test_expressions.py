"""What people say about time means what people mean by it."""

import importlib.util
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from graph.model import DISTANT_FUTURE, DISTANT_PAST, Granularity, TimeSpan
from graph.text.times import find_query_times, find_times, has_time_cue, unresolved_time

_spec = importlib.util.spec_from_file_location("expressions", Path(__file__).with_name("expressions.py"))
assert _spec is not None
assert _spec.loader is not None
expressions = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(expressions)


def _instant(text: str, zone: ZoneInfo) -> datetime:
    if text == "0001-01-01":
        return DISTANT_PAST
    if text == "9999-12-31":
        return DISTANT_FUTURE
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def _span(text: str, zone: ZoneInfo) -> tuple[datetime, datetime, Granularity]:
    times, _, granularity = text.rpartition(" ")
    start, _, end = times.partition("..")
    return _instant(start, zone), _instant(end, zone), Granularity[granularity]


def _bare(spans: list[TimeSpan]) -> list[tuple[datetime, datetime, Granularity]]:
    return [(span.start, span.end, span.granularity) for span in spans]


@pytest.mark.parametrize("zone_name", ["UTC", "America/Los_Angeles", "Pacific/Auckland"])
@pytest.mark.parametrize(("text", "expected"), expressions.EXPRESSIONS.items())
def test_expression_means_its_span_in_the_zone(text: str, expected: str, zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    assert _bare(find_times(text, _instant(expressions.SAID, zone), zone)) == [_span(expected, zone)]


@pytest.mark.parametrize("text", expressions.NOTHING)
def test_words_that_name_no_time_give_nothing(text: str) -> None:
    assert find_times(text, datetime(2023, 5, 17, 14, 30, tzinfo=UTC), UTC) == []


@pytest.mark.parametrize(("text", "words"), expressions.UNRESOLVED.items())
def test_a_time_that_nothing_dates_is_told_as_such(text: str, words: str) -> None:
    assert unresolved_time(text) == words


def test_the_table_is_as_long_as_the_documents_say() -> None:
    assert len(expressions.EXPRESSIONS) >= 200


@pytest.mark.parametrize("text", expressions.EXPRESSIONS)
def test_no_expression_escapes_the_cheap_check(text: str) -> None:
    assert has_time_cue(text)


def test_several_times_come_in_the_order_of_the_text_with_their_words() -> None:
    spans = find_times("I moved in May 2021, left last summer and came back two weeks ago.", datetime(2023, 5, 17, tzinfo=UTC), UTC)
    assert [span.expression for span in spans] == ["May 2021", "last summer", "two weeks ago"]


def test_a_bare_day_after_a_date_is_of_its_month() -> None:
    said_at = datetime(2024, 4, 14, tzinfo=UTC)
    first, last = find_times("I arrive on Friday 14 June and stay until the 18th.", said_at, UTC)
    assert (first.start, last.end) == (datetime(2024, 6, 14, tzinfo=UTC), datetime(2024, 6, 19, tzinfo=UTC))
    _, after = find_times("I leave on June 28 and come back on the 2nd.", said_at, UTC)
    assert after.start == datetime(2024, 7, 2, tzinfo=UTC)


def test_a_weekday_in_a_question_picks_the_years_that_it_fits() -> None:
    said_at, earliest = datetime(2024, 11, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC)
    [span] = find_query_times("What happened on Friday 14 June?", said_at, UTC, earliest, said_at)
    assert span.start == datetime(2024, 6, 14, tzinfo=UTC)


def test_a_day_on_which_clocks_change_is_shorter() -> None:
    zone = ZoneInfo("Europe/Lisbon")
    [spring] = find_times("on 26 March 2023", datetime(2023, 5, 1, tzinfo=UTC), zone)
    [autumn] = find_times("on 29 October 2023", datetime(2023, 11, 1, tzinfo=UTC), zone)
    assert (spring.end - spring.start).total_seconds() == 23 * 3600
    assert (autumn.end - autumn.start).total_seconds() == 25 * 3600


def test_hours_ago_count_elapsed_time_across_a_change_of_clocks() -> None:
    zone = ZoneInfo("Europe/Lisbon")
    said_at = datetime(2023, 3, 26, 2, 30, tzinfo=UTC)
    [span] = find_times("three hours ago", said_at, zone)
    assert span.start == datetime(2023, 3, 25, 23, 0, tzinfo=UTC)


def test_after_midnight_tonight_is_the_night_under_way() -> None:
    [span] = find_times("tonight", datetime(2023, 5, 18, 1, 30, tzinfo=UTC), UTC)
    assert span.start == datetime(2023, 5, 17, 18, tzinfo=UTC)


def test_yesterday_is_the_zones_yesterday() -> None:
    said_at = datetime(2023, 5, 17, 3, 0, tzinfo=UTC)
    [there] = find_times("yesterday", said_at, ZoneInfo("America/Los_Angeles"))
    assert there.start == datetime(2023, 5, 15, 7, 0, tzinfo=UTC)


def test_a_question_without_a_year_means_each_year_of_the_conversation() -> None:
    asked = datetime(2023, 11, 1, tzinfo=UTC)
    spans = find_query_times("What did Maria do in May?", asked, UTC, datetime(2021, 8, 1, tzinfo=UTC), datetime(2023, 10, 1, tzinfo=UTC))
    assert [span.start.year for span in spans] == [2021, 2022, 2023]
    assert {span.start.month for span in spans} == {5}


def test_a_question_with_a_year_means_that_year() -> None:
    [span] = find_query_times("What did Maria do in May 2022?", datetime(2023, 11, 1, tzinfo=UTC), UTC)
    assert span.start == datetime(2022, 5, 1, tzinfo=UTC)


def test_a_question_relative_to_now_means_one_span() -> None:
    [span] = find_query_times("Where did I go last week?", datetime(2023, 5, 17, tzinfo=UTC), UTC)
    assert span.start == datetime(2023, 5, 8, tzinfo=UTC)
