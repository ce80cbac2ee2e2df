"""What a rule of time expressions is: a pattern, and what it means when said at a moment."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from graph.model import TimeSpan
from graph.text.times.moment import Moment
from graph.text.times.words import words_and_numbers

Spans = tuple[TimeSpan, ...]
Match = re.Match[str]


@dataclass(frozen=True, slots=True)
class Clock:
    """A time of day without its day. `part` names a part of a day instead."""

    hour: int = 0
    minute: int | None = None
    part: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """An expression at its place in the text. `spans` are its readings (several only in questions); empty for an expression that means
    nothing by itself: one that repeats ("every Friday"), or a clock time that still lacks its day."""

    begin: int
    end: int
    spans: Spans = ()
    clock: Clock | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern and its meaning. `read` answers None when the match is no time; a group `core` marks where the expression starts.

    `needs`: words of which a text that matches has at least one ("#" for a number); most rules are not tried on most texts.
    """

    pattern: re.Pattern[str]
    read: Callable[[Match, Moment], Spans | Clock | None]
    needs: frozenset[str]


def rule(pattern: str, read: Callable[[Match, Moment], Spans | Clock | None], needs: Collection[str]) -> Rule:
    """A rule whose pattern ignores case and stands between word boundaries."""
    return Rule(re.compile(rf"(?<![\w/]){pattern}(?!\w)", re.IGNORECASE), read, frozenset(needs))


def matches(rules: Sequence[Rule], moment: Moment) -> Iterator[Found]:
    """Everything that a rule finds, overlapping; what the calendar does not have means nothing."""
    words = words_and_numbers(moment.text)
    for one in rules:
        if one.needs.isdisjoint(words):
            continue
        for match in one.pattern.finditer(moment.text):
            try:
                meaning = one.read(match, moment)
            except (ValueError, OverflowError):
                meaning = ()
            begin = match.start("core") if "core" in one.pattern.groupindex else match.start()
            match meaning:
                case None:
                    continue
                case Clock():
                    yield Found(begin, match.end(), clock=meaning)
                case _:
                    yield Found(begin, match.end(), meaning)
