"""Windows hold each event once, never of two sessions, and no more than a summary can tell."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from extract.consolidate.windows import MOST_EVENTS, windows_of
from tests.extract.consolidate.groups import event


def ids(events: list[int], session: str = "s") -> tuple[str, tuple[str, ...]]:
    return session, tuple(f"evt_{number}" for number in events)


def shown(windows: list) -> list[tuple[str, tuple[str, ...]]]:  # type: ignore[type-arg]
    return [(window.session, tuple(one.id for one in window.events)) for window in windows]


def test_an_hour_from_the_first_event_is_one_window() -> None:
    found = windows_of([event(1), event(2, 59), event(3, 60), event(4, 119), event(5, 125)])
    assert shown(found) == [ids([1, 2]), ids([3, 4]), ids([5])]


def test_sessions_of_the_same_hour_stay_apart_even_at_equal_times() -> None:
    found = windows_of([event(1), event(2, 0, "t"), event(3), event(4, 0, "t")])
    assert shown(found) == [ids([1, 3]), ids([2, 4], "t")]


def test_a_session_is_one_window_however_long_it_lasts() -> None:
    found = windows_of([event(1), event(2, 3_000), event(3, 0, "t")], length=None)
    assert shown(found) == [ids([1, 2]), ids([3], "t")]


def test_a_session_of_one_message_is_a_window_of_one() -> None:
    assert shown(windows_of([event(1)])) == [ids([1])]
    assert windows_of([]) == []


def test_ten_thousand_events_of_one_hour_are_cut_into_parts_of_nearly_equal_size() -> None:
    found = windows_of([event(number, number / 1_000) for number in range(10_000)])
    assert len(found) == 10_000 // MOST_EVENTS
    assert {len(window.events) for window in found} == {MOST_EVENTS}
    assert [len(window.events) for window in windows_of([event(number) for number in range(MOST_EVENTS + 1)])] == [50, 51]


@given(st.lists(st.tuples(st.integers(0, 600), st.sampled_from("abc")), max_size=60), st.integers(1, 7), st.booleans())
def test_every_event_is_in_exactly_one_window(told: list[tuple[int, str]], most: int, by_session: bool) -> None:
    events = [event(number, minutes, session) for number, (minutes, session) in enumerate(told)]
    length = None if by_session else timedelta(hours=1)
    found = windows_of(events, length, most)
    assert sorted(one.id for window in found for one in window.events) == sorted(one.id for one in events)
    for window in found:
        assert 1 <= len(window.events) <= most
        assert {one.session for one in window.events} == {window.session}
        assert by_session or window.events[-1].said_at - window.events[0].said_at < timedelta(hours=1)
    assert found == windows_of(events[::-1], length, most)
