"""What callers give in place of what is wanted: refused with the field, and with what is expected there."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from structmem._errors import InvalidArgumentError

T = TypeVar("T")


def one(field: str, value: Any, kind: type[T]) -> T:
    """The value, which must be of this kind."""
    if not isinstance(value, kind):
        raise InvalidArgumentError.of(field, f"must be {_article(kind.__name__)}, not {named(value)}")
    return value


def elements(field: str, values: Iterable[T], what: str) -> Iterable[T]:
    """The values as they are. A text alone is refused: it would be taken for its letters."""
    if isinstance(values, str | bytes | Mapping) or not isinstance(values, Iterable):
        raise InvalidArgumentError.of(field, f"must be several {what}, such as a list; it is {named(values)}")
    return values


def several(field: str, values: Iterable[T], what: str = "texts") -> list[T]:
    """The values as a list; see `elements`."""
    return list(elements(field, values, what))


def texts_by_text(field: str, value: Mapping[str, str]) -> dict[str, str]:
    """The mapping as a dict."""
    if not isinstance(value, Mapping):
        raise InvalidArgumentError.of(field, f"must be a mapping of texts, not {named(value)}")
    return dict(value)


def numbers(field: str, values: Sequence[float]) -> list[float]:
    """The numbers as a list."""
    try:
        return [float(value) for value in values]
    except (TypeError, ValueError, OverflowError):
        raise InvalidArgumentError.of(field, f"must be several numbers; it is {named(values)}") from None


def named(value: object) -> str:
    """What a value is, for a sentence."""
    return "None" if value is None else _article(type(value).__name__)


def _article(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"
