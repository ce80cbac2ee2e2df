"""For how long a namespace keeps messages, as the command line says it: "90d", "7d:session=scratch", "30d:label=topic=work", "forever"."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from structmem import RetentionRule

_LENGTH = re.compile(r"(\d{1,6})([smhdwy])\Z")
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}
FOREVER = "forever"
KeepOption = Annotated[
    list[str] | None,
    typer.Option(
        "--keep",
        metavar="LENGTH[:WHAT]",
        help="Delete messages so long after they were stored: 90d, 7d:session=scratch, 30d:label=topic=work; forever keeps all. "
        "May be given several times.",
    ),
]


def retention_of(keep: Sequence[str] | None) -> "tuple[RetentionRule, ...] | None":
    """The rules that --keep names; None where it was not given."""
    if not keep:
        return None
    if list(keep) == [FOREVER]:
        return ()
    return tuple(map(_rule, keep))


def _rule(given: str) -> "RetentionRule":
    from structmem import RetentionRule

    length, _, what = given.partition(":")
    found = _LENGTH.match(length)
    if found is None:
        raise typer.BadParameter(f'"{length}" is no length of time, such as 90d, 12h or 2y', param_hint="--keep")
    keep = int(found[1]) * _UNITS[found[2]]
    kind, _, name = what.partition("=")
    if what and (kind not in ("session", "label") or not name):
        raise typer.BadParameter(f'"{what}" is not session=NAME or label=KEY or label=KEY=VALUE', param_hint="--keep")
    if kind == "label":
        key, _, value = name.partition("=")
        return RetentionRule(keep, label=key, label_value=value)
    return RetentionRule(keep, session=name)


def in_words(rules: "Sequence[RetentionRule]") -> str:
    """The rules, as they may be given again."""
    return "; ".join(map(_in_words, rules))


def _in_words(rule: "RetentionRule") -> str:
    seconds = int(rule.keep.total_seconds())
    unit = next(unit for unit in ("d", "h", "m", "s") if seconds % int(_UNITS[unit].total_seconds()) == 0)
    label = f":label={rule.label}" + (f"={rule.label_value}" if rule.label_value else "")
    what = f":session={rule.session}" if rule.session else label if rule.label else ""
    return f"{seconds // int(_UNITS[unit].total_seconds())}{unit}{what}"
