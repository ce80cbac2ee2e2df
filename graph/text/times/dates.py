"""Rules for absolute dates: days, months, years, decades, centuries."""

import calendar
import re
from collections.abc import Callable
from datetime import date, timedelta

from graph.model import Granularity, TimeSpan
from graph.text.times.moment import Moment
from graph.text.times.rule import Match, Rule, Spans, rule
from graph.text.times.tense import Tense
from graph.text.times.words import DAY, DECADES, DIGIT, FULL_WEEKDAY, MONTH, MONTH_WORDS, WEEKDAY, YEAR, month_number, weekday_number

_WEEKDAY_BEFORE = rf"(?:(?:on\s+)?(?P<weekday>{WEEKDAY}),?\s+(?:the\s+)?)?"
_AFTER_MONTH = r"(?:,?\s+|\s+of\s+)"
# What a bare month may follow; "may" and "march" are verbs as well.
_BEFORE_MONTH = "in|during|since|until|till|by|before|after|from|through|early|mid|late|around|of|to|between|and"
_RELATIVE_YEAR = r"(?:last|this|next)\s+year"
_COUNTED = (
    r"(?!\s+(?:people|pieces|words|calories|steps|met(?:er|re)s|miles|km|kilomet|dollars|euros|pounds|bucks|years?|times|users|members|%))"
)


def yearless(moment: Moment, at: int, make: Callable[[int], TimeSpan], weekday: int | None = None) -> Spans:
    """The readings of a time that names no year: in a question each year's; else the present one, the next or the last where the tense
    says so, else the nearest. A `weekday` (0 is Monday) that fits this year's day or a neighbour's decides alone.
    """
    if moment.years:
        spans = tuple(span for year in moment.years if (span := _made(make, year)) is not None)
        return tuple(span for span in spans if _falls_on(moment, span, weekday)) or spans
    year = moment.today.year
    candidates = [span for number in range(year - 4, year + 5) if (span := _made(make, number)) is not None]
    if weekday is not None:
        near = (span for span in candidates if abs(moment.day_of(span).year - year) <= 1 and _falls_on(moment, span, weekday))
        fitting = min(near, key=lambda span: distance(span, moment), default=None)
        if fitting:
            return (fitting,)
    for span in candidates:
        if span.start <= moment.said_at < span.end:
            return (span,)
    match moment.tense(at):
        case Tense.FUTURE:
            return tuple(span for span in candidates if span.start > moment.said_at)[:1]
        case Tense.PAST:
            return tuple(span for span in candidates if span.end <= moment.said_at)[-1:]
        case _:
            return (min(candidates, key=lambda span: distance(span, moment)),) if candidates else ()


def distance(span: TimeSpan, moment: Moment) -> timedelta:
    """How far a span is from the moment; zero within it."""
    return max(span.start - moment.said_at, moment.said_at - span.end, timedelta())


def _falls_on(moment: Moment, span: TimeSpan, weekday: int | None) -> bool:
    return weekday is None or moment.day_of(span).weekday() == weekday


def _made(make: Callable[[int], TimeSpan], year: int) -> TimeSpan | None:
    try:
        return make(year)
    except (ValueError, OverflowError):
        return None  # 29 February of most years


def _number(text: str) -> int:
    return int(re.sub(r"\D", "", text))


def _iso(match: Match, moment: Moment) -> Spans:
    return (moment.days(date(int(match[1]), int(match[2]), int(match[3]))),)


def _numeric(match: Match, moment: Moment) -> Spans:
    """5/8/2023 may be May or August: only a date with one reading counts. With dots the day comes first."""
    first, second, year = int(match[1]), int(match[3]), int(match[4])
    if match[2] == ".":
        return (moment.days(date(year, second, first)),)
    if first > 12:
        return (moment.days(date(year, second, first)),)
    if second > 12 or first == second:
        return (moment.days(date(year, first, second)),)
    return ()


def _day(match: Match, moment: Moment) -> Spans | None:
    day, month = _number(match["day"]), month_number(match["month"])
    if _is_verb(match["month"]) and not match["day"].strip().isalnum():
        return None
    if match["year"]:
        return (moment.days(date(int(match["year"]), month, day)),)
    if match["relative"]:
        return (moment.days(date(_relative_year(match["relative"], moment), month, day)),)
    weekday = weekday_number(match["weekday"]) if match["weekday"] else None
    return yearless(moment, match.start(), lambda year: moment.days(date(year, month, day)), weekday)


