"""The moment from which a text speaks, and the spans that calendars make of it: days, weeks, months, seen from one zone, in UTC."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cached_property

from dateutil.relativedelta import relativedelta

from graph.model import Granularity, TimeSpan
from graph.text.times.tense import Tense, tense_at
from graph.text.times.words import DAY_PARTS


@dataclass(frozen=True)
class Moment:
    """When and where a text was said. `years` are given for questions: what names no year then means that time of each of these years."""

    said_at: datetime
    zone: tzinfo
    text: str
    years: tuple[int, ...] = ()

    @cached_property
    def local(self) -> datetime:
        """The moment by the wall clock, naive."""
        return self.said_at.astimezone(self.zone).replace(tzinfo=None)

    @cached_property
    def today(self) -> date:
        """The day it is there."""
        return self.local.date()

    def instant(self, wall: datetime) -> datetime:
        """The instant of a naive wall-clock time there, in UTC; of a time that occurs twice the first."""
        return wall.replace(tzinfo=self.zone).astimezone(UTC)

    def span(self, start: datetime, end: datetime, granularity: Granularity) -> TimeSpan:
        """A span of wall-clock time. Around a change of clocks it may be shorter or longer than it looks, never negative."""
        first = self.instant(start)
        return TimeSpan(first, max(first, self.instant(end)), granularity)

    def days(self, first: date, count: int = 1, granularity: Granularity = Granularity.DAY) -> TimeSpan:
        """Whole days from midnight to midnight."""
        start = datetime.combine(first, time())
        return self.span(start, start + timedelta(days=count), granularity)

    def part(self, day: date, name: str) -> TimeSpan:
        """A part of a day; a night reaches into the next morning."""
        low, high = DAY_PARTS[name]
        start = datetime.combine(day, time())
        return self.span(start + timedelta(hours=low), start + timedelta(hours=high), Granularity.DAY_PART)

    def week(self, day: date) -> TimeSpan:
        """The week, Monday to Sunday, that holds the day."""
        return self.days(day - timedelta(days=day.weekday()), 7, Granularity.WEEK)

    def months(self, year: int, month: int, count: int = 1, granularity: Granularity = Granularity.MONTH) -> TimeSpan:
        """Whole months. `month` may lie outside 1 to 12 and then counts into other years."""
        first = date(year, 1, 1) + relativedelta(months=month - 1)
        start = datetime.combine(first, time())
        return self.span(start, start + relativedelta(months=count), granularity)

    def year(self, number: int, count: int = 1) -> TimeSpan:
        """Whole years."""
        return self.months(number, 1, 12 * count, Granularity.YEAR if count == 1 else Granularity.ERA)

    def day_of(self, span: TimeSpan) -> date:
        """The local day on which a span starts."""
        return span.start.astimezone(self.zone).date()

    def looks_ahead(self, at: int) -> bool:
        """Whether the sentence around this character of the text speaks of the future."""
        return self.tense(at) is Tense.FUTURE

    def looks_back(self, at: int) -> bool:
        """Whether the sentence around this character of the text speaks of what is over; a perfect does."""
        return self.tense(at) in {Tense.PAST, Tense.PERFECT}

    def tense(self, at: int) -> Tense:
        """What the sentence around this character says of a date there."""
        return tense_at(self.text, at)
