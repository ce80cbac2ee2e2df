"""Checks of single fields: texts, names, ids, numbers, enum values."""

from collections.abc import Collection, Iterable
from enum import IntEnum
from functools import lru_cache
from typing import TypeVar

from graph.model import MAX_NAME_LENGTH, PREFIXES, NodeKind, kind_of, namespace_name_problem, uuid_of
from service.validate.violations import Violations

MAX_NAME = MAX_NAME_LENGTH
MAX_REQUEST_ID = 100
MAX_ID = 100
_SHOWN = 40
MAX_FILTER_VALUES = 1000
E = TypeVar("E", bound=IntEnum)


def text(found: Violations, field: str, value: str, limit: int, *, required: bool = True) -> str:
    """A text of at most `limit` characters without NUL; not only white space when it is required."""
    if required and not value:
        found.add(field, "is required")
    elif required and value.isspace():
        found.add(field, "must not be only white space")
    elif len(value) > limit:
        found.add(field, f"must be at most {limit:,} characters; it has {len(value):,}")
    elif "\0" in value:
        found.add(field, "must not contain NUL characters")
    return value


def namespace_name(found: Violations, field: str, value: str) -> str:
    """A namespace's name."""
    problem = namespace_name_problem(value)
    if problem:
        found.add(field, problem)
    return value


def node_id(found: Violations, field: str, value: str, kinds: Collection[NodeKind] = frozenset(NodeKind)) -> str:
    """The id of a node of one of these kinds."""
    try:
        if len(value) > MAX_ID:
            raise ValueError
        kind = kind_of(value)
    except ValueError:
        found.add(field, "is required" if not value else f"{_cut(value)} is not the id of a node: {_shape(kinds)}")
        return value
    if kind not in kinds:
        found.add(field, f"must be the id of {_either(k.name.lower() for k in sorted(kinds))}; {value} is that of {kind.name.lower()}")
    return value


def _cut(value: str) -> str:
    """What the caller gave, as much of it as a sentence takes, with nothing in it that a terminal would act on."""
    shown = value if len(value) <= _SHOWN else f"{value[:_SHOWN]}…"
    return "".join(sign if sign.isprintable() else "�" for sign in f'"{shown}"')


def _shape(kinds: Collection[NodeKind]) -> str:
    return f"one is {_either(f'{PREFIXES[kind]}_' for kind in sorted(kinds))} and 26 letters and digits"


def node_ids(found: Violations, field: str, values: Collection[str], kinds: Collection[NodeKind], low: int, high: int) -> tuple[str, ...]:
    """From `low` to `high` ids, repeats dropped."""
    if not low <= len(values) <= high:
        found.add(field, f"must hold {low:,} to {high:,} ids; it holds {len(values):,}")
        return ()
    return tuple(dict.fromkeys(node_id(found, f"{field}[{index}]", value, kinds) for index, value in enumerate(values)))


def job_id(found: Violations, field: str, value: str) -> str:
    """The id of a job."""
    try:
        if len(value) <= MAX_ID and value.startswith("job_") and uuid_of(value):
            return value
    except ValueError:
        pass
    found.add(field, f"{_cut(value)} is not the id of a job" if value else "is required")
    return value


def names(found: Violations, field: str, values: Collection[str]) -> tuple[str, ...]:
    """Names of sessions or speakers to filter by; none accepts all."""
    if len(values) > MAX_FILTER_VALUES:
        found.add(field, f"must hold at most {MAX_FILTER_VALUES:,} names")
        return ()
    return tuple(text(found, f"{field}[{index}]", value, MAX_NAME) for index, value in enumerate(values))


def limit_of(found: Violations, field: str, value: int, default: int, high: int, low: int = 1, told_default: str = "") -> int:
    """A limit; 0, which is one that is left out, stands for the default. `told_default`: what that is, where it is no number."""
    if value and not low <= value <= high:
        found.add(field, f"must be from {low:,} to {high:,}; leave it out for {told_default or f'{default:,}'}")
    return value or default


def fraction(found: Violations, field: str, value: float) -> float:
    """A number from 0 to 1."""
    # Written so that NaN does not pass.
    if not 0 <= value <= 1:
        found.add(field, "must be from 0 to 1")
    return value


def enum_value(found: Violations, field: str, value: int, kind: type[E]) -> E | None:
    """A member of the enum, or None for 0, which stands for "not said"."""
    if value == 0:
        return None
    member = _members(kind).get(value)
    if member is None:
        found.add(field, f"{value} is not a value of this enum")
    return member


@lru_cache
def _members(kind: type[E]) -> dict[int, E]:
    return {int(member): member for member in kind}


def enum_values(found: Violations, field: str, values: Iterable[int], kind: type[E], allowed: Collection[E] | None = None) -> frozenset[E]:
    """Members of the enum to filter by; none stands for all. "Not set" is none of them: it is refused."""
    members: set[E] = set()
    for index, value in enumerate(values):
        member = enum_value(found, f"{field}[{index}]", value, kind)
        if member is None:
            if value == 0:
                found.add(f"{field}[{index}]", "is not set; an empty list stands for all")
            continue
        if allowed is not None and member not in allowed:
            found.add(f"{field}[{index}]", f"must be {_either(m.name for m in sorted(allowed))}")
        members.add(member)
    return frozenset(members)


def _either(choices: Iterable[str]) -> str:
    *rest, last = choices
    return f"{', '.join(rest)} or {last}" if rest else last
