"""What calls of a model took, gathered for whoever asked for them: a namespace's usage is kept where the namespace is known."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from graph.store.port import UsageEntry

_entries: ContextVar[list[UsageEntry] | None] = ContextVar("usage_entries", default=None)


@contextmanager
def collect_usage() -> Iterator[list[UsageEntry]]:
    """A list that fills with what is spent inside, in tasks begun there too; also what was spent on calls that failed.

    At the end it adds to the list around it, if there is one.
    """
    entries: list[UsageEntry] = []
    token = _entries.set(entries)
    try:
        yield entries
    finally:
        _entries.reset(token)
        for entry in entries:
            record_usage(entry)


def record_usage(entry: UsageEntry) -> None:
    """Adds what a call took to the innermost `collect_usage`, if there is one."""
    entries = _entries.get()
    if entries is not None:
        entries.append(entry)
