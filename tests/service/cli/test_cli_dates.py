"""Dates as people type them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from service.cli.dates import period_of, range_of, zone_of

LISBON = ZoneInfo("Europe/Lisbon")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2024", datetime(2024, 1, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)),
        ("2024-12", datetime(2024, 12, 1, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)),
        ("2024-02-29", datetime(2024, 2, 29, tzinfo=UTC), datetime(2024, 3, 1, tzinfo=UTC)),
        (" 2024-03-05 ", datetime(2024, 3, 5, tzinfo=UTC), datetime(2024, 3, 6, tzinfo=UTC)),
    ],
)
def test_a_period_reaches_to_its_end(text: str, start: datetime, end: datetime) -> None:
    assert period_of(text, UTC) == (start, end)


def test_a_time_with_an_offset_is_an_instant() -> None:
    start, _ = period_of("2024-03-05T10:00+01:00", LISBON)
    assert start == datetime(2024, 3, 5, 9, tzinfo=UTC)


def test_local_dates_are_those_of_the_zone() -> None:
    start, end = period_of("2024-03-31", LISBON)
    assert start == datetime(2024, 3, 31, 0, tzinfo=UTC)
    assert end - start == timedelta(hours=23), "clocks went forward that night"


@given(st.dates(min_value=date(1, 1, 2), max_value=date(9998, 12, 30)))
def test_every_day_lies_in_its_month_and_its_year(day: date) -> None:
    first, last = period_of(day.isoformat(), UTC)
    for text in (day.isoformat()[:7], day.isoformat()[:4]):
        start, end = period_of(text, UTC)
        assert start <= first < last <= end


@pytest.mark.parametrize("text", ["yesterday", "2024-13", "2024-02-30", "24-03", "", "0000", "9999", "2024-3"])
def test_what_is_no_date_is_refused_with_examples(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="is not a date, such as 2024"):
        range_of(text, None, UTC)


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="ends before it starts"):
        range_of("2024-04", "2024-03", UTC)
    assert range_of("2024-03", "2024-03", UTC) == (datetime(2024, 3, 1, tzinfo=UTC), datetime(2024, 4, 1, tzinfo=UTC))


def test_an_unknown_zone_is_refused() -> None:
    with pytest.raises(typer.BadParameter, match="IANA time zone"):
        zone_of("Europe/Atlantis")
