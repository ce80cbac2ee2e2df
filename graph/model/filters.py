"""Typed filters of reads. Every field that is set must hold."""

from dataclasses import dataclass

from graph.model.ids import MEMORY_KINDS, NodeKind
from graph.model.times import TimeRange


@dataclass(frozen=True, slots=True)
class LabelCondition:
    """The label `key` is there and, when `values` are given, has one of them."""

    key: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LabelFilter:
    """Conditions on a message's labels; statements and events are judged by their evidence: one passing message is enough."""

    all_of: tuple[LabelCondition, ...] = ()
    any_of: tuple[LabelCondition, ...] = ()
    none_of: tuple[LabelCondition, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.all_of or self.any_of or self.none_of)


NO_LABELS = LabelFilter()


@dataclass(frozen=True, slots=True)
class MemoryFilter:
    """Which memories retrieval may return. Empty tuples accept all; `happened` judges memories without a span by when they were said.

    Nothing of `not_sessions` is returned, and none of `not_ids`.
    """

    kinds: frozenset[NodeKind] = MEMORY_KINDS
    sessions: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    said: TimeRange | None = None
    happened: TimeRange | None = None
    labels: LabelFilter = NO_LABELS
    not_sessions: tuple[str, ...] = ()
    not_ids: tuple[str, ...] = ()
