"""What calls of a model took, gathered for whoever asked for them: a namespace's usage is kept where the namespace is known."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from graph.store.port import UsageEntry

_metered: ContextVar[list[UsageEntry] | None] = ContextVar("_metered", default=None)


@contextmanager
def metered() -> Iterator[list[UsageEntry]]:
    """A list that fills with what is spent inside, in tasks begun there too; also what was spent on calls that failed.

    At the end it adds to the list around it, if there is one.
    """
    entries: list[UsageEntry] = []
    token = _metered.set(entries)
    try:
        yield entries
    finally:
        _metered.reset(token)
        for entry in entries:
            spend(entry)


def spend(entry: UsageEntry) -> None:
    """Tells what a call took. Nobody need listen."""
    entries = _metered.get()
    if entries is not None:
        entries.append(entry)
