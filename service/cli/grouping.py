"""A group of commands that lists when no command is named: `structmem jobs` is `structmem jobs list`."""

from typing import Any

from typer.core import TyperGroup


class ListsByDefault(TyperGroup):
    """Takes arguments that begin with no command of the group as those of `list`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Puts `list` before them."""
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            args = ["list", *args]
        return super().parse_args(ctx, args)

    def get_params(self, ctx: Any) -> list[Any]:
        """Help shows the options of `list` as the group's own; they never reach the group, for `list` stands before them."""
        return [*self.commands["list"].params, *super().get_params(ctx)]
