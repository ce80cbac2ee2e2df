"""What is wrong with the lines of a file, on standard error."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import typer

from service.cli.counts import counted

if TYPE_CHECKING:
    from service.cli.chats import LineProblem

_SHOWN = 20


def report_problems(problems: "Sequence[LineProblem]", *, skipped: bool) -> None:
    """Names each line and the reason: all of those that are skipped, else the first twenty."""
    shown = problems if skipped else problems[:_SHOWN]
    for place, reason in shown:
        typer.echo(f"structmem: {place}: {reason}", err=True)
    if len(problems) > len(shown):
        typer.echo(f"structmem: ... and {counted(len(problems) - len(shown), 'more line')}; --skip-broken names all", err=True)
