"""From when to when statements hold: rows, grouped by what they speak about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structmem import Statement, Supersession, TimeSpan

# What happened so exactly is a point on a line of months and years.
_POINTS = frozenset({"instant", "hour", "day_part", "day"})


class Shape(StrEnum):
    """How a row is drawn: PERIOD as a bar, POINT as a mark, CALLED_OFF as a mark of what was replaced before its time had come."""

    PERIOD = "period"
    POINT = "point"
    CALLED_OFF = "called_off"


@dataclass(frozen=True, slots=True)
class Row:
    """A statement, with those of its event that say the same (`ids`), and from when to when it holds.

    Attributes:
        start: None: from before anything that is known.     end: None: it holds still, as far as is known.
        happened: its own time; None: it holds from when it was said.
    """

    ids: tuple[str, ...]
    text: str
    subject: str
    predicate: str
    object: str
    shape: Shape
    start: datetime | None
    end: datetime | None
    happened: "TimeSpan | None"
    said_at: datetime
    superseded_by: "Supersession | None"


@dataclass(slots=True)
class Group:
    """Rows of one subject and predicate, and those that replaced them or that they replaced; in the order of their beginnings."""

    rows: list[Row] = field(default_factory=list)

    @property
    def subject(self) -> str:
        """Whom or what the first row speaks about."""
        return self.rows[0].subject

    @property
    def predicate(self) -> str:
        """What it states of that."""
        return self.rows[0].predicate


def groups_of(statements: Iterable["Statement"]) -> list[Group]:
    """The groups of statements that are listed in the order in which they were said; the group that begins first is the first."""
    listed = [statement for statement in statements if statement.said_at is not None]
    lasting = {one.superseded_by.node_id for one in listed if one.superseded_by is not None and _is_another_state(one.superseded_by.reason)}
    rows = [_row(some, lasting) for some in _saying_the_same(listed)]
    groups = [Group(sorted(some, key=_beginning)) for some in _related(rows)]
    return sorted(groups, key=lambda group: _beginning(group.rows[0]))


def _is_another_state(reason: str) -> bool:
    """Whether what replaced a statement tells of a state that began then: another residence, employer, partner, diet."""
    return reason.startswith("another ") and reason != "another value"


def _saying_the_same(statements: Sequence["Statement"]) -> list[list["Statement"]]:
    """Each statement with the relations of its event that say the same of the same: "works at Colibri" and "works for Colibri"."""
    found: list[list[Statement]] = []
    of_event: dict[str, list[list[Statement]]] = {}
    for one in sorted(statements, key=lambda it: (it.said_at, it.kind != "fact")):
        same = next((some for some in of_event.get(one.event_id, ()) if _say_the_same(some[0], one)), None)
        if same is not None:
            same.append(one)
            continue
        found.append([one])
        of_event.setdefault(one.event_id, []).append(found[-1])
    return found


def _say_the_same(first: "Statement", other: "Statement") -> bool:
    if first.text == other.text:
        return True
    verbs = {one.predicate.partition("_")[0] for one in (first, other)}
    return bool(other.object) and first.object.startswith(other.object) and first.subject == other.subject and len(verbs) == 1


def _row(same: Sequence["Statement"], lasting: set[str]) -> Row:
    first = same[0]
    assert first.said_at is not None
    span, replaced = first.time, first.superseded_by
    start, end = (span.start, span.end) if span else (first.said_at, None)
    shape = Shape.POINT if span and start and end and span.granularity in _POINTS else Shape.PERIOD
    if replaced is not None and replaced.valid_from is not None:
        if span and start and replaced.valid_from <= start:
            shape = Shape.CALLED_OFF
        else:
            shape, end = Shape.PERIOD, replaced.valid_from
            start = min(start, end) if start else None
    elif first.id in lasting:
        shape, end = Shape.PERIOD, None
    return Row(
        ids=tuple(one.id for one in same),
        text=first.text,
        subject=first.subject,
        predicate=first.predicate.replace("_", " "),
        object=first.object,
        shape=shape,
        start=start,
        end=end,
        happened=span,
        said_at=first.said_at,
        superseded_by=replaced,
    )


def _related(rows: Sequence[Row]) -> list[list[Row]]:
    """The rows by what they speak about: of one subject and predicate, or one in place of the other."""
    group_of: dict[object, list[Row]] = {}
    for row in rows:
        keys: list[object] = list(row.ids)
        if row.superseded_by is not None:
            keys.append(row.superseded_by.node_id)
        if row.subject and row.predicate and row.object:
            keys.append((row.subject, row.predicate))
        groups = {id(group_of[key]): group_of[key] for key in keys if key in group_of}
        merged = [row for group in groups.values() for row in group] + [row]
        group_of |= dict.fromkeys((key for key, group in group_of.items() if id(group) in groups), merged)
        group_of |= dict.fromkeys(keys, merged)
    return list({id(group): group for group in group_of.values()}.values())


def _beginning(row: Row) -> tuple[bool, datetime, datetime]:
    return row.start is not None, row.start or row.said_at, row.said_at
