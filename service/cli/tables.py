"""Answers as tables and lines for people."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

# A pipe has no width; wide enough that no table breaks a line for nothing.
_PIPE_WIDTH = 180
_NARROW = 120


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


@dataclass(frozen=True, slots=True)
class Listing:
    """Rows for people. On a narrow terminal the columns in `spare` are left out, so that ids stay whole."""

    columns: tuple[str, ...]
    wrap: frozenset[str]
    spare: frozenset[str]
    rows: list[tuple[str, ...]] = field(default_factory=list)

    def add_row(self, *cells: str) -> None:
        """Adds a row with a cell a column."""
        self.rows.append(cells)

    def show(self, nothing: str) -> None:
        """Prints the rows, or a sentence when there are none."""
        from rich import box
        from rich.table import Table

        if not self.rows:
            console().print(plain(nothing))
            return
        narrow = console().width < _NARROW
        kept = [index for index, column in enumerate(self.columns) if not (narrow and column in self.spare)]
        made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for index in kept:
            column = self.columns[index]
            # An id that is cut is of no use: it keeps its width, whatever the others must give up.
            width = max(len(row[index]) for row in self.rows) if column == "id" else 12 if column in self.wrap else None
            made.add_column(column, no_wrap=column not in self.wrap, overflow="fold", min_width=width)
        for row in self.rows:
            made.add_row(*(row[index] for index in kept))
        console().print(made)


def table(*columns: str, wrap: Sequence[str] = (), spare: Sequence[str] = ()) -> Listing:
    """An empty listing. Columns in `wrap` may break lines; the others are shown whole."""
    return Listing(columns, frozenset(wrap), frozenset(spare))


def plain(text: str) -> str:
    """Text that a table shows as it is: square brackets are no markup, line breaks are spaces."""
    from rich.markup import escape

    return escape(" ".join(text.split()))


def plain_lines(text: str) -> str:
    """Text of several lines that is shown as it is."""
    from rich.markup import escape

    return escape(text)
