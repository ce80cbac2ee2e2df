"""The times that a query names, as spans; a month without a year is meant in any of the years around."""

from datetime import datetime, timedelta, tzinfo

from graph.model import Granularity, TimeSpan
from graph.text.times import find_query_times

# A yearless "in May" is looked for this far back, and a year ahead for plans.
_BACK = timedelta(days=365 * 12)
_AHEAD = timedelta(days=365)
# Wider spans than a year accept nearly everything and tell nothing.
_TELLING = frozenset(Granularity) - {Granularity.ERA}


def times_of_query(query: str, asked_at: datetime, zone: tzinfo) -> tuple[TimeSpan, ...]:
    """The spans that a query names, seen from `asked_at` in `zone`."""
    earliest = asked_at - _BACK if asked_at.year > _BACK.days // 365 + 1 else asked_at
    latest = asked_at + _AHEAD if asked_at.year < 9998 else asked_at
    found = find_query_times(query, asked_at, zone, earliest, latest)
    return tuple(dict.fromkeys(span for span in found if span.granularity in _TELLING))
