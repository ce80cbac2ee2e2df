"""An iterator that keeps what goes wrong in it: gRPC swallows exceptions of request iterators, and logs them with a traceback."""

from collections.abc import Iterable, Iterator
from typing import Any


class RecordingIterator:
    """Passes items on, and ends where the source raises; `error` is then what it raised, and goes before any answer of the service."""

    def __init__(self, source: Iterable[Any]) -> None:
        self._source: Iterator[Any] = iter(source)
        self.error: Exception | None = None

    def __iter__(self) -> "RecordingIterator":
        return self

    def __next__(self) -> Any:
        try:
            return next(self._source)
        except StopIteration:
            raise
        except Exception as problem:  # noqa: BLE001  # whatever it is, the transport raises it
            self.error = problem
            raise StopIteration from None
