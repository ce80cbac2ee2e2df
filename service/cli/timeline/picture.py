"""A timeline as lines of text: a scale, and under it a bar or a mark for each row."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from service.cli.timeline.rows import Group, Row, Shape
from service.cli.times import Times, day_of

_LONGEST_LABEL = 44
_LEAST_BAR = 20


@dataclass(frozen=True, slots=True)
class Marks:
    """What bars are drawn with; each one character."""

    begin: str
    line: str
    end: str
    short: str
    before: str
    after: str
    cut: str


DRAWN = Marks("├", "─", "┤", "│", "←", "→", "…")
# For terminals whose encoding has no others.
ASCII = Marks("|", "-", "|", "|", "<", ">", "~")


def marks_of(encoding: str | None) -> Marks:
    """Those that a terminal of this encoding can show."""
    try:
        "├─┤│←→…".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return DRAWN


@dataclass(frozen=True, slots=True)
class Window:
    """The time that is drawn, the columns that it takes, and where a moment is among them."""

    start: datetime
    end: datetime
    columns: int

    def column(self, moment: datetime) -> int:
        """The column of a moment; outside of the window -1, or `columns`."""
        if moment < self.start:
            return -1
        if moment > self.end:
            return self.columns
        return min(int((moment - self.start) / (self.end - self.start) * self.columns), self.columns - 1)


def window_of(groups: Sequence[Group], since: datetime | None, until: datetime | None, now: datetime, columns: int) -> Window:
    """What shows all rows: to `now` where something holds still; or the bounds that are given."""
    rows = [row for group in groups for row in group.rows]
    moments = [moment for row in rows for moment in (row.start, row.end) if moment is not None]
    if any(row.end is None for row in rows):
        moments.append(now)
    start, end = since or min(moments, default=now), until or max(moments, default=now)
    return Window(start, max(end, start + timedelta(hours=1)), columns)


def lines_of(
    groups: Sequence[Group], times: Times, now: datetime, width: int, marks: Marks, since: datetime | None, until: datetime | None
) -> Iterator[str]:
    """The picture, at most about `width` columns wide. Groups of several rows have a heading; rows outside the window are left out."""
    notes = {row.ids: note_of(row, times) for group in groups for row in group.rows}
    labels = {row.ids: _label(row, group, marks) for group in groups for row in group.rows}
    label_width = max(map(len, labels.values()), default=0)
    columns = max(width - label_width - max(map(len, notes.values()), default=0) - 4, _LEAST_BAR)
    window = window_of(groups, since, until, now, columns)
    scale, ticks = _scale(window, times)
    yield f"{'':{label_width}}  {scale}".rstrip()
    yield f"{'':{label_width}}  {ticks}".rstrip()
    for group in groups:
        bars = {row.ids: _bar(row, window, marks) for row in group.rows}
        shown = [row for row in group.rows if bars[row.ids].strip()]
        if shown and len(group.rows) > 1:
            yield f"{group.subject} {group.predicate}".strip() or _shortened(group.rows[0].text, label_width, marks)
        for row in shown:
            yield f"{labels[row.ids]:{label_width}}  {bars[row.ids]}  {notes[row.ids]}".rstrip()


def note_of(row: Row, times: Times) -> str:
    """From when to when in words."""
    until = times.instant(row.superseded_by.valid_from)[:10] if row.superseded_by else ""
    why = f" ({row.superseded_by.reason})" if row.superseded_by and row.superseded_by.reason else ""
    told = times.span(row.happened)
    begin = (day_of(row.happened.start) if row.happened else times.instant(row.start)[:10]) if row.start else ""
    match row.shape:
        case Shape.POINT:
            return told
        case Shape.CALLED_OFF:
            return f"{told}, until {until}{why}"
        case _ if until:
            return f"{begin} until {until}{why}".strip()
        case _ if row.end is None:
            return f"since {begin}"
        case _:
            return told


def _label(row: Row, group: Group, marks: Marks) -> str:
    if len(group.rows) == 1:
        return _shortened(row.text, _LONGEST_LABEL, marks)
    same = row.object and (row.subject, row.predicate) == (group.subject, group.predicate)
    return f"  {_shortened(row.object if same else row.text, _LONGEST_LABEL - 2, marks)}"


def _shortened(text: str, width: int, marks: Marks) -> str:
    line = " ".join(text.split())
    return line if len(line) <= width else f"{line[: width - 1].rstrip()}{marks.cut}"


def _bar(row: Row, window: Window, marks: Marks) -> str:
    """The row's columns; blank where it lies outside the window."""
    cells = [" "] * window.columns
    first = -1 if row.start is None else window.column(row.start)
    if row.shape is not Shape.PERIOD:
        if 0 <= first < window.columns:
            cells[first] = "*" if row.shape is Shape.POINT else "x"
        return "".join(cells)
    last = window.columns if row.end is None else window.column(row.end)
    if last < 0 or first >= window.columns:
        return "".join(cells)
    left, right = max(first, 0), min(last, window.columns - 1)
    cells[left : right + 1] = marks.line * (right - left + 1)
    cells[left] = marks.before if first < 0 else marks.begin
    if last >= window.columns:
        cells[right] = marks.after
    elif left == right:
        cells[left] = marks.short
    else:
        cells[right] = marks.end
    return "".join(cells)


def _scale(window: Window, times: Times) -> tuple[str, str]:
    """Two lines over the bars: dates, and the columns where they begin."""
    names, ticks = [" "] * window.columns, [" "] * window.columns
    free = 0
    for moment, name in _dates(window, times):
        column = window.column(moment)
        if free <= column and column + len(name) <= window.columns:
            names[column : column + len(name)] = name
            ticks[column] = "|"
            free = column + len(name) + 2
    return "".join(names), "".join(ticks)


def _dates(window: Window, times: Times) -> Iterator[tuple[datetime, str]]:
    """Beginnings of years, months or days in the window, as many as have room, about."""
    start, end = (moment.astimezone(times.zone) for moment in (window.start, window.end))
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    room = max(window.columns // 12, 1)
    days = (end - start) / timedelta(days=1)
    if days <= room:
        steps = [day + timedelta(days=number) for number in range(1, int(days) + 2)]
        yield from ((moment, moment.strftime("%Y-%m-%d")) for moment in [start, *steps] if start <= moment <= end)
        return
    months = next((step for step in (1, 3, 6) if days / (30 * step) <= room), None)
    if months is not None:
        count = start.year * 12 + start.month - 1
        for number in range(-(-count // months) * months, end.year * 12 + end.month, months):
            moment = day.replace(year=number // 12, month=number % 12 + 1, day=1)
            if start <= moment <= end:
                yield moment, moment.strftime("%Y-%m")
        return
    years = next(step for step in (1, 2, 5, 10, 50, 100, 500, 10_000) if days / (365 * step) <= room)
    for year in range(max(-(-start.year // years) * years, 1), end.year + 1, years):
        moment = day.replace(year=year, month=1, day=1)
        if start <= moment <= end:
            yield moment, f"{year:04}"
