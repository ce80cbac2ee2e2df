"""How many bytes nodes take in an answer, so that a store reads no more of them than is answered."""

from collections.abc import Iterable, Mapping
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from typing import Any

from graph.model import Message, Statement

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


def count_within(sizes: Iterable[int], max_bytes: int) -> int:
    """How many, from the first on, are together not larger than this; 1 where the first one alone is."""
    count = 0
    for size in sizes:
        max_bytes -= size
        if max_bytes < 0 and count:
            break
        count += 1
    return count


def fitting(nodes: Iterable[object], max_bytes: int) -> int:
    """How many of the nodes, from the first on, a page of so many bytes has room for; at least 1 where there is one."""
    return count_within(map(node_bytes, nodes), max_bytes)
