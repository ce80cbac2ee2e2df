"""Where a page of a listing ends."""

from collections.abc import Sequence
from typing import TypeVar

from graph.store.port import Cursor, Page
from graph.store.rules.node_bytes import fitting

T = TypeVar("T")


def page_within(max_bytes: int, items: Sequence[T], cursors: Sequence[Cursor], total: int | None = None) -> Page[T]:
    """The page of as many of the items, in their order, as so many bytes have room for.

    `cursors` has that of each item, and may go on with those of items that were not read; `total` is how many were found, if not as many
    as there are cursors. What the page does not hold of them tells that there is another one.
    """
    count = fitting(items, max_bytes)
    return Page(tuple(items[:count]), cursors[count - 1] if (len(cursors) if total is None else total) > count else None)
