"""Rules for times relative to when a text was said: yesterday, last Friday, two weeks ago, this month."""

from datetime import UTC, date, datetime, timedelta

from dateutil.relativedelta import relativedelta

from graph.model import Granularity, TimeSpan
from graph.text.times.moment import Moment
from graph.text.times.rule import Match, Spans, rule
from graph.text.times.words import (
    COUNT,
    FULL_WEEKDAY,
    PART,
    PART_WORDS,
    SEASON_WORDS,
    UNIT,
    UNIT_WORDS,
    WEEKDAY,
    WEEKDAY_WORDS,
    count_range,
    weekday_number,
)

_DAYS = {
    "the day before yesterday": -2,
    "day before yesterday": -2,
    "yesterday": -1,
    "today": 0,
    "tomorrow": 1,
    "the day after tomorrow": 2,
    "day after tomorrow": 2,
}
# Until four in the morning people still call the night by the day before.
_NIGHT_ENDS = 4


def _named_day(match: Match, moment: Moment) -> Spans:
    return (moment.days(moment.today + timedelta(days=_DAYS[" ".join(match["day"].casefold().split())])),)


def _evening_of(moment: Moment) -> date:
    return moment.today - timedelta(days=moment.local.hour < _NIGHT_ENDS)


def _tonight(match: Match, moment: Moment) -> Spans:
    return (moment.part(_evening_of(moment), "night"),)


def _last_night(match: Match, moment: Moment) -> Spans:
    return (moment.part(moment.today - timedelta(days=1), "night"),)


def _this_part(match: Match, moment: Moment) -> Spans:
    return (moment.part(moment.today, match["part"].casefold()),)


def _other_day(match: Match, moment: Moment) -> Spans:
    """ "The other day" is some day of the week before."""
    return (moment.days(moment.today - timedelta(days=7), 7, Granularity.WEEK),)


def _weekday(match: Match, moment: Moment) -> Spans | None:
    """The latest Friday before today for "last", this week's for "this", next week's for "next"; a bare one follows the tense."""
    word, which = match["weekday"], (match["which"] or "").casefold().split()
    plain = word.strip(".")
    short = len(plain) < 6
    if short and (not (match["cue"] or match["which"]) or plain.islower()):
        return None  # "sat", "sun", "wed" and "mon" are other words too
    today, number = moment.today, weekday_number(word)
    back = (today.weekday() - number - 1) % 7 + 1
    monday = today - timedelta(days=today.weekday())
    if "last" in which or "past" in which:
        day = today - timedelta(days=back)
    elif "next" in which or "following" in which:
        day = monday + timedelta(days=7 + number)
    elif "coming" in which:
        day = today + timedelta(days=7 - back + (7 if back == 7 else 0))
    elif "this" in which:
        day = monday + timedelta(days=number)
    elif moment.looks_ahead(match.start("weekday")):
        day = today + timedelta(days=7 - back)
    else:
        # Of today people say "today": on a Sunday, "I swam on Sunday" is a week ago.
        day = today - timedelta(days=back if moment.looks_back(match.start("weekday")) else back % 7)
    return (moment.days(day),)


def _weekday_before_last(match: Match, moment: Moment) -> Spans:
    back = (moment.today.weekday() - weekday_number(match["weekday"]) - 1) % 7 + 1
    return (moment.days(moment.today - timedelta(days=back + 7)),)


def _weekend(moment: Moment, shift: int) -> TimeSpan:
    """Saturday and Sunday of this week moved by `shift` weeks."""
    monday = moment.today - timedelta(days=moment.today.weekday())
    return moment.days(monday + timedelta(days=5 + 7 * shift), 2, Granularity.WEEK)


def _this_weekend(match: Match, moment: Moment) -> Spans:
    """ "This past weekend" on a Monday is two days ago; on a Saturday "the weekend" is under way."""
    which = (match["which"] or "").casefold().split()
    weekend_now = moment.today.weekday() >= 5
    if "last" in which or "past" in which or "previous" in which:
        return (_weekend(moment, -1),)
    if "next" in which:
        return (_weekend(moment, 1),)
    if weekend_now or "coming" in which or moment.looks_ahead(match.start()):
        return (_weekend(moment, 0),)
    if "this" in which:
        return (_weekend(moment, -1 if moment.today.weekday() == 0 else 0),)
    return (_weekend(moment, -1),)