def _is_verb(month: str) -> bool:
    return month in {"may", "march", "mar"}


def _relative_year(words: str, moment: Moment) -> int:
    return moment.today.year + {"last": -1, "this": 0, "next": 1}[words.split()[0].casefold()]


def _days_of_month(match: Match, moment: Moment) -> Spans:
    first, last, month = _number(match["first"]), _number(match["last"]), month_number(match["month"])

    def make(year: int) -> TimeSpan:
        start, end = date(year, month, first), date(year, month, last)
        return moment.days(start, max(1, (end - start).days + 1), Granularity.DAY)

    return (make(int(match["year"])),) if match["year"] else yearless(moment, match.start(), make)


def _month_year(match: Match, moment: Moment) -> Spans:
    year = int(match["year"]) if match["year"] else _relative_year(match["relative"], moment)
    return (moment.months(year, month_number(match["month"])),)


def _months_between(match: Match, moment: Moment) -> Spans | None:
    first, last = month_number(match["first"]), month_number(match["last"])
    if any(_is_verb(match[name]) for name in ("first", "last")):
        return None
    count = (last - first) % 12 + 1

    def make(year: int) -> TimeSpan:
        return moment.months(year, first, count, Granularity.MONTH)

    if match["year"]:
        return (make(int(match["year"]) - (last < first)),)
    return yearless(moment, match.start(), make)


def _relative_month(match: Match, moment: Moment) -> Spans:
    """ "Last May" is the latest May that is over, "next May" the first that has not begun, "this May" that of this year."""
    month, today = month_number(match["month"]), moment.today
    which = match["which"].split()[-1].casefold()
    year = today.year
    if which in {"last", "past"} and month >= today.month:
        year -= 1
    elif which in {"next", "coming"} and month <= today.month:
        year += 1
    return (moment.months(year, month),)


def _bare_month(match: Match, moment: Moment) -> Spans | None:
    before, word = match["before"], match["month"]
    lower = word.casefold().strip(".")
    if len(lower) < 4 and lower != "may" and not before:
        return None  # "Jan", "Mar" and "Jun" are names of people too
    if lower in {"may", "march", "mar"}:
        if before is None or (word.islower() and before.casefold() in {"to", "and", "from", "of", "through", "between"}):
            return None
    elif before is None and lower in {"april", "june", "august"}:
        return None
    return yearless(moment, match.start("month"), lambda year: moment.months(year, month_number(word)))


def _year(match: Match, moment: Moment) -> Spans:
    return (moment.year(int(match["year"])),)


def _years_between(match: Match, moment: Moment) -> Spans | None:
    first, last = int(match["first"]), int(match["last"])
    return None if last < first else (moment.months(first, 1, 12 * (last - first + 1), Granularity.YEAR),)


def _decade(match: Match, moment: Moment) -> Spans:
    text = match["decade"].casefold().strip("'’")
    if text in DECADES:
        start = DECADES[text]
    else:
        digits = int(text[:-1].rstrip("'’"))
        start = digits if digits > 100 else digits + (2000 if digits < 30 else 1900)
    part = (match["part"] or "").casefold()
    offset, count = {"early": (0, 4), "mid": (3, 4), "late": (6, 4)}.get(part, (0, 10))
    return (moment.year(start + offset, count),)


def _century(match: Match, moment: Moment) -> Spans | None:
    number = _number(match[1])
    return (moment.year((number - 1) * 100 + 1, 100),) if 1 <= number <= 30 else None


def _quarter(match: Match, moment: Moment) -> Spans:
    first = 3 * int(match["quarter"]) - 2

    def make(year: int) -> TimeSpan:
        return moment.months(year, first, 3, Granularity.SEASON)

    return (make(int(match["year"])),) if match["year"] else yearless(moment, match.start(), make)


_ORDER = {"first": 0, "1st": 0, "second": 1, "2nd": 1, "third": 2, "3rd": 2, "fourth": 3, "4th": 3, "last": -1}


