from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.model import DISTANT_FUTURE, DISTANT_PAST, Granularity, TimeSpan, from_micros, to_micros

moments = st.datetimes(timezones=st.just(UTC))


@given(moments)
def test_microseconds_are_exact_at_any_distance(moment: datetime) -> None:
    assert from_micros(to_micros(moment)) == moment


def test_the_far_ends_survive() -> None:
    assert from_micros(to_micros(DISTANT_PAST)) == DISTANT_PAST
    assert from_micros(to_micros(DISTANT_FUTURE)) == DISTANT_FUTURE


def test_a_zone_does_not_change_the_instant() -> None:
    local = datetime(2024, 3, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert from_micros(to_micros(local)) == datetime(2024, 3, 1, 10, tzinfo=UTC)


@given(st.tuples(moments, moments).map(sorted), st.tuples(moments, moments).map(sorted))
def test_overlap_is_symmetric_and_reflexive(a: list[datetime], b: list[datetime]) -> None:
    one, other = TimeSpan(a[0], a[1], Granularity.DAY), TimeSpan(b[0], b[1], Granularity.DAY)
    assert one.overlaps(other) == other.overlaps(one)
    assert one.overlaps(one)


def test_a_span_ends_before_the_next_begins() -> None:
    day = timedelta(days=1)
    first = datetime(2024, 5, 1, tzinfo=UTC)
    assert not TimeSpan(first, first + day, Granularity.DAY).overlaps(TimeSpan(first + day, first + 2 * day, Granularity.DAY))
    assert TimeSpan(first, first, Granularity.INSTANT).overlaps(TimeSpan(first, first + day, Granularity.DAY))


def test_spans_refuse_naive_and_backward_times() -> None:
    with pytest.raises(ValueError, match="aware"):
        TimeSpan(datetime(2024, 1, 1), datetime(2024, 1, 2), Granularity.DAY)  # the naive times are the point
    with pytest.raises(ValueError, match="starts before"):
        TimeSpan(datetime(2024, 1, 2, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC), Granularity.DAY)
