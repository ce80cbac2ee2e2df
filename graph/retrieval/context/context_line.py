"""One memory as one line of a context: its date, its speaker, what was said and when it happened."""

from datetime import datetime, timedelta, tzinfo

from graph.model import DISTANT_FUTURE, DISTANT_PAST, Granularity, Message, Statement, TimeSpan

_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def line_of(memory: Message | Statement, zone: tzinfo) -> str:
    """A memory's line: "2023-05-08 Mon 13:56 Caroline: …". Line breaks become spaces; times are local in `zone`."""
    if isinstance(memory, Message):
        caption = f" [image: {memory.image_caption}]" if memory.image_caption else ""
        return message_line(memory, memory.text + caption, zone)
    happened = f" ({words_of_span(memory.time, zone)})" if memory.time else ""
    return f"{_stamp(memory.said_at, zone)} {memory.speaker}, in short: {' '.join(memory.text.split())}{happened}"


def message_line(message: Message, words: str, zone: tzinfo) -> str:
    """The line of a message with these of its words."""
    return f"{_stamp(message.sent_at, zone)} {message.speaker}: {' '.join(words.split())}"


def _stamp(moment: datetime, zone: tzinfo) -> str:
    local = moment.astimezone(zone)
    return f"{local:%Y-%m-%d} {_WEEKDAYS[local.weekday()]} {local:%H:%M}"


def words_of_span(span: TimeSpan, zone: tzinfo) -> str:
    """A span as a reader would write it: "2023", "2023-05", "2023-05-07", "2023-05-01 to 2023-05-07", "since 2019-01-01"."""
    if span.end >= DISTANT_FUTURE:
        return f"since {span.start.astimezone(zone):%Y-%m-%d}" if span.start > DISTANT_PAST else "always"
    last = (span.end - timedelta(microseconds=1) if span.end > span.start else span.end).astimezone(zone)
    if span.start <= DISTANT_PAST:
        return f"until {last:%Y-%m-%d}"
    first = span.start.astimezone(zone)
    match span.granularity:
        case Granularity.YEAR if first.year == last.year:
            return f"{first:%Y}"
        case Granularity.MONTH if (first.year, first.month) == (last.year, last.month):
            return f"{first:%Y-%m}"
        case Granularity.INSTANT | Granularity.HOUR | Granularity.DAY_PART:
            return f"{first:%Y-%m-%d %H:%M}"
        case _:
            return f"{first:%Y-%m-%d}" if first.date() == last.date() else f"{first:%Y-%m-%d} to {last:%Y-%m-%d}"
