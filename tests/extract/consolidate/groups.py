"""Events and groups for tests, from a few words each."""

from datetime import UTC, datetime, timedelta

from extract.consolidate.port import Source, SourceGroup, SourceSentence
from graph.model import Event, Granularity, TimeSpan

SAID = datetime(2024, 3, 4, 9, 0, tzinfo=UTC)


def event(number: int, minutes: float = 0, session: str = "s") -> Event:
    said_at = SAID + timedelta(minutes=minutes)
    return Event(f"evt_{number}", session, f"event {number}", said_at, said_at, (f"msg_{number}",))


def day(year: int, month: int, of_month: int) -> TimeSpan:
    start = datetime(year, month, of_month, tzinfo=UTC)
    return TimeSpan(start, start + timedelta(days=1), Granularity.DAY)


def source(number: int, *texts: str, days: float = 0, time: TimeSpan | None = None) -> Source:
    said_at = SAID + timedelta(days=days)
    return Source(f"evt_{number}", texts[0][:40], tuple(SourceSentence(text, time) for text in texts), said_at, said_at, time)


def group(*texts: str | tuple[str, ...], context: tuple[str, ...] = ()) -> SourceGroup:
    """One source for each text, a day apart, oldest first."""
    sources = tuple(source(number, *((one,) if isinstance(one, str) else one), days=number) for number, one in enumerate(texts, 1))
    return SourceGroup(sources, tuple(source(900 + number, text) for number, text in enumerate(context)))
