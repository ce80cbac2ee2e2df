"""What people see of a benchmark: progress bars and tables on a terminal; with --json one object on standard output and nothing else."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table


class BenchError(Exception):
    """A benchmark cannot run; the message is for the person who started it."""


class Step:
    """One step of a benchmark that moves its bar forward."""

    def __init__(self, progress: Progress, title: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(title, total=total)

    def advance(self, by: int = 1) -> None:
        """So much more is done."""
        self._progress.advance(self._task, by)

    def reach(self, done: int, total: int | None = None) -> None:
        """So much is done in all."""
        self._progress.update(self._task, completed=done, total=total)


@dataclass(frozen=True)
class Report:
    """Where a benchmark shows its progress and its result."""

    as_json: bool
    console: Console = field(default_factory=Console)

    @contextmanager
    def step(self, title: str, total: int | None = None) -> Iterator[Step]:
        """A progress bar for what the block does; nothing with --json."""
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, disable=self.as_json) as progress:
            yield Step(progress, title, total)

    def note(self, text: str) -> None:
        """A line for people."""
        if not self.as_json:
            self.console.print(text, highlight=False)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """A table for people: the first column is a name, the others are figures."""
        if self.as_json:
            return
        table = Table(title=title, title_justify="left")
        for index, column in enumerate(columns):
            table.add_column(column, justify="left" if index == 0 else "right", no_wrap=True)
        for row in rows:
            table.add_row(*(_shown(value) for value in row))
        self.console.print(table)

    def result(self, figures: Mapping[str, object]) -> None:
        """The one object that --json prints."""
        if self.as_json:
            print(json.dumps(figures, ensure_ascii=False), flush=True)


def _shown(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(part)}" for key, part in value.items())
    if isinstance(value, float):
        return f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