def _part_of_year(match: Match, moment: Moment) -> Spans | None:
    """ "The first quarter of 2023", "the second half of last year"."""
    length = 3 if match["unit"].casefold() == "quarter" else 6
    order, parts = _ORDER[match["order"].casefold()], 12 // length
    if order >= parts:
        return None
    year = int(match["year"]) if match["year"] else _relative_year(match["relative"], moment)
    return (moment.months(year, 1 + length * (order % parts), length, Granularity.SEASON),)


def _week_of(match: Match, moment: Moment) -> Spans:
    """ "The first week of May" is its days 1 to 7; "the first weekend" the first Saturday and Sunday."""
    order = _ORDER[match["order"].casefold()]
    month = month_number(match["month"])

    def make(year: int) -> TimeSpan:
        length = calendar.monthrange(year, month)[1]
        if match["unit"].casefold() == "week":
            return moment.days(date(year, month, 1 + 7 * order if order >= 0 else length - 6), 7, Granularity.WEEK)
        saturdays = [day for day in range(1, length + 1) if date(year, month, day).weekday() == 5]
        return moment.days(date(year, month, saturdays[order]), 2, Granularity.WEEK)

    return (make(int(match["year"])),) if match["year"] else yearless(moment, match.start(), make)


def _day_of_month(match: Match, moment: Moment) -> Spans:
    """ "On the 15th": of the month of the date before it in the sentence, else of this month or a neighbouring one, as a weekday, the
    tense or else nearness says.
    """
    number = _number(match["day"])
    named = _date_before(match, moment)
    first = (named or moment.today).replace(day=1)
    days = []
    for shift in range(-3, 4):
        index = first.year * 12 + first.month - 1 + shift
        if number <= calendar.monthrange(index // 12, index % 12 + 1)[1]:
            days.append(date(index // 12, index % 12 + 1, number))
    if named:
        days = [day for day in days if day >= named]
        return (moment.days(days[0]),) if days else ()
    if match["weekday"]:
        days = [day for day in days if day.weekday() == weekday_number(match["weekday"])] or days
        return (moment.days(min(days, key=lambda day: abs(day - moment.today))),)
    ahead = moment.looks_ahead(match.start("day"))
    fitting = [day for day in days if (day >= moment.today if ahead else day <= moment.today)]
    return (moment.days(fitting[0] if ahead else fitting[-1]),) if fitting else ()


def _date_before(match: Match, moment: Moment) -> date | None:
    """The day that the sentence names before a match, if it names one by its month."""
    low = max(moment.text.rfind(mark, 0, match.start()) for mark in (". ", "! ", "? ", "\n")) + 1
    dates = [found for one in _DAY_RULES for found in one.pattern.finditer(moment.text, low, match.start())]
    spans = _day(max(dates, key=lambda found: found.start()), moment) if dates else None
    return moment.day_of(spans[-1]) if spans else None


_TAIL = rf"(?:{_AFTER_MONTH}(?:(?P<year>{YEAR})|(?P<relative>{_RELATIVE_YEAR})))?"

_DAY_RULES = (
    rule(rf"{_WEEKDAY_BEFORE}(?P<day>{DAY})\s+(?:of\s+)?(?P<month>{MONTH}){_TAIL}", _day, MONTH_WORDS),
    rule(rf"{_WEEKDAY_BEFORE}(?P<month>{MONTH})\s+(?:the\s+)?(?P<day>{DAY})(?![:.]\d|\s*(?:am|pm|%)){_TAIL}", _day, MONTH_WORDS),
)

RULES = (
    rule(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})(?=T?\b)(?:T[\d:.]+Z?)?", _iso, DIGIT),
    rule(r"(\d{1,2})([/.])(\d{1,2})\2(\d{4})", _numeric, DIGIT),
    *_DAY_RULES,
    rule(
        rf"(?P<month>{MONTH})\s+(?P<first>{DAY})\s*(?:-|–|to|through|until)\s*(?P<last>{DAY})(?:{_AFTER_MONTH}(?P<year>{YEAR}))?",
        _days_of_month,
        MONTH_WORDS,
    ),
    rule(
        rf"(?:from\s+)?(?:the\s+)?(?P<first>{DAY})\s*(?:-|–|to|through|until)\s*(?:the\s+)?(?P<last>{DAY})\s+(?:of\s+)?(?P<month>{MONTH})"
        rf"(?:{_AFTER_MONTH}(?P<year>{YEAR}))?",
        _days_of_month,
        MONTH_WORDS,
    ),
    rule(rf"(?P<month>{MONTH}){_AFTER_MONTH}(?:(?P<year>{YEAR})|(?P<relative>{_RELATIVE_YEAR}))", _month_year, MONTH_WORDS),
    rule(
        rf"(?:from\s+|between\s+)?(?P<first>{MONTH})\s*(?:-|–|\bto\b|\bthrough\b|\bthru\b|\buntil\b|\btill\b|\band\b)\s*(?P<last>{MONTH})"
        rf"(?:{_AFTER_MONTH}(?P<year>{YEAR}))?(?!\s+\d)",
        _months_between,
        MONTH_WORDS,
    ),
    rule(rf"(?P<which>(?:this\s+)?(?:last|past|next|coming)|this)\s+(?P<month>{MONTH})(?!\s+\d)", _relative_month, MONTH_WORDS),
    rule(rf"(?:(?P<before>{_BEFORE_MONTH})[\s-]+)?(?P<core>)(?P<month>{MONTH})(?!['’]s?\b|\s+\d|-)", _bare_month, MONTH_WORDS),
    rule(
        rf"(?:in|since|until|till|by|before|after|from|during|of|around|circa|early|mid|late|year|back\s+in|for)[\s-]+(?P<core>)(?P<year>{YEAR}){_COUNTED}",
        _year,
        DIGIT,
    ),
    rule(rf"(?P<year>{YEAR})(?=\s+(?:was|were|is|has|had|will)\b)", _year, DIGIT),
    Rule(re.compile(rf"\A\W*(?P<core>)(?P<year>{YEAR})\W*\Z"), _year, DIGIT),  # the answer to "which year?"
    rule(rf"(?<=\()(?P<year>{YEAR})(?=\))", _year, DIGIT),
    rule(
        rf"(?:from\s+|between\s+)?(?P<first>{YEAR})\s*(?:-|–|\bto\b|\bthrough\b|\buntil\b|\band\b)\s*(?P<last>{YEAR})",
        _years_between,
        DIGIT,
    ),
    rule(
        rf"the\s+(?:(?P<part>early|mid|late)[\s-]+)?(?P<decade>['’]?\d0['’]?s|(?:1[89]|20)\d0['’]?s|{'|'.join(DECADES)})",
        _decade,
        DIGIT | frozenset(DECADES),
    ),
    rule(r"(?:the\s+)?(\d{1,2}(?:st|nd|rd|th))\s+century", _century, DIGIT),
    rule(
        rf"(?:in\s+)?(?P<core>)(?:the\s+)?(?P<order>first|second|third|fourth|last)\s+(?P<unit>quarter|half)\s+of\s+"
        rf"(?:(?P<year>{YEAR})|(?P<relative>{_RELATIVE_YEAR}))",
        _part_of_year,
        {"quarter", "half"},
    ),
    rule(rf"Q(?P<quarter>[1-4])(?:\s+(?:of\s+)?(?P<year>{YEAR}))?", _quarter, DIGIT),
    rule(
        r"(?:the\s+)?(?P<order>first|second|third|fourth|last|1st|2nd|3rd|4th)\s+(?P<unit>week|weekend)\s+(?:of|in)\s+"
        rf"(?P<month>{MONTH})(?:{_AFTER_MONTH}(?P<year>{YEAR}))?",
        _week_of,
        MONTH_WORDS,
    ),
    rule(
        rf"(?:(?:on|by|until|since|before|after|to|for)\s+(?P<core>)(?:(?P<weekday>{FULL_WEEKDAY})\s+)?)the\s+(?P<day>{DAY})(?<=st|nd|rd|th)"
        r"(?!\s+(?:of|floor|street|avenue|grade|anniversary|birthday|century|day|time|place|attempt|try|round|page|hole|row|one|step|week)\b)",
        _day_of_month,
        DIGIT,
    ),
)
