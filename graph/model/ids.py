"""Ids: minted once, never recomputed.

An id is a TypeID (https://github.com/jetify-com/typeid): a prefix that tells the kind, an underscore and a UUIDv7 (RFC 9562) in 26
characters of Crockford's base 32. Ids of one process sort by the time they were minted.
"""

import re
import secrets
import threading
import time
import uuid
from enum import IntEnum
from typing import Protocol

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# Reads and writes go through tables and int(…, 32): every node that a store reads or writes passes here.
_TEXT = re.compile(f"[0-7][{_ALPHABET}]{{25}}")
_TO_PYTHON = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_SHIFTS = range(120, -10, -10)


class NodeKind(IntEnum):
    """What a node is. The numbers are stored and are those of the contract."""

    SESSION = 1
    MESSAGE = 2
    EVENT = 3
    FACT = 4
    RELATION = 5
    ENTITY = 6
    SUMMARY = 7


STATEMENT_KINDS = frozenset({NodeKind.FACT, NodeKind.RELATION})
MEMORY_KINDS = frozenset({NodeKind.MESSAGE, NodeKind.FACT, NodeKind.RELATION})

PREFIXES = {
    NodeKind.SESSION: "ses",
    NodeKind.MESSAGE: "msg",
    NodeKind.EVENT: "evt",
    NodeKind.FACT: "fct",
    NodeKind.RELATION: "rel",
    NodeKind.ENTITY: "ent",
    NodeKind.SUMMARY: "sum",
}
_KINDS = {prefix: kind for kind, prefix in PREFIXES.items()}


class IdSource(Protocol):
    """Mints ids. Tests and congruence runs inject a repeatable one."""

    def mint(self, prefix: str) -> str:
        """A new id with this prefix, greater than every id minted before it."""
        ...


class UuidSource:
    """Mints UUIDv7 ids: 48 bits of milliseconds, then a counter that starts at random in each millisecond (RFC 9562, method 1)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def mint(self, prefix: str) -> str:
        """A new id with this prefix."""
        candidate = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(73)
        with self._lock:
            self._last = max(candidate, self._last + 1)
            value = self._last
        stamp, tail = value >> 80, value & ((1 << 80) - 1)
        # The 74 free bits of a UUIDv7 stand around its version and variant bits.
        number = stamp << 80 | 0x7 << 76 | (tail >> 62 & 0xFFF) << 64 | 0b10 << 62 | tail & ((1 << 62) - 1)
        return id_of(prefix, uuid.UUID(int=number))


def id_of(prefix: str, value: uuid.UUID) -> str:
    """The id that stands for this UUID."""
    return id_of_number(prefix, value.int)


def id_of_number(prefix: str, number: int) -> str:
    """The id that stands for the UUID with this 128-bit number."""
    return prefix + "_" + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def uuid_of(id_: str) -> uuid.UUID:
    """The UUID of an id.

    Raises:
        ValueError: this is not an id.
    """
    return uuid.UUID(int=number_of(id_))


def number_of(id_: str) -> int:
    """The UUID of an id, as a 128-bit number.

    Raises:
        ValueError: this is not an id.
    """
    _, separator, text = id_.partition("_")
    if not separator or not _TEXT.fullmatch(text):
        raise ValueError("not an id")
    return int(text.translate(_TO_PYTHON), 32)


def kind_of(id_: str) -> NodeKind:
    """The kind of node that an id names.

    Raises:
        ValueError: this is not the id of a node.
    """
    number_of(id_)
    kind = _KINDS.get(id_.partition("_")[0])
    if kind is None:
        raise ValueError("not the id of a node")
    return kind
