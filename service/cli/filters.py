"""The filter of a read, from its options."""

from collections.abc import Sequence
from datetime import tzinfo
from typing import TYPE_CHECKING

import typer

from service.cli.dates import range_of

if TYPE_CHECKING:
    from structmem import LabelFilter, MemoryFilter, TimeRange


def time_range(since: str | None, until: str | None, zone: tzinfo) -> "TimeRange | None":
    """The range that --from and --to name."""
    from structmem import TimeRange

    start, end = range_of(since, until, zone)
    return TimeRange(start, end) if start or end else None


def label_filter(labels: Sequence[str] | None) -> "LabelFilter | None":
    """Labels, all of which must hold; several values of one key are alternatives."""
    from structmem import LabelCondition, LabelFilter

    values: dict[str, list[str]] = {}
    for label in labels or ():
        key, separator, value = label.partition("=")
        if not key:
            raise typer.BadParameter(f'"{label}" is not KEY or KEY=VALUE', param_hint="--label")
        values.setdefault(key, []).extend([value] if separator else [])
    return LabelFilter(all_of=[LabelCondition(key, found) for key, found in values.items()]) if values else None


def memory_filter(
    kinds: Sequence[str] | None,
    sessions: Sequence[str] | None,
    speakers: Sequence[str] | None,
    happened: "TimeRange | None",
    labels: Sequence[str] | None,
    not_sessions: Sequence[str] | None = None,
    not_ids: Sequence[str] | None = None,
) -> "MemoryFilter":
    """Which memories a search may return."""
    from structmem import MemoryFilter

    return MemoryFilter(
        kinds=kinds or (),
        sessions=sessions or (),
        speakers=speakers or (),
        happened=happened,
        labels=label_filter(labels),
        not_sessions=not_sessions or (),
        not_ids=not_ids or (),
    )
