"""Counting the tries of calls of a model, whoever makes them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_tries: ContextVar[list[int]] = ContextVar("_tries")


@contextmanager
def counted() -> Iterator[list[int]]:
    """Counts the tries of the calls within: the one number in the list. At the end it adds to the count around it, if there is one."""
    tries, around = [0], _tries.get(None)
    token = _tries.set(tries)
    try:
        yield tries
    finally:
        _tries.reset(token)
        if around is not None:
            around[0] += tries[0]


def count_try() -> None:
    """Counts one more. Only within `counted`."""
    _tries.get()[0] += 1
