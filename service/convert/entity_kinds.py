"""Kinds of entities, both ways. In the contract 0 says that nothing was set, so that "could not be told" has a number of its own."""

from collections.abc import Iterable

from structmem.v1 import node_pb2

from graph.model import EntityKind
from service.validate import Violations

_NUMBERS = {kind: node_pb2.EntityKind.ValueType(kind or node_pb2.ENTITY_KIND_UNKNOWN) for kind in EntityKind}
_KINDS = {int(number): kind for kind, number in _NUMBERS.items()}


def entity_kind_to_proto(kind: EntityKind) -> node_pb2.EntityKind.ValueType:
    """The contract's number of a kind."""
    return _NUMBERS[kind]


def entity_kind_from_proto(found: Violations, field: str, number: int) -> EntityKind:
    """The kind of this number; one that is not set is unknown."""
    kind = _KINDS.get(number)
    if kind is None and number:
        found.add(field, f"{number} is not a value of this enum")
    return kind or EntityKind.UNKNOWN


def entity_kinds_from_proto(found: Violations, field: str, numbers: Iterable[int]) -> frozenset[EntityKind]:
    """Kinds to filter by; none stands for all."""
    kinds = set()
    for index, number in enumerate(numbers):
        if not number:
            found.add(f"{field}[{index}]", "is not set; an empty list stands for all")
        kinds.add(entity_kind_from_proto(found, f"{field}[{index}]", number))
    return frozenset(kinds)
