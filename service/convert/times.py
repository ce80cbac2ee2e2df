"""Times: Timestamp, Duration, TimeSpan, TimeRange and AsOf."""

from datetime import datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from structmem.v1 import retrieval_pb2, time_pb2

from graph.model import DISTANT_FUTURE, DISTANT_PAST, AsOf, Granularity, TimeRange, TimeSpan, to_micros
from service.validate import Violations, enum_value, instant, text

MAX_EXPRESSION = 1000


def timestamp(moment: datetime | None) -> Timestamp | None:
    """The instant as a Timestamp; None stays None, which leaves a field unset."""
    if moment is None:
        return None
    seconds, micros = divmod(to_micros(moment), 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros * 1000)


def duration(length: timedelta) -> Duration:
    """The length of time as a Duration."""
    made = Duration()
    made.FromTimedelta(length)
    return made


def span_to_proto(span: TimeSpan | None) -> time_pb2.TimeSpan | None:
    """A span; open ends are left unset."""
    if span is None:
        return None
    return time_pb2.TimeSpan(
        start=None if span.start == DISTANT_PAST else timestamp(span.start),
        end=None if span.end == DISTANT_FUTURE else timestamp(span.end),
        granularity=time_pb2.Granularity.ValueType(span.granularity),
        expression=span.expression,
    )


def span_from_proto(found: Violations, field: str, span: time_pb2.TimeSpan) -> TimeSpan | None:
    """A span; unset ends are open."""
    start = instant(found, f"{field}.start", span.start) if span.HasField("start") else DISTANT_PAST
    end = instant(found, f"{field}.end", span.end) if span.HasField("end") else DISTANT_FUTURE
    granularity = enum_value(found, f"{field}.granularity", span.granularity, Granularity) or Granularity.INSTANT
    expression = text(found, f"{field}.expression", span.expression, MAX_EXPRESSION, required=False)
    if start > end:
        found.add(field, "must not end before it starts")
        return None
    return TimeSpan(start, end, granularity, expression)


def range_from_proto(found: Violations, field: str, range_: time_pb2.TimeRange) -> TimeRange | None:
    """A range of a filter; None when neither bound is set."""
    if not range_.HasField("start") and not range_.HasField("end"):
        return None
    start = instant(found, f"{field}.start", range_.start) if range_.HasField("start") else DISTANT_PAST
    end = instant(found, f"{field}.end", range_.end) if range_.HasField("end") else DISTANT_FUTURE
    if start > end:
        found.add(field, "must not end before it starts")
    return TimeRange(start, end)


def as_of_from_proto(found: Violations, field: str, it: retrieval_pb2.AsOf) -> AsOf:
    """As of when; a moment that is not set is now."""
    valid, known = (instant(found, f"{field}.{axis}", getattr(it, axis)) if it.HasField(axis) else None for axis in ("valid", "known"))
    return AsOf(valid, known)


def as_of_asked(found: Violations, request: Any) -> AsOf | None:
    """As of when a request of which `as_of` is a field wants to know; None where it does not say."""
    return as_of_from_proto(found, "as_of", request.as_of) if request.HasField("as_of") else None
