"""A group of commands that lists when no command is named: `structmem jobs` is `structmem jobs list`."""

from typing import Any

from typer.core import TyperGroup


class ListsByDefault(TyperGroup):
    """Takes arguments that begin with no command of the group as those of `list`."""

    _shows_help = False

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts `list` before them."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Help shows the options of `list` as the group's own."""
        self._shows_help = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._shows_help = False

    def get_params(self, ctx: Any) -> list[Any]:
        """The group's own parameters, to which those of `list` belong in help alone: what `list` requires no other command need give."""
        own = super().get_params(ctx)
        return [*self.commands["list"].params, *own] if self._shows_help else own
