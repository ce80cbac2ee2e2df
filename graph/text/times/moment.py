"""The moment from which a text speaks, and the spans that calendars make of it: days, weeks, months, seen from one zone, in UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from enum import IntEnum
from functools import cached_property

from dateutil.relativedelta import relativedelta

from graph.model import Granularity, TimeSpan
from graph.text.times.words import DAY_PARTS

_FUTURE = re.compile(
    r"\b(?:will|won['’]t|shall|gonna|going\s+to|(?:wants?|needs?|have|has|hopes?|like)\s+to|hop(?:e|ing)|plan(?:s|ning)?|let['’]?s|see\s+you|"
    r"can(?:['’]?t|not)|thinking\s+(?:of|about)|starts?|begins?|opens?|leaves?|looking\s+forward|upcoming|coming\s+up|scheduled|should|might|tomorrow|next|until|till|by)\b"
    r"|['’]ll\b|(?:\b(?:am|are|is)|['’](?:m|re|s))\s+(?:not\s+|also\s+|just\s+)?\w+ing\b",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:was|were|did|didn['’]t|had|went|been|got|took|made|met|saw|bought|came|left|began|gave|ran|said|told|found|spent|lost|won|wrote|felt|"
    r"thought|brought|taught|ate|drove|flew|held|kept|built|caught|chose|sold|since|ago|last|[a-z]{2,}ed)\b",
    re.IGNORECASE,
)
# What makes a participle of the form after it: "have booked" and "is booked" say nothing of the time of what was booked.
_AUXILIARY = re.compile(
    r"(?:\b(?:have|has|having|am|is|are|be|being|been|get|gets|getting)(?:n['’]t)?|['’](?:ve|m|re|s))\s+"
    r"(?:(?:just|already|also|now|not|never|ever|finally|all|both|\w+ly)\s+)*$",
    re.IGNORECASE,
)
# What is done about a time to come: "booked a table for Friday".
_ARRANGED = re.compile(
    r"(?:signed|booked|reserved|scheduled|planned|arranged|registered|enrolled|invited|postponed|rescheduled|"
    r"(?:moved|pushed|shifted)(?=\b.*\b(?:appointment|meeting|party|wedding|deadline|date|flight|call|trip)))\b"
    r"|(?:bought|got)\b(?=.*\btickets?\b)",
    re.IGNORECASE,
)
_FOR = re.compile(r"\b(?:for|to)\s+(?:the\s+)?$", re.IGNORECASE)
# The present with a date is a plan: "I fly on 28 March", "the course ends in June", "we have an exam on Friday".
_PRESENT = re.compile(
    r"\b(?:I|we|you|they|and)\s+(?:(?:also|then|only|probably|finally)\s+)?(?:arrive|celebrate|close|come|depart|drive|end|finish|fly|get|go|"
    r"graduate|have\s+(?:an?|the|my|our)|host|land|marry|meet|move|perform|play|retire|return|run|stay|swim|take|travel|turn|visit)\b"
    r"|\b(?:arrives|comes|departs|drives|ends|falls\s+on|finishes|flies|gets|goes|graduates|happens|lands|marries|moves|retires|returns|"
    r"stays|takes\s+place|travels|turns)\b",
    re.IGNORECASE,
)
_IS_ON = re.compile(
    r"(?:\b(?:is|are)|['’](?:s|re))\s+(?:(?:due|set|only|already|probably|now|not|until)\s+)?(?:(?:on|in|for|at|around|from|the)\s+)*$",
    re.IGNORECASE,
)
# What stands between an auxiliary or a preposition and what it belongs to is no longer than this.
_LOOK_BACK = 80
_SENTENCE_BREAK = re.compile(r"[.!?\n](?=\s|$)|\n")


class Tense(IntEnum):
    """What a sentence says of the time of its dates: nothing, in the perfect ("I've booked the flight on 28 April") no more."""

    NONE = 0
    PAST = 1
    PERFECT = 2
    FUTURE = 3


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
        """Whether the sentence around this place of the text speaks of the future."""
        return self.tense(at) is Tense.FUTURE

    def looks_back(self, at: int) -> bool:
        """Whether the sentence around this place of the text speaks of what is over; a perfect does."""
        return self.tense(at) in {Tense.PAST, Tense.PERFECT}

    def tense(self, at: int) -> Tense:
        """What the sentence around this place says of a date there: the nearest cue before it decides, without one the first after it."""
        low = max((m.end() for m in _SENTENCE_BREAK.finditer(self.text, 0, at)), default=0)
        high_match = _SENTENCE_BREAK.search(self.text, at)
        sentence, place = self.text[low : high_match.start() if high_match else len(self.text)], at - low
        if _IS_ON.search(sentence, max(0, place - _LOOK_BACK), place):
            return Tense.FUTURE
        ahead = [m for pattern in (_FUTURE, _PRESENT) for m in pattern.finditer(sentence)]
        over = list(_PAST.finditer(sentence))
        begins = [m.start() for m in (*ahead, *over)]
        if not begins:
            return Tense.NONE
        nearest = max((begin for begin in begins if begin <= place), default=None)
        begin = min(begins) if nearest is None else nearest
        tenses = [Tense.FUTURE for m in ahead if m.start() == begin]
        tenses += [_past_tense(sentence, m, place) for m in over if m.start() == begin]
        return min(tenses) if nearest is None else max(tenses)


def _past_tense(sentence: str, verb: re.Match[str], place: int) -> Tense:
    """What a past form says of a date at a place of its sentence."""
    arranged = _ARRANGED.match(sentence, verb.start(), max(place, verb.start()))
    if arranged and _FOR.search(sentence, max(0, place - _LOOK_BACK), place):
        return Tense.FUTURE
    begin = max(0, verb.start() - _LOOK_BACK)
    return Tense.PERFECT if arranged or _AUXILIARY.search(sentence, begin, verb.start()) else Tense.PAST
