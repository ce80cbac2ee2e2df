"""Answers as tables and lines for people. Times are shown in UTC; days, months and years as the speaker meant them."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from structmem import TimeSpan

# A pipe has no width; wide enough that no table breaks a line for nothing.
_PIPE_WIDTH = 180


@cache
def console() -> "Console":
    """Standard output."""
    from rich.console import Console

    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


@cache
def error_console() -> "Console":
    """Standard error, for progress."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def table(*columns: str, wrap: Sequence[str] = ()) -> "Table":
    """A plain table. Columns in `wrap` may break lines; the others are shown whole."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, no_wrap=column not in wrap, overflow="fold", justify="left")
    return made


def show(made: "Table", nothing: str) -> None:
    """Prints a table, or a sentence when it has no rows."""
    from rich.text import Text

    console().print(made if made.row_count else Text(nothing))


def instant(moment: datetime | None) -> str:
    """A time to the minute, in UTC."""
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M") if moment else ""


def span(it: "TimeSpan | None") -> str:
    """When something happened, as exactly as it is known."""
    if it is None:
        return ""
    if it.start is None or it.end is None:
        first = f"since {_day(it.start)}" if it.start else ""
        return first or (f"until {_day(it.end)}" if it.end else "")
    match it.granularity.value:
        case "year":
            return _day(it.start)[:4]
        case "month":
            return _day(it.start)[:7]
        case "day":
            return _day(it.start)
        case "week" | "season" | "era":
            return f"{_day(it.start)} to {_day(it.end - timedelta(days=1))}"
        case "day_part" | "hour":
            return instant(it.start)
        case _:
            return instant(it.start)


def _day(moment: datetime | None) -> str:
    # A local day starts up to 14 hours before or 12 after the same day in UTC: its noon tells it apart.
    return (moment + timedelta(hours=12)).astimezone(UTC).strftime("%Y-%m-%d") if moment else ""


def when(it: "TimeSpan | None", said_at: datetime | None) -> str:
    """When something happened, or, in brackets, when it was said."""
    return span(it) or (f"({instant(said_at)})" if said_at else "")


def plain(text: str) -> str:
    """Text that a table shows as it is: square brackets are no markup, line breaks are spaces."""
    from rich.markup import escape

    return escape(" ".join(text.split()))


def plain_lines(text: str) -> str:
    """Text of several lines that is shown as it is."""
    from rich.markup import escape

    return escape(text)