def _shifted(moment: Moment, unit: str, shift: int) -> TimeSpan:
    """The calendar's week, month, year, ... that lies `shift` away from the present one."""
    today = moment.today
    match unit:
        case "day":
            return moment.days(today + timedelta(days=shift))
        case "week":
            return moment.week(today + timedelta(days=7 * shift))
        case "weekend":
            return _weekend(moment, shift)
        case "month":
            return moment.months(today.year, today.month + shift)
        case "year":
            return moment.year(today.year + shift)
        case _:
            return moment.year(today.year // 10 * 10 + 10 * shift, 10)


def _calendar_unit(match: Match, moment: Moment) -> Spans:
    words = match["which"].casefold().split()
    shift = -1 if {"last", "previous"} & set(words) else 1 if "next" in words else 0
    if "past" in words:
        return _stretch(moment, match["unit"].casefold(), (1, 1), back=True)
    return (_shifted(moment, match["unit"].casefold(), shift),)


def _beyond(match: Match, moment: Moment) -> Spans:
    """The week before last, the month after next."""
    return (_shifted(moment, match["unit"].casefold(), -2 if match["which"].casefold() == "before last" else 2),)


def _part_of_unit(match: Match, moment: Moment) -> Spans:
    """ "Earlier this year" reaches from its start to now, "later this year" from now to its end."""
    whole = _shifted(moment, match["unit"].casefold(), 0)
    if match["side"].casefold() == "earlier":
        return (TimeSpan(whole.start, moment.said_at, whole.granularity),)
    return (TimeSpan(moment.said_at, whole.end, whole.granularity),)


def _ago(match: Match, moment: Moment) -> Spans | None:
    return _distance(match, moment, -1)


def _from_now(match: Match, moment: Moment) -> Spans | None:
    return _distance(match, moment, 1)


def _in_time(match: Match, moment: Moment) -> Spans | None:
    return None if _is_duration(match, moment) else _distance(match, moment, 1)


def _distance(match: Match, moment: Moment, sign: int) -> Spans | None:
    unit = match["unit"].casefold().rstrip("s")
    counts = count_range(match["count"])
    if counts is None:
        return _half(moment, unit, sign)
    low, high = sorted(sign * count for count in counts)
    if unit in {"second", "minute", "hour"}:
        return (_elapsed(moment, unit, low, high),)
    return (_around(moment, unit, low, high),)


def _is_duration(match: Match, moment: Moment) -> bool:
    """ "We finished in two weeks" and "the first time in years" tell how long, not when."""
    before = moment.text[max(0, match.start() - 24) : match.start()].casefold()
    return before.rstrip().endswith(("time", "once", "twice", "times", "again", "ever", "day", "week")) or moment.looks_back(match.start())


def _half(moment: Moment, unit: str, sign: int) -> Spans | None:
    if unit == "hour":
        return (_elapsed(moment, "minute", sign * 30, sign * 30),)
    if unit == "year":
        return (_around(moment, "month", sign * 6, sign * 6),)
    return None


def _elapsed(moment: Moment, unit: str, low: int, high: int) -> TimeSpan:
    step = {"second": timedelta(seconds=1), "minute": timedelta(minutes=1), "hour": timedelta(hours=1)}[unit]
    if unit != "hour":
        return TimeSpan(moment.said_at + low * step, moment.said_at + high * step, Granularity.INSTANT)
    half = timedelta(minutes=30)
    return TimeSpan(moment.said_at + low * step - half, moment.said_at + high * step + half, Granularity.HOUR)


def _around(moment: Moment, unit: str, low: int, high: int) -> TimeSpan:
    """Days count exactly; "two weeks ago" is known to about a week, months and years to the calendar's."""
    today = moment.today
    match unit:
        case "day":
            return moment.days(today + timedelta(days=low), high - low + 1, Granularity.DAY if low == high else Granularity.WEEK)
        case "week":
            return moment.days(today + timedelta(days=7 * low - 3), 7 * (high - low) + 7, Granularity.WEEK)
        case "weekend":
            return _weekend(moment, low)
        case "month":
            return moment.months(today.year, today.month + low, high - low + 1)
        case "year":
            return (
                moment.year(today.year + low)
                if low == high
                else moment.months(today.year + low, 1, 12 * (high - low + 1), Granularity.YEAR)
            )
        case _:
            return moment.year(today.year + 10 * low - 5, 10 * (high - low) + 10)


def _weekdays_ago(match: Match, moment: Moment) -> Spans | None:
    """ "Two Fridays ago"."""
    counts = count_range(match["count"])
    if counts is None:
        return None
    back = (moment.today.weekday() - weekday_number(match["weekday"].rstrip("s")) - 1) % 7 + 1
    return (moment.days(moment.today - timedelta(days=back + 7 * (counts[0] - 1))),)


def _past_stretch(match: Match, moment: Moment) -> Spans | None:
    counts = count_range(match["count"]) if match["count"] else (1, 1)
    words = match["which"].casefold()
    return None if counts is None else _stretch(moment, match["unit"].casefold().rstrip("s"), counts, back=words not in {"next", "coming"})


def _stretch(moment: Moment, unit: str, counts: tuple[int, int], back: bool) -> Spans:
    """ "The last two weeks": from then to now; "the next two weeks": from now to then."""
    many = counts[1]
    length = {
        "second": relativedelta(seconds=many),
        "minute": relativedelta(minutes=many),
        "hour": relativedelta(hours=many),
        "day": relativedelta(days=many),
        "week": relativedelta(weeks=many),
        "weekend": relativedelta(weeks=many),
        "month": relativedelta(months=many),
        "year": relativedelta(years=many),
        "decade": relativedelta(years=10 * many),
    }[unit]
    granularity = {"day": Granularity.DAY, "week": Granularity.WEEK, "weekend": Granularity.WEEK, "month": Granularity.MONTH}.get(
        unit, Granularity.YEAR if unit in {"year", "decade"} else Granularity.HOUR
    )
    wall: datetime = moment.local
    edge = moment.instant(wall - length if back else wall + length)
    start, end = sorted((edge, moment.said_at.astimezone(UTC)))
    return (TimeSpan(start, end, granularity),)


def _week_from(match: Match, moment: Moment) -> Spans | None:
    """ "A week from tomorrow", "two weeks from today"."""
    counts = count_range(match["count"])
    if counts is None:
        return None
    step = 7 if match["unit"].casefold().startswith("week") else 1
    anchor = _DAYS.get(match["anchor"].casefold())
    if anchor is None:
        number = weekday_number(match["anchor"])
        anchor = 7 - ((moment.today.weekday() - number - 1) % 7 + 1) or 7
    return (moment.days(moment.today + timedelta(days=anchor + step * counts[0])),)


def _parts_ago(match: Match, moment: Moment) -> Spans | None:
    """ "Two nights ago", "the night before last"."""
    counts = count_range(match["count"]) if match["count"] else (2, 2)
    if counts is None or counts[0] != counts[1]:
        return None
    return (moment.part(moment.today - timedelta(days=counts[0]), match["part"].casefold()),)


def _weekday_of_week(match: Match, moment: Moment) -> Spans:
    """ "Monday last week", "on Tuesday of next week"."""
    monday = moment.today - timedelta(days=moment.today.weekday())
    shift = {"last": -7, "this": 0, "next": 7}[match["which"].casefold()]
    return (moment.days(monday + timedelta(days=shift + weekday_number(match["weekday"]))),)


def _week_on(match: Match, moment: Moment) -> Spans:
    """ "A week on Friday" and "Friday week": seven days after the coming one."""
    back = (moment.today.weekday() - weekday_number(match["weekday"]) - 1) % 7 + 1
    return (moment.days(moment.today + timedelta(days=14 - back)),)


def _fortnight(match: Match, moment: Moment) -> Spans | None:
    if match["before"] and moment.looks_back(match.start()):
        return None
    return (_around(moment, "week", *((2, 2) if match["before"] else (-2, -2))),)


def _repeats(match: Match, moment: Moment) -> Spans:
    """Something that repeats is no span; naming it here keeps other rules off its words."""
    return ()


_WHICH_DAY = r"(?:this\s+past|this\s+coming|this|last|past|next|coming|following)"

RULES = (
    rule(
        rf"(?:every|each|most)\s+(?:other\s+|single\s+)?(?:{WEEKDAY}|{UNIT}|{PART}|summer|winter|spring|fall|autumn|christmas)s?(?:\s+{PART}s?)?",
        _repeats,
        WEEKDAY_WORDS | UNIT_WORDS | PART_WORDS | SEASON_WORDS | {"christmas"},
    ),
    rule(
        rf"(?:on\s+)?(?:{FULL_WEEKDAY}s|weekends)(?:\s+{PART}s?)?(?!\s+ago)",
        _repeats,
        WEEKDAY_WORDS | UNIT_WORDS | PART_WORDS | SEASON_WORDS | {"christmas"},
    ),
    rule(
        r"(?:(?:next|this|the)\s+)?(?:day|week|weekend|month|year)s?\s+(?:old|long)",
        _repeats,
        WEEKDAY_WORDS | UNIT_WORDS | PART_WORDS | SEASON_WORDS | {"christmas"},
    ),
    rule(
        r"(?:earlier\s+|later\s+)?(?P<core>)"
        r"(?P<day>(?:the\s+)?day\s+before\s+yesterday|(?:the\s+)?day\s+after\s+tomorrow|yesterday|today|tomorrow)",
        _named_day,
        {"yesterday", "today", "tomorrow"},
    ),
    rule(r"tonight", _tonight, {"tonight"}),
    rule(r"last\s+night", _last_night, {"night"}),
    rule(rf"(?:earlier\s+|later\s+)?(?P<core>)this\s+(?P<part>{PART})", _this_part, PART_WORDS),
    rule(r"the\s+other\s+(?:day|night|evening|morning)", _other_day, {"other"}),
    rule(
        rf"(?P<cue>(?:on|by|since|until|till|from|before|after|for)\s+)?(?P<core>)(?:(?:the\s+)?(?P<which>{_WHICH_DAY})\s+)?(?P<weekday>{WEEKDAY})(?!\s+before\s+last)",
        _weekday,
        WEEKDAY_WORDS,
    ),
    rule(rf"(?:the\s+)?(?P<weekday>{FULL_WEEKDAY})\s+before\s+last", _weekday_before_last, WEEKDAY_WORDS),
    rule(
        r"(?:(?P<which>this\s+past|this\s+coming|this|last|past|previous|next|coming|the\s+(?:past|last|previous|coming)|the)\s+)weekend(?!\s+(?:of|in|before\s+last|after\s+next)\b)",
        _this_weekend,
        {"weekend"},
    ),
    rule(
        r"(?P<which>this\s+past|this|last|(?:the\s+)?past|(?:the\s+)?previous|next)\s+(?P<unit>week|month|year|decade)",
        _calendar_unit,
        UNIT_WORDS,
    ),
    rule(r"(?:the\s+)?(?P<unit>week|weekend|month|year)\s+(?P<which>before\s+last|after\s+next)", _beyond, UNIT_WORDS),
    rule(r"(?:beginning|start|middle|end)\s+of\s+(?P<core>)the\s+(?P<unit>week|month|year|decade)(?P<which>)", _calendar_unit, UNIT_WORDS),
    rule(r"(?P<side>earlier|later)\s+(?:on\s+)?this\s+(?P<unit>week|month|year)", _part_of_unit, UNIT_WORDS),
    rule(
        rf"(?:about\s+|around\s+|almost\s+|nearly\s+|over\s+|like\s+)?(?P<core>)(?P<count>{COUNT})\s+(?P<unit>{UNIT})\s+(?:ago|back)",
        _ago,
        UNIT_WORDS,
    ),
    rule(
        rf"(?:in|within)\s+(?:about\s+|around\s+|like\s+)?(?P<count>{COUNT})\s+(?P<unit>{UNIT})(?!\s+(?:of|ago|old))(?:\s+time)?",
        _in_time,
        UNIT_WORDS,
    ),
    rule(rf"(?P<count>{COUNT})\s+(?P<unit>{UNIT})\s+from\s+now", _from_now, UNIT_WORDS),
    rule(rf"(?P<count>{COUNT})\s+(?P<weekday>{FULL_WEEKDAY}s)\s+ago", _weekdays_ago, WEEKDAY_WORDS),
    rule(rf"(?:the|these|this)\s+(?P<which>last|past|next|coming)\s+(?:(?P<count>{COUNT})\s+)?(?P<unit>{UNIT})", _past_stretch, UNIT_WORDS),
    rule(rf"(?P<which>last|past|next)\s+(?P<count>{COUNT})\s+(?P<unit>{UNIT})", _past_stretch, UNIT_WORDS),
    rule(rf"(?P<count>{COUNT})\s+(?P<unit>weeks?|days?)\s+from\s+(?P<anchor>today|tomorrow|{FULL_WEEKDAY})", _week_from, UNIT_WORDS),
    rule(rf"(?P<count>{COUNT})\s+(?P<part>{PART})s?\s+ago", _parts_ago, PART_WORDS),
    rule(rf"(?:the\s+)?(?P<part>{PART})\s+before\s+last(?P<count>)", _parts_ago, PART_WORDS),
    rule(
        rf"(?:on\s+)?(?P<core>)(?P<weekday>{FULL_WEEKDAY})(?:\s+of)?,?\s+(?P<which>last|this|next)\s+week", _weekday_of_week, WEEKDAY_WORDS
    ),
    rule(rf"(?:a\s+week\s+(?:on\s+)?(?P<weekday>{FULL_WEEKDAY}))", _week_on, WEEKDAY_WORDS),
    rule(rf"(?:on\s+)?(?P<core>)(?P<weekday>{FULL_WEEKDAY})\s+week(?!\w)", _week_on, WEEKDAY_WORDS),
    rule(r"(?:(?P<before>in)\s+)?a\s+fortnight(?(before)(?:['’]s\s+time)?|\s+ago)", _fortnight, {"fortnight"}),
)
