"""Long texts on a terminal: their beginning, with how long they are, and how to see all of them."""

from dataclasses import dataclass, field
from typing import Annotated

import typer

# A screen of 80 columns holds some 2,000 characters: one memory fills a third of it at most.
_SHOWN = 600
FullOption = Annotated[bool, typer.Option("--full", help=f"Show texts whole; else those of more than {_SHOWN} characters are shortened.")]


@dataclass(slots=True)
class Excerpts:
    """Shortens texts unless `full`, and remembers whether it did."""

    full: bool = False
    shortened: int = field(default=0, init=False)

    def of(self, text: str) -> str:
        """The text, or its beginning and its length."""
        if self.full or len(text) <= _SHOWN:
            return text
        self.shortened += 1
        return f"{text[:_SHOWN].rstrip()} … ({len(text):,} characters)"

    def note(self) -> None:
        """Says on standard error how to see what was shortened."""
        if self.shortened:
            what = "One text is" if self.shortened == 1 else f"{self.shortened:,} texts are"
            typer.echo(f"{what} shortened; --full shows all, and so does --json.", err=True)
