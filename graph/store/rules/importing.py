"""The records of an import: what is wrong with one, told alike by every store."""

from collections.abc import Iterator
from contextlib import contextmanager

from graph.errors import InvalidArgument


def comes_twice() -> InvalidArgument:
    """The error for a record that comes twice."""
    return InvalidArgument.of("records", "a node, session, seq, client_id or vector comes twice")


def unknown_session(name: str) -> InvalidArgument:
    """The error for a record of a session that did not come before it."""
    return InvalidArgument.of("records", f"a record names the session {name!r}, which did not come before it")


def unknown_node(id_: str) -> InvalidArgument:
    """The error for a record that refers to a node that did not come before it."""
    return InvalidArgument.of("records", f"a record refers to {id_!r}, which did not come before it")


@contextmanager
def record_faults() -> Iterator[None]:
    """Turns what a value of a record breaks into the error of the record."""
    try:
        yield
    except ValueError as error:
        raise InvalidArgument.of("records", "one holds an id that is none, or a value that does not fit") from error
