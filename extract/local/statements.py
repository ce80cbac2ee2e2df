"""From one message of a person to its statements: rewritten, dated, with names and predicates."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from extract.local.causes import FoundCause, cause_in
from extract.local.person import Voices, addresses, in_third_person, speaks_of_self, with_subject
from extract.local.relations import FoundRelation, relations_in
from extract.local.sentences import asks_something, is_filler, is_question, is_yes_or_no, sentences_of, without_opening
from graph.model import DISTANT_FUTURE, DISTANT_PAST, Granularity, Message, TimeSpan
from graph.text.times import find_times

# No message of a person is about more; what is longer was pasted.
MOST_SENTENCES = 40
_SHORT_ANSWER_WORDS = 8
_POLITE = re.compile(r"(?i)(?:no (?:problem|worries|way|doubt)|sure thing|yes please)\b|\w+\W+(?:thanks|thank you)\b")
_REMARK_WORDS = 7
_UNBOUND = re.compile(r"^(?:it|this|that|these|those|they|he|she|his|her|their|its|there)\b", re.IGNORECASE)
_NAMED_START = re.compile(r"^(?:my\b|our\b|[A-ZÀ-ÖØ-Þ][\w’'-]+\s+(?:is|was|has|had|and|will|lives|works|loves|got|went|moved|said|told)\b)")
# What a sentence needs to be worth quoting: a number, a name, or the first person as its subject.
_SUBSTANCE = re.compile(r"\d|(?<=[a-z,] )(?!I\b)[A-Z]|^(?:I|We|My|Our)\b")
_LONGEST_JOINED = 320
_DIGIT_OR_NAME = re.compile(r"\d|(?<=[a-z,] )[A-Z]")


@dataclass(frozen=True, slots=True)
class Said:
    """A statement found in a message: `original` as said, `text` standing on its own; `quoted` when it could not be made to.

    `question` is the message whose question it answers.
    """

    original: str
    text: str
    time: TimeSpan | None
    relations: tuple[FoundRelation, ...] = ()
    cause: FoundCause | None = None
    quoted: bool = False
    question: Message | None = None


def statements_of(message: Message, before: Message | None, voices: Voices, zone: tzinfo) -> list[Said]:
    """What a person's message states. `before` is the message before it, whose question it may answer."""
    found: list[Said] = []
    sentences = sentences_of(message.text)[:MOST_SENTENCES]
    answered = _answer(message, sentences, before, voices, zone)
    if answered:
        found.append(answered)
        sentences = sentences[1:]
    for sentence in sentences:
        if is_question(sentence):
            continue
        _add(found, sentence, message, voices, zone)
    return found


def _add(found: list[Said], sentence: str, message: Message, voices: Voices, zone: tzinfo) -> None:
    core = with_subject(without_opening(sentence), voices.speaker)
    if is_filler(core) or len(core.split()) < 3:
        return
    text, quoted = standalone(core, voices)
    if _UNBOUND.match(core) and (_join(found, core, core if quoted else text) or not speaks_of_self(core)):
        return
    time = _time_of(core, message.sent_at, zone)
    if _is_remark(core) or (quoted and not time and not _SUBSTANCE.search(core)):
        return
    relations = tuple(relations_in(core, voices.speaker))
    found.append(Said(core, _dated(text, time, message.sent_at, zone), time, relations, cause_in(core), quoted))


def _join(found: list[Said], core: str, text: str) -> bool:
    """ "It was great" says something only together with what it is about: the statement before it, if that is of the same message."""
    if not found or found[-1].question or len(found[-1].text) + len(core) > _LONGEST_JOINED or len(core.split()) < 4:
        return False
    last = found[-1]
    found[-1] = Said(f"{last.original} {core}", f"{last.text} {text}", last.time, last.relations, last.cause, last.quoted)
    return True


def _is_remark(core: str) -> bool:
    """Short praise or advice to the other one ("You're such a good friend!") states nothing about the world."""
    if speaks_of_self(core):
        return False
    if addresses(core):
        return len(core.split()) <= 12 or bool(re.match(r"(?i)you\b|your\b", core))
    return len(core.split()) <= _REMARK_WORDS and not _DIGIT_OR_NAME.search(core) and not _NAMED_START.match(core)


