"""Reading the fields of a JSON document that somebody else wrote: what is wrong is told with its place, such as `conversations[0].id`."""

from typing import Any

from bench.report import BenchError


def field_of(value: object, key: str, place: str) -> Any:
    """What an object has under a key; None where it has nothing. Raises BenchError where it is no object."""
    if not isinstance(value, dict):
        raise BenchError(f"{place or 'the document'}: must be an object")
    return value.get(key)


def list_of(value: object, key: str, place: str) -> list[Any]:
    """The list under a key. Raises BenchError where it is none."""
    found = field_of(value, key, place)
    if not isinstance(found, list):
        raise BenchError(f"{place}.{key}: must be a list".lstrip("."))
    return found


def text_of(value: object, key: str, place: str, default: str | None = None) -> str:
    """The text under a key, or a number as one. Raises BenchError where it is none; empty or absent ones are none without a default."""
    found = field_of(value, key, place)
    if found is None and default is not None:
        return default
    if not isinstance(found, (str, int, bool)) or (found == "" and default is None):
        raise BenchError(f"{place}.{key}: must be a text".lstrip("."))
    return str(found)
