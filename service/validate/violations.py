"""Gathers all that is wrong with a request, so that its caller hears of everything at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from graph.errors import FieldViolation, InvalidArgument


class Violations:
    """A list of field violations; as a context manager it raises InvalidArgument at its end when there are any.

    Checks go on after a violation with a harmless value, so what they return counts only once the block has ended.
    """

    def __init__(self) -> None:
        self._found: list[FieldViolation] = []

    def add(self, field: str, reason: str) -> None:
        """Notes what is wrong with a field."""
        self._found.append(FieldViolation(field, reason))

    @contextmanager
    def gathering(self) -> Iterator[None]:
        """Notes the violations of an InvalidArgument that the block raises, which ends there."""
        try:
            yield
        except InvalidArgument as error:
            self._found.extend(error.violations)

    def __bool__(self) -> bool:
        return bool(self._found)

    def check(self) -> None:
        """Raises InvalidArgument when there are any."""
        if self._found:
            raise InvalidArgument(self._found)

    def __enter__(self) -> "Violations":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if error is None:
            self.check()
