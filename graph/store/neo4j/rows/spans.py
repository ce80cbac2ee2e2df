"""Times that memories name, in classes of length: a span that overlaps a time begins at most its class's length before it."""

from bisect import bisect_left

_HOUR = 3_600_000_000
_DAY = 24 * _HOUR
# The longest span of each class, in microseconds; the last class has no end. A day with a change of clocks has 25 hours, a month 31 days.
SPAN_WIDTHS = (_HOUR, 25 * _HOUR, 8 * _DAY, 32 * _DAY, 100 * _DAY, 367 * _DAY)


def width_class(start: int, end: int) -> int:
    """The class of a span: the index of the first of SPAN_WIDTHS that is as long, or their number."""
    return bisect_left(SPAN_WIDTHS, end - start)