def standalone(core: str, voices: Voices) -> tuple[str, bool]:
    """The sentence about names, or quoted with its speaker where that cannot be done safely."""
    if speaks_of_self(core) or addresses(core):
        rewritten = in_third_person(core, voices)
        if rewritten is not None:
            return _ended(rewritten), False
    elif _NAMED_START.match(core):
        return _ended(core), False
    return f'{voices.speaker} said: "{core}"', True


def _ended(text: str) -> str:
    return text if text.endswith((".", "!", "…", "?", '"')) else f"{text}."


def _time_of(core: str, said_at: datetime, zone: tzinfo) -> TimeSpan | None:
    """The first time that a sentence names; the most exact where it names several."""
    spans = find_times(core, said_at, zone)
    return min(spans, key=lambda span: span.granularity) if spans else None


def _dated(text: str, time: TimeSpan | None, said_at: datetime, zone: tzinfo) -> str:
    """The text with what a relative time means: "… last week (8 to 14 May 2023)." Nothing where the words already say it."""
    note = date_note(time, zone) if time else ""
    if not note or note.casefold() in text.casefold():
        return text
    body, end = (text[:-1], text[-1]) if text[-1:] in {".", "!"} else (text, "")
    return f"{body} ({note}){end}"


def date_note(span: TimeSpan, zone: tzinfo) -> str:
    """A span as a reader would write it, to its granularity; an open end is left open."""
    if span.start == DISTANT_PAST:
        return f"until {_day(span.end.astimezone(zone))}"
    start = span.start.astimezone(zone)
    if span.end == DISTANT_FUTURE:
        return f"since {start.year}" if span.granularity >= Granularity.YEAR else f"since {_day(start)}"
    last = span.end.astimezone(zone)
    match span.granularity:
        case Granularity.INSTANT | Granularity.HOUR | Granularity.DAY_PART:
            return _day(start)
        case Granularity.MONTH if (last - start).days <= 31:
            return f"{start:%B} {start.year}"
        case Granularity.YEAR if (last - start).days <= 366:
            return str(start.year)
        case Granularity.SEASON | Granularity.MONTH:
            return f"{start:%B} {start.year}"
        case Granularity.YEAR | Granularity.ERA:
            return f"{start.year} to {last.year - 1}"
        case _ if (last - start).days <= 1:
            return _day(start)
        case _:
            return f"week of {_day(start)}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B} {moment.year}"


def _answer(message: Message, sentences: Sequence[str], before: Message | None, voices: Voices, zone: tzinfo) -> Said | None:
    """A short answer together with its question: neither says anything alone."""
    if before is None or before.speaker == message.speaker or not sentences:
        return None
    asked = [one for one in sentences_of(before.text)[-3:] if is_question(one)]
    if not asked or not asks_something(asked[-1]):
        return None
    first = sentences[0]
    core = without_opening(first)
    bare = is_yes_or_no(first) is not None and len(first.split()) <= _SHORT_ANSWER_WORDS and not _POLITE.match(first)
    short = len(core.split()) <= _SHORT_ANSWER_WORDS and not speaks_of_self(core) and not _UNBOUND.match(core)
    if is_question(first) or not (bare or short) or (is_filler(first) and not bare):
        return None
    question = without_opening(asked[-1])
    time = _time_of(core, message.sent_at, zone)
    text = _dated(f'Asked "{question}", {voices.speaker} said: "{first}"', time, message.sent_at, zone)
    return Said(first, text, time, quoted=True, question=before)


def statements_with_time(said: Sequence[Said]) -> Iterator[tuple[TimeSpan | None, list[Said]]]:
    """The statements of a message by the time that they name: each group is one event."""
    groups: dict[tuple[datetime, datetime] | None, list[Said]] = {}
    for one in said:
        groups.setdefault((one.time.start, one.time.end) if one.time else None, []).append(one)
    for group in groups.values():
        yield group[0].time, group
