"""Whether whoever a thread works for still waits: long work asks now and then and stops, so that what nobody wants holds up nobody."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

_current = threading.local()


class GivenUp(Exception):
    """Nobody waits for the work of this thread any more."""


def given_up() -> bool:
    """Whether the call that this thread works for has been given up; False where nobody said."""
    token: threading.Event | None = getattr(_current, "token", None)
    return token is not None and token.is_set()


def stop_if_given_up() -> None:
    """Raises GivenUp where the call that this thread works for has been given up."""
    if given_up():
        raise GivenUp


@contextmanager
def for_everybody() -> Iterator[None]:
    """What is done inside is for all who come later, too: it goes on when the call that began it is given up."""
    token: threading.Event | None = getattr(_current, "token", None)
    _current.token = None
    try:
        yield
    finally:
        _current.token = token


def told(token: threading.Event, work: Callable[[], T]) -> Callable[[], T]:
    """`work`, which sees itself given up in whatever thread it runs once `token` is set."""

    def guarded() -> T:
        _current.token = token
        try:
            return work()
        finally:
            _current.token = None

    return guarded


async def in_thread(work: Callable[[], T]) -> T:
    """As `asyncio.to_thread`, but work whose caller is cancelled is told so."""
    token = threading.Event()
    try:
        return await asyncio.to_thread(told(token, work))
    except asyncio.CancelledError:
        token.set()
        raise
