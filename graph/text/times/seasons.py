"""Rules for seasons and holidays. Seasons are those of the northern hemisphere, by whole months."""

import re
from collections.abc import Callable
from datetime import date, timedelta

from dateutil.easter import easter

from graph.model import Granularity, TimeSpan
from graph.text.times.dates import distance, yearless
from graph.text.times.moment import Moment
from graph.text.times.rule import Match, Spans, rule
from graph.text.times.words import SEASON_WORDS, YEAR

# The month in which each season starts; a winter belongs to the year in which it starts.
_SEASONS = {"spring": 3, "summer": 6, "autumn": 9, "fall": 9, "winter": 12}
_SEASON = "(?:spring|summer|autumn|fall|winter)(?:time)?"


def _nth_weekday(year: int, month: int, weekday: int, number: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (number - 1))


def _fixed(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


_HOLIDAYS: dict[str, Callable[[int], date]] = {
    "christmas eve": _fixed(12, 24),
    "christmas day": _fixed(12, 25),
    "christmas": _fixed(12, 25),
    "xmas": _fixed(12, 25),
    "boxing day": _fixed(12, 26),
    "new year's eve": _fixed(12, 31),
    "new years eve": _fixed(12, 31),
    "new year's day": _fixed(1, 1),
    "new years day": _fixed(1, 1),
    "new year's": _fixed(1, 1),
    "new year": _fixed(1, 1),
    "valentine's day": _fixed(2, 14),
    "valentines day": _fixed(2, 14),
    "st patrick's day": _fixed(3, 17),
    "halloween": _fixed(10, 31),
    "good friday": lambda year: easter(year) - timedelta(days=2),
    "easter monday": lambda year: easter(year) + timedelta(days=1),
    "easter sunday": easter,
    "easter": easter,
    "thanksgiving day": lambda year: _nth_weekday(year, 11, 3, 4),
    "thanksgiving": lambda year: _nth_weekday(year, 11, 3, 4),
    "black friday": lambda year: _nth_weekday(year, 11, 3, 4) + timedelta(days=1),
    "labor day": lambda year: _nth_weekday(year, 9, 0, 1),
    "mother's day": lambda year: _nth_weekday(year, 5, 6, 2),
    "father's day": lambda year: _nth_weekday(year, 6, 6, 3),
}
_HOLIDAY_WORDS = frozenset(name.partition("'")[0].split()[0] for name in _HOLIDAYS)
_HOLIDAY = "|".join(name.replace("'", "['’]").replace(" ", r"\s+") for name in sorted(_HOLIDAYS, key=len, reverse=True))

# Names that nothing but the day bears, so that they need no preposition.
_DAY_NAMES = (
    r"christmas\s+(?:eve|day)|new\s+year['’]?s\s+(?:eve|day)|boxing\s+day|good\s+friday|easter\s+(?:sunday|monday)|thanksgiving\s+day"
)


def _choose(match: Match, moment: Moment, make: Callable[[int], TimeSpan]) -> Spans:
    """The season or holiday that "last", "this", "next", a year or the tense means."""
    if match["year"]:
        return (make(int(match["year"])),)
    which, today = (match["which"] or "").casefold().split()[-1:], moment.today
    around = [make(today.year + shift) for shift in range(-2, 3)]
    if which in (["last"], ["past"], ["previous"]):
        return tuple(span for span in around if span.end <= moment.said_at)[-1:]
    if which in (["next"], ["coming"]):
        return tuple(span for span in around if span.start > moment.said_at)[:1]
    if which == ["this"]:
        # The one under way, else the nearest: "this summer" in September is the one just over, in May the one to come.
        return (min(around, key=lambda span: distance(span, moment)),)
    if match["relative"]:
        return (make(today.year + {"last": -1, "this": 0, "next": 1}[match["relative"].split()[0].casefold()]),)
    return yearless(moment, match.start("name"), make)


# "I usually cycle, but in winter …": any winter.
_HABITUAL = re.compile(r"\b(?:usually|always|often|normally|generally|never|sometimes|every)\b[^.!?\n]*\Z", re.IGNORECASE)


def _season(match: Match, moment: Moment) -> Spans:
    if not (match["which"] or match["year"] or match["relative"]) and _HABITUAL.search(moment.text, 0, match.start()):
        return ()
    name = match["name"].casefold().removesuffix("time")
    return _choose(match, moment, lambda year: moment.months(year, _SEASONS[name], 3, Granularity.SEASON))


def _season_before_last(match: Match, moment: Moment) -> Spans:
    name, today = match["name"].casefold().removesuffix("time"), moment.today
    around = [moment.months(today.year + shift, _SEASONS[name], 3, Granularity.SEASON) for shift in range(-4, 1)]
    return tuple(span for span in around if span.end <= moment.said_at)[-2:-1]


def _holiday(match: Match, moment: Moment) -> Spans:
    name = " ".join(match["name"].casefold().replace("’", "'").split())
    around = (match["before"] or "").casefold().split()[:1]
    if around in (["over"], ["during"], ["around"]):
        # Over Christmas: the eve, the day and the day after.
        return _choose(match, moment, lambda year: moment.days(_HOLIDAYS[name](year) - timedelta(days=1), 3, Granularity.WEEK))
    return _choose(match, moment, lambda year: moment.days(_HOLIDAYS[name](year)))


_WHICH = r"(?P<which>this\s+past|this\s+coming|last|past|previous|this|next|coming)\s+"
_TAIL = rf"(?:(?:\s+of)?,?\s+(?:(?P<year>{YEAR})|(?P<relative>(?:last|this|next)\s+year)))?"
_NO_NOUN = (
    r"(?!\s+(?:tree|card|cake|song|carol|dinner|present|gift|party|market|egg|bunny|costume|resolution|sale|movie|lights|decoration)s?\b)"
)

RULES = (
    rule(rf"(?:the\s+)?(?P<name>{_SEASON})\s+before\s+last", _season_before_last, SEASON_WORDS),
    rule(rf"(?:the\s+)?{_WHICH}(?P<name>{_SEASON}){_TAIL}", _season, SEASON_WORDS),
    rule(
        rf"(?P<name>{_SEASON})(?:\s+of)?,?\s+(?:(?P<year>{YEAR})|(?P<relative>(?:last|this|next)\s+year))(?P<which>)", _season, SEASON_WORDS
    ),
    rule(
        rf"(?:in|over|during|since|until|till|by|before|after|for)\s+(?P<core>)(?:the\s+)?(?P<name>{_SEASON})(?P<which>){_TAIL}",
        _season,
        SEASON_WORDS,
    ),
    rule(
        rf"(?P<before>(?:over|at|on|for|during|around|by|before|after|until|till|since)\s+(?:the\s+)?)?(?P<core>){_WHICH}(?P<name>{_HOLIDAY})"
        rf"{_TAIL}{_NO_NOUN}",
        _holiday,
        _HOLIDAY_WORDS,
    ),
    rule(
        rf"(?P<before>)(?P<name>{_HOLIDAY})(?:\s+of)?,?\s+(?:(?P<year>{YEAR})|(?P<relative>(?:last|this|next)\s+year))(?P<which>)",
        _holiday,
        _HOLIDAY_WORDS,
    ),
    rule(
        rf"(?P<before>(?:over|at|on|for|during|around|by|before|after|until|till|since)\s+(?:the\s+)?)(?P<core>)(?P<name>{_HOLIDAY})(?P<which>)"
        rf"{_TAIL}{_NO_NOUN}",
        _holiday,
        _HOLIDAY_WORDS,
    ),
    rule(rf"(?P<before>)(?P<name>{_DAY_NAMES})(?P<which>){_TAIL}{_NO_NOUN}", _holiday, _HOLIDAY_WORDS),
)
