"""Pairs of messages, and what the later one means for the earlier one. One JSON object a line:

    {"id", "kind", "earlier": {"speaker", "role", "said_at", "text"}, "later": {the same}, "expected"}

`expected` is "supersede" (what the earlier one says no longer holds, or never did), "merge" (both say the same) or "keep" (both stand).
`kind` says what makes the pair easy or hard, such as "moved", "list" or "quoted". The pairs were written before any rule, and each kind
was split in two at random; nobody who writes rules reads the half that is held out.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, get_args

from bench.fields import field_of, text_of
from bench.report import BenchError

Outcome = Literal["supersede", "merge", "keep"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
_PAIRS = Path(__file__).parents[2] / "tests" / "extract" / "reconcile"
DEV, HELD_OUT = _PAIRS / "pairs_dev.jsonl", _PAIRS / "pairs_held_out.jsonl"


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a pair. `role` is "user" or "assistant"; `said_at` has a zone."""

    speaker: str
    role: str
    said_at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of a file."""

    id: str
    kind: str
    earlier: Said
    later: Said
    expected: Outcome


class Decide(Protocol):
    """What is measured: says what a later message means for an earlier one."""

    def __call__(self, earlier: Said, later: Said) -> Outcome:
        """The decision about one pair."""
        ...


def read_pairs(path: Path) -> list[Pair]:
    """The pairs of a file.

    Raises:
        BenchError: it cannot be read or is not in the format; says where.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BenchError(f"cannot read {path}: {error.strerror}") from error
    return [_pair(line, f"{path.name}:{number}") for number, line in enumerate(lines, 1)]


def _pair(line: str, place: str) -> Pair:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise BenchError(f"{place}: is not JSON: {error}") from error
    expected = text_of(value, "expected", place)
    if expected not in OUTCOMES:
        raise BenchError(f"{place}.expected: must be one of {', '.join(OUTCOMES)}")
    earlier, later = (_said(field_of(value, key, place), f"{place}.{key}") for key in ("earlier", "later"))
    return Pair(text_of(value, "id", place), text_of(value, "kind", place), earlier, later, expected)


def _said(value: object, place: str) -> Said:
    try:
        said_at = datetime.fromisoformat(text_of(value, "said_at", place))
    except ValueError as error:
        raise BenchError(f"{place}.said_at: is no ISO 8601 time") from error
    if said_at.tzinfo is None:
        raise BenchError(f"{place}.said_at: has no zone")
    return Said(text_of(value, "speaker", place), text_of(value, "role", place), said_at, text_of(value, "text", place))
