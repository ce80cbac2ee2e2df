"""Filters of reads, from the contract."""

from collections.abc import Sequence

from structmem.v1 import filter_pb2

from graph.model import MEMORY_KINDS, LabelCondition, LabelFilter, MemoryFilter, NodeKind
from service.convert.messages import MAX_LABEL_KEY, MAX_LABEL_VALUE
from service.convert.times import range_from_proto
from service.validate import Violations, enum_values, names, node_ids, text

MAX_CONDITIONS = 32
MAX_VALUES = 100
MAX_NOT_IDS = 1_000


def memory_filter_from_proto(found: Violations, field: str, filter_: filter_pb2.MemoryFilter) -> MemoryFilter:
    """What retrieval may return."""
    return MemoryFilter(
        kinds=enum_values(found, f"{field}.kinds", filter_.kinds, NodeKind, MEMORY_KINDS) or MEMORY_KINDS,
        sessions=names(found, f"{field}.sessions", filter_.sessions),
        speakers=names(found, f"{field}.speakers", filter_.speakers),
        said=range_from_proto(found, f"{field}.said", filter_.said),
        happened=range_from_proto(found, f"{field}.happened", filter_.happened),
        labels=label_filter_from_proto(found, f"{field}.labels", filter_.labels),
        not_sessions=names(found, f"{field}.not_sessions", filter_.not_sessions),
        not_ids=node_ids(found, f"{field}.not_ids", filter_.not_ids, MEMORY_KINDS, 0, MAX_NOT_IDS),
    )


def label_filter_from_proto(found: Violations, field: str, labels: filter_pb2.LabelFilter) -> LabelFilter:
    """Conditions on labels."""
    return LabelFilter(
        all_of=_conditions(found, f"{field}.all_of", labels.all_of),
        any_of=_conditions(found, f"{field}.any_of", labels.any_of),
        none_of=_conditions(found, f"{field}.none_of", labels.none_of),
    )


def _conditions(found: Violations, field: str, conditions: Sequence[filter_pb2.LabelCondition]) -> tuple[LabelCondition, ...]:
    if len(conditions) > MAX_CONDITIONS:
        found.add(field, f"must hold at most {MAX_CONDITIONS} conditions")
        return ()
    return tuple(_condition(found, f"{field}[{index}]", condition) for index, condition in enumerate(conditions))


def _condition(found: Violations, field: str, condition: filter_pb2.LabelCondition) -> LabelCondition:
    key = text(found, f"{field}.key", condition.key, MAX_LABEL_KEY)
    if len(condition.values) > MAX_VALUES:
        found.add(f"{field}.values", f"must hold at most {MAX_VALUES} values")
        return LabelCondition(key)
    values = enumerate(condition.values)
    return LabelCondition(key, tuple(text(found, f"{field}.values[{i}]", value, MAX_LABEL_VALUE, required=False) for i, value in values))
