"""From the filters of LightMem's `retrieve`, conditions on the fields of its entries, to the service's."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from structmem._inputs import LabelCondition, LabelFilter, MemoryFilter, TimeRange
from structmem.lightmem.messages import UNTAGGED, label_value, tag_label, tags_of
from structmem.lightmem.times import instant

_MOMENT = timedelta(microseconds=1)
_TOPICS = "memories carry no topic; events bind what belongs together"
_OWN = "it is a field of LightMem's own bookkeeping"
# Fields of LightMem's entries that nothing here has.
REFUSED = {
    "weekday": "ask for a range of float_time_stamp",
    "topic_id": _TOPICS,
    "topic_summary": _TOPICS,
    "category": _OWN,
    "subcategory": _OWN,
    "memory_class": _OWN,
    "memory": "words are what the query is for",
    "original_memory": "words are what the query is for",
    "compressed_memory": "what is stored is never compressed",
    "consolidated": _OWN,
    "hit_time": _OWN,
    "update_queue": _OWN,
    "bam_tags": "give boundmem_tags",
    "source_external_id": "the hit's evidence names its messages: client.retrieve has it",
    "source_external_ids": "the hit's evidence names its messages: client.retrieve has it",
}
_BOUNDS = ("gt", "gte", "lt", "lte")


def memory_filter(filters: Mapping[str, Any] | None, tags: Any, drop_untagged: bool, zone: ZoneInfo) -> MemoryFilter | None:
    """The service's filter. A field that is none of LightMem's is a label, as further values of messages are stored.

    Raises:
        ValueError: a field that nothing here has, or a value that it cannot have; the text names both.
    """
    if filters is not None and not isinstance(filters, Mapping):
        raise ValueError(f"filters: must be a dictionary; it is a {type(filters).__name__}")
    said: TimeRange | None = None
    speakers: list[str] = []
    labels: list[LabelCondition] = []
    for key, value in (filters or {}).items():
        if key in REFUSED:
            raise ValueError(f"filters[{key!r}]: cannot be asked for: {REFUSED[key]}")
        if key in ("time_stamp", "float_time_stamp"):
            said = _both(said, _time(key, value, zone))
        elif (plain := label_value(value)) is None:
            raise ValueError(f"filters[{key!r}]: must be a text, a number or a bool; it is a {type(value).__name__}")
        elif key == "speaker_name":
            speakers.append(plain)
        else:
            labels.append(LabelCondition(key, [plain]))
    tagged = [LabelCondition(tag_label(tag)) for tag in tags_of(tags)]
    if tagged and not drop_untagged:
        tagged.append(LabelCondition(UNTAGGED))
    if said is None and not speakers and not labels and not tagged:
        return None
    by_label = LabelFilter(all_of=labels, any_of=tagged) if labels or tagged else None
    return MemoryFilter(speakers=speakers, said=said, labels=by_label)


def _time(key: str, value: Any, zone: ZoneInfo) -> TimeRange:
    if not isinstance(value, Mapping):
        start = _instant(key, value, zone)
        return TimeRange(start, start + _MOMENT)
    if unknown := set(value) - set(_BOUNDS):
        raise ValueError(f"filters[{key!r}]: a range has {', '.join(_BOUNDS)}; it has {', '.join(map(repr, sorted(map(str, unknown))))}")
    at = {bound: _instant(key, edge, zone) for bound, edge in value.items() if edge is not None}
    starts = [*([at["gte"]] if "gte" in at else []), *([at["gt"] + _MOMENT] if "gt" in at else [])]
    ends = [*([at["lt"]] if "lt" in at else []), *([at["lte"] + _MOMENT] if "lte" in at else [])]
    return TimeRange(max(starts, default=None), min(ends, default=None))


def _instant(key: str, value: Any, zone: ZoneInfo) -> datetime:
    try:
        if key == "float_time_stamp" and isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        return instant(value, zone)
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"filters[{key!r}]: {error}") from None


def _both(one: TimeRange | None, other: TimeRange) -> TimeRange:
    if one is None:
        return other
    starts = [time for time in (one.start, other.start) if time is not None]
    ends = [time for time in (one.end, other.end) if time is not None]
    return TimeRange(max(starts, default=None), min(ends, default=None))
