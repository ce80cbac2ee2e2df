"""Nodes of the model from what stores hold of them: plain values by the names of the node's fields."""

from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import datetime
from enum import IntEnum
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from graph.model import Entity, Event, Message, Node, Session, Statement, from_micros

N = TypeVar("N", Session, Message, Event, Statement, Entity)


def node_of(cls: type[N], record: Mapping[str, Any], **told: Any) -> N:
    """The node that a record holds, whose fields `told` come from elsewhere, such as from its edges.

    Of each other field the record has the value by its name: times as microseconds since 1970, enums by name or number, tuples as lists;
    None where a text is empty or a time is not known.
    """
    values = {name: read(record[name]) if read else record[name] for name, read in _READERS[cls].items() if name not in told}
    return cls(**values, **told)


def _reader(hint: Any) -> Callable[[Any], Any] | None:
    """What turns the value of a record into one of this type; None when it is one."""
    if hint is datetime:
        return from_micros
    if hint == datetime | None:
        return lambda value: None if value is None else from_micros(value)
    if hint is str:
        return lambda value: value or ""
    if get_origin(hint) is tuple:
        return tuple
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        return lambda value: hint[value] if isinstance(value, str) else hint(value)
    return None


def _readers(cls: type) -> dict[str, Callable[[Any], Any] | None]:
    hints = get_type_hints(cls)
    return {field.name: _reader(hints[field.name]) for field in fields(cls)}


_READERS = {cls: _readers(cls) for cls in get_args(Node)}
