"""An iterator that remembers what went wrong in it: gRPC swallows exceptions of request iterators."""

from collections.abc import Iterable, Iterator
from typing import Any


class RecordingIterator:
    """Passes items on; `error` is what the source raised, if it did."""

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
        except Exception as problem:
            self.error = problem
            raise
