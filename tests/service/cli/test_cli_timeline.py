"""A timeline: from when to when statements hold, how they are grouped, and how that is drawn."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structmem import Granularity, NodeKind, Statement, Supersession, TimeSpan

from service.cli.timeline.picture import ASCII, DRAWN, lines_of, marks_of
from service.cli.timeline.rows import Shape, groups_of
from service.cli.times import IN_UTC

NOW = datetime(2025, 1, 1, tzinfo=UTC)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def span(start: str | None, end: str | None, granularity: Granularity = Granularity.DAY) -> TimeSpan:
    return TimeSpan(day(start) if start else None, day(end) if end else None, granularity, "")


def replaced(by: str, since: str | None, reason: str = "another residence") -> Supersession:
    return Supersession(by, day(since) if since else None, day(since) if since else None, reason, 0.9)


def told(id_: str, text: str, said: str, **more: Any) -> Statement:
    subject, predicate, object_ = more.pop("about", ("", "", ""))
    return Statement(
        id=id_,
        kind=more.pop("kind", NodeKind.FACT),
        session="s",
        text=text,
        speaker="Maria",
        predicate=predicate,
        subject=subject,
        object=object_,
        event_id=more.pop("event", f"evt_{id_}"),
        entity_ids=(),
        evidence_ids=(),
        time=more.pop("time", None),
        said_at=day(said),
        recorded_at=None,
        retired_at=None,
        generation=1,
        confidence=0.8,
        **more,
    )


GHENT = told("f1", "Maria lives in Ghent.", "2024-01-01", about=("Maria", "lives_in", "Ghent"), superseded_by=replaced("f2", "2024-07-01"))
BRUGES = told("f2", "Maria moved to Bruges.", "2024-07-01", about=("Maria", "moved_to", "Bruges"), time=span("2024-06-28", "2024-06-29"))
RACE = told("f3", "Maria runs the race.", "2024-03-01", about=("Maria", "runs", "the race"), time=span("2024-10-12", "2024-10-13"))


def shown(*statements: Statement, width: int = 100, since: datetime | None = None, until: datetime | None = None) -> list[str]:
    return list(lines_of(groups_of(statements), IN_UTC, NOW, width, DRAWN, since, until))


def row(statement: Statement) -> Any:
    [group] = groups_of([statement])
    return group.rows[0]


def test_a_state_holds_from_when_it_was_said_until_it_was_replaced() -> None:
    held = row(GHENT)
    assert (held.shape, held.start, held.end) == (Shape.PERIOD, day("2024-01-01"), day("2024-07-01"))
    still = row(told("f", "Maria likes tea.", "2024-01-01"))
    assert (still.shape, still.start, still.end) == (Shape.PERIOD, day("2024-01-01"), None)
    # A change that came about before the statement was made leaves it a moment.
    late = row(told("f", "Maria lives in Ghent.", "2024-01-01", superseded_by=replaced("g", "2023-12-01")))
    assert late.start == late.end == day("2023-12-01")


@pytest.mark.parametrize(
    ("time", "shape", "start", "end"),
    [
        (span("2024-10-12", "2024-10-13"), Shape.POINT, "2024-10-12", "2024-10-13"),
        (span("2019-01-01", "2022-01-01", Granularity.YEAR), Shape.PERIOD, "2019-01-01", "2022-01-01"),
        (span("2019-01-01", None, Granularity.YEAR), Shape.PERIOD, "2019-01-01", None),
        (span(None, "2020-01-01", Granularity.YEAR), Shape.PERIOD, None, "2020-01-01"),
    ],
)
def test_what_has_a_time_of_its_own_is_there(time: TimeSpan, shape: Shape, start: str | None, end: str | None) -> None:
    found = row(told("f", "Something.", "2024-03-01", time=time))
    assert (found.shape, found.start, found.end) == (shape, start and day(start), end and day(end))


def test_what_is_replaced_before_its_time_has_come_is_called_off_and_else_ends() -> None:
    off = row(told("f", "The launch is on 12 October.", "2024-03-01", time=RACE.time, superseded_by=replaced("g", "2024-05-01", "moved")))
    assert (off.shape, off.start) == (Shape.CALLED_OFF, day("2024-10-12"))
    ended = row(
        told("f", "Maria moved to Ghent.", "2024-03-01", time=span("2024-02-01", "2024-02-02"), superseded_by=replaced("g", "2024-05-01"))
    )
    assert (ended.shape, ended.start, ended.end) == (Shape.PERIOD, day("2024-02-01"), day("2024-05-01"))


def test_what_replaced_a_state_lasts_and_stands_in_its_group() -> None:
    [group] = groups_of([GHENT, BRUGES])
    assert (group.subject, group.predicate) == ("Maria", "lives in")
    assert [(one.ids, one.shape, one.end) for one in group.rows] == [
        (("f1",), Shape.PERIOD, day("2024-07-01")),
        (("f2",), Shape.PERIOD, None),
    ]
    # Another date of an appointment is a day all the same.
    moved = told("g", "The race is on the 12th.", "2024-04-01", time=RACE.time)
    first = told(
        "f",
        "The race is on the 3rd.",
        "2024-03-01",
        time=span("2024-10-03", "2024-10-04"),
        superseded_by=replaced("g", "2024-04-01", "moved"),
    )
    [group] = groups_of([first, moved])
    assert [one.shape for one in group.rows] == [Shape.CALLED_OFF, Shape.POINT]


def test_groups_are_of_one_subject_and_predicate_and_of_chains_across_them() -> None:
    tea, coffee = (
        told(id_, f"Maria likes {it}.", "2024-02-01", about=("Maria", "likes", it)) for id_, it in (("a", "tea"), ("b", "coffee"))
    )
    flemish = told("c", "Maria lives in Antwerp.", "2024-12-01", about=("Maria", "lives_in", "Antwerp"))
    bruges = told("f2", BRUGES.text, "2024-07-01", about=("Maria", "moved_to", "Bruges"), superseded_by=replaced("c", "2024-12-01"))
    groups = groups_of([GHENT, tea, RACE, coffee, bruges, flemish])
    assert [[one.ids[0] for one in group.rows] for group in groups] == [["f1", "f2", "c"], ["a", "b"], ["f3"]]


def test_a_relation_that_says_what_its_fact_says_is_no_row_of_its_own() -> None:
    relation = {"kind": NodeKind.RELATION, "event": GHENT.event_id}
    same = told("r1", "Maria lives near Ghent.", "2024-01-01", about=("Maria", "lives_near", "Ghent"), **relation)
    other = told("r2", "Maria knows Ana.", "2024-01-01", about=("Maria", "knows", "Ana"), **relation)
    assert [one.rows[0].ids for one in groups_of([same, other, GHENT])] == [("f1", "r1"), ("r2",)]


def test_the_picture() -> None:
    assert shown(GHENT, BRUGES, RACE, width=116) == [
        "                          2024-01             2024-07",
        "                          |                   |",
        "Maria lives in",
        "  Ghent                   ├───────────────────┤                      2024-01-01 until 2024-07-01 (another residence)",
        "  Maria moved to Bruges.                      ├───────────────────→  since 2024-06-28",
        "Maria runs the race.                                     *           2024-10-12",
    ]


def test_bars_that_leave_the_window_say_so_and_what_lies_outside_is_left_out() -> None:
    lines = shown(GHENT, BRUGES, RACE, since=day("2024-02-01"), until=day("2024-09-01"))
    ghent, bruges = (next(line for line in lines if word in line) for word in ("  Ghent", "Bruges"))
    assert "←" in ghent
    assert "┤" in ghent
    assert "→" in bruges
    assert not any("race" in line for line in lines)


def test_bars_of_any_length_have_a_column_and_lines_keep_to_the_width() -> None:
    short = told("f", "A day in between.", "2024-05-01", superseded_by=replaced("g", "2024-05-02"))
    assert "│" in next(line for line in shown(short, RACE, told("g", "x", "2000-01-01")) if "between" in line)
    for width in (60, 80, 120):
        assert max(map(len, shown(GHENT, RACE, told("g", "long " * 40, "2024-01-01"), width=width))) <= max(width, 44 + 20 + 60)
    assert shown(told("f", "Now.", "2025-01-01"))


def test_a_terminal_without_the_characters_gets_others() -> None:
    assert marks_of("utf-8") is DRAWN
    for encoding in ("ascii", "latin-1", "no-such-encoding", None):
        assert marks_of(encoding) is ASCII
    for line in lines_of(groups_of([GHENT, BRUGES, RACE]), IN_UTC, NOW, 100, ASCII, day("2024-02-01"), None):
        assert line.isascii()


@pytest.mark.parametrize("days", [0.2, 3, 40, 400, 4_000, 400_000])
def test_the_scale_names_dates_whatever_the_length(days: float) -> None:
    old = told("f", "Old.", "2024-01-01", time=TimeSpan(NOW - timedelta(days=days), NOW, Granularity.ERA, ""))
    names = shown(old)[0].split()
    assert names
    assert names == sorted(names)
