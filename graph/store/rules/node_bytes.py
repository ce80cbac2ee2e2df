"""How many bytes nodes take in an answer, so that a store reads no more of them than is answered."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from graph.model import Message, Statement
from graph.store.port import count_within

# A field's tag and length, in whatever form answers are encoded; and what numbers and times take at most.
_FIELD = 8
_NUMBER = 24
# Ids, names of fields and counts that stand beside the text of a node.
OVERHEAD = 512
# What is read or written at once of a namespace that is moved.
BATCH_BYTES = 4_000_000


def node_bytes(value: Any) -> int:
    """At most so many bytes a node, or a value in one, takes: its texts in UTF-8, and some for each field."""
    match value:
        case str():
            return _FIELD + (len(value) if value.isascii() else len(value.encode()))
        case None:
            return 0
        case int() | float() | datetime():
            return _NUMBER
        case Mapping():
            return _FIELD + sum(_FIELD + node_bytes(key) + node_bytes(one) for key, one in value.items())
        case tuple() | list() | frozenset():
            return _FIELD + sum(map(node_bytes, value))
        case _:
            return _FIELD + sum(node_bytes(getattr(value, name)) for name in _names(value.__class__))


@lru_cache
def _names(kind: Any) -> tuple[str, ...]:
    """The fields of a dataclass."""
    return tuple(field.name for field in fields(kind))


def text_length(records: Iterable[object]) -> int:
    """Characters of the texts of messages and statements: what makes a batch of records large."""
    return sum(len(record.text) for record in records if isinstance(record, Message | Statement))


def fitting(nodes: Iterable[object], max_bytes: int) -> int:
    """How many of the nodes, from the first on, a page of so many bytes has room for; at least 1 where there is one."""
    return count_within(map(node_bytes, nodes), max_bytes)
