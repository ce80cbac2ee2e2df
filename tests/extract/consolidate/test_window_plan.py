"""Events join the latest window of their session that they fall into while it has room; the others make windows of their own."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extract.consolidate import window_plan
from extract.consolidate.window_plan import planned_windows
from graph.model import Event, Granularity, Summary, SummaryLevel, SummarySentence, TimeSpan
from tests.extract.consolidate.groups import SAID, event

HOUR = timedelta(hours=1)


def window(number: int, minutes: int, members: int, session: str = "s") -> Summary:
    said = SAID + timedelta(minutes=minutes)
    return Summary(
        id=f"sum_{number:03d}",
        level=SummaryLevel.WINDOW,
        title="",
        sentences=(SummarySentence("Ines ran.", (f"old_{number}_0",)),),
        member_ids=tuple(f"old_{number}_{place}" for place in range(members)),
        time=TimeSpan(said, said, Granularity.INSTANT),
        said_from=said,
        said_to=said,
        recorded_at=said,
        consolidated_at=said,
        consolidator="",
        generation=1,
        sessions=(session,),
    )


def joined(waiting: list[Event], current: list[Summary], length: timedelta | None = HOUR) -> dict[str, list[str]]:
    return {one.id: [each.id for each in one.events] for one in planned_windows(waiting, current, (), length)}


def test_an_event_joins_the_latest_window_it_falls_into() -> None:
    current = [window(1, 0, 3), window(2, 30, 3), window(3, 300, 3), window(4, 30, 3, "t")]
    assert joined([event(1, 20)], current) == {"sum_001": ["evt_1"]}
    assert joined([event(1, 30), event(2, 89)], current) == {"sum_002": ["evt_1", "evt_2"]}
    assert joined([event(1, 90)], current) == {"": ["evt_1"]}
    assert joined([event(1, 90)], current, None) == {"sum_003": ["evt_1"]}


def test_where_the_latest_is_full_the_one_before_it_is_joined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(window_plan, "MOST_EVENTS", 4)
    current = [window(1, 0, 3), window(2, 30, 3), window(3, 40, 4)]
    assert joined([event(1, 45), event(2, 46), event(3, 47)], current) == {"sum_002": ["evt_1"], "sum_001": ["evt_2"], "": ["evt_3"]}


EVENTS = st.lists(st.tuples(st.integers(0, 300), st.sampled_from("st")), max_size=25)
WINDOWS = st.lists(st.tuples(st.integers(0, 300), st.integers(1, 4), st.sampled_from("st")), max_size=12)


@settings(max_examples=200)
@given(EVENTS, WINDOWS, st.booleans())
def test_each_event_is_where_a_look_at_every_window_puts_it(
    told: list[tuple[int, str]], stand: list[tuple[int, int, str]], by_session: bool
) -> None:
    waiting = [event(number, minutes, session) for number, (minutes, session) in enumerate(told)]
    current = [window(number, minutes, members, session) for number, (minutes, members, session) in enumerate(stand)]
    length = None if by_session else HOUR
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(window_plan, "MOST_EVENTS", 4)
        plan = planned_windows(waiting, current, (), length)
    assert sorted(one.id for each in plan for one in each.events) == sorted(one.id for one in waiting)
    expected: dict[str, list[str]] = {}
    for one in sorted(waiting, key=lambda one: (one.said_at, one.id)):
        for place in sorted(current, key=lambda place: (place.said_from, place.id), reverse=True):
            fits = place.sessions == (one.session,) and (by_session or place.said_from <= one.said_at < place.said_from + HOUR)
            if fits and len(place.member_ids) + len(expected.get(place.id, ())) < 4:
                expected.setdefault(place.id, []).append(one.id)
                break
    assert {each.id: [one.id for one in each.events] for each in plan if each.id} == expected
