"""Dates and times of Cypher: read to the nanosecond, written as they were read, and Python's own where those suffice."""

from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.cypher import CypherTime
from graph.cypher.times import ExactTime, exact_time, in_zone

OFFSETS = st.none() | st.integers(-18 * 3600, 18 * 3600).map(lambda seconds: timedelta(seconds=seconds))
CLOCKS = st.times().map(lambda clock: clock.replace(microsecond=0))
EXACT = st.one_of(
    st.builds(ExactTime, st.dates(), st.none()),
    st.builds(ExactTime, st.none() | st.dates(), CLOCKS, st.integers(0, 999_999_999), OFFSETS),
)


@given(EXACT)
def test_what_is_written_is_read_again(it: ExactTime) -> None:
    kind = "date" if it.clock is None else f"{'local_' if it.offset is None else ''}{'time' if it.day is None else 'datetime'}"
    assert exact_time(CypherTime(kind, it.text)) == it
    value = it.value
    if isinstance(value, CypherTime):
        assert it.nanosecond % 1_000
        assert exact_time(value) == it
    else:
        assert exact_time(CypherTime(kind, value.isoformat())) == it  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("kind", "text", "zone", "value"),
    [
        ("date", "2024-03-09", "", date(2024, 3, 9)),
        ("local_time", "14:30", "", time(14, 30)),
        ("time", "14:30:00Z", "", time(14, 30, tzinfo=UTC)),
        ("time", "14:30:00.5+01:00:30", "", time(14, 30, 0, 500_000, timezone(timedelta(hours=1, seconds=30)))),
        ("local_datetime", "2024-03-09T14:30:00.123456", "", datetime(2024, 3, 9, 14, 30, 0, 123456)),
        ("datetime", "2024-03-09T14:30:00Z", "", datetime(2024, 3, 9, 14, 30, tzinfo=UTC)),
        ("datetime", "2024-03-09T14:30:00.1234567Z", "", CypherTime("datetime", "2024-03-09T14:30:00.123456700+00:00")),
        ("datetime", "2038-07-01T12:00:00", "Europe/Lisbon", CypherTime("datetime", "2038-07-01T12:00:00+01:00", "Europe/Lisbon")),
        ("datetime", "2024-10-27T01:30:00+00:00", "Europe/Lisbon", CypherTime("datetime", "2024-10-27T01:30:00+00:00", "Europe/Lisbon")),
    ],
)
def test_a_text_has_the_value_that_holds_all_of_it(kind: str, text: str, zone: str, value: object) -> None:
    assert exact_time(CypherTime(kind, text, zone)).value == value


@pytest.mark.parametrize(
    ("kind", "text", "zone"),
    [
        ("date", "2024-02-30", ""),
        ("date", "12024-01-01", ""),
        ("date", "0000-01-01", ""),
        ("date", "2024-03-09T00:00:00", ""),
        ("local_time", "14:30:00+01:00", ""),
        ("time", "14:30:00", ""),
        ("time", "14:30:00+01:00", "Europe/Lisbon"),
        ("local_datetime", "2024-03-09 14:30:00", ""),
        ("datetime", "2024-03-09T14:30:00", ""),
        ("datetime", "2024-03-09T14:30:00.1234567891Z", ""),
        ("datetime", "2024-03-09T14:30:00Z", "Europe/Atlantis"),
        ("datetime", "٢٠٢٤-03-09T14:30:00Z", ""),
        ("instant", "2024-03-09T14:30:00Z", ""),
    ],
)
def test_what_is_no_time_of_its_type_is_refused(kind: str, text: str, zone: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whoever asks knows the field and the type
        exact_time(CypherTime(kind, text, zone))


def test_zones_show_the_hour_of_their_clocks_after_2037() -> None:
    assert in_zone(datetime(2050, 7, 1, 11, tzinfo=UTC), 5, "Europe/Lisbon").text == "2050-07-01T12:00:00.000000005+01:00"
