"""Listings that end at --limit, and say so."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

import typer

T = TypeVar("T")
_LARGEST_PAGE = 500


def at_most(limit: int, items: Iterable[T]) -> Iterator[T]:
    """The first items; when there are more, that is said on standard error."""
    for number, item in enumerate(items):
        if number == limit:
            typer.echo(f"There is more than --limit {limit:,} shows.", err=True)
            return
        yield item


def page_size(limit: int) -> int:
    """How many items to ask for at once: one more than are shown, to know whether there are more."""
    return min(limit + 1, _LARGEST_PAGE)
