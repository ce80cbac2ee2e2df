"""The times that a message's text names, read from the few sentences that can name one."""

import re
from datetime import datetime, tzinfo

from graph.model import TimeSpan
from graph.text.analyser import words_of
from graph.text.features import CALENDAR_WORDS, MOST_READ, names_may
from graph.text.times import find_times

# The parser costs some microseconds a character. A long answer full of dates is about none of them in particular.
MAX_CHARACTERS = 1_500
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\n+")
_DATE_DIGITS = re.compile(r"\b(?:1[89]|20)[0-9]{2}\b|[0-9][/.-][0-9]")


def named_times(text: str, said_at: datetime, zone: tzinfo) -> tuple[TimeSpan, ...]:
    """The spans that a message's text names, seen from when it was said: days and longer.

    A clock time alone tells no more than when the message was sent, so sentences without a word of the calendar are not read.
    """
    sentences: list[str] = []
    size = 0
    for sentence in _SENTENCE_END.split(text[:MOST_READ]):
        if size + len(sentence) <= MAX_CHARACTERS and _may_name_a_day(sentence):
            sentences.append(sentence)
            size += len(sentence)
    return tuple(dict.fromkeys(find_times("\n".join(sentences), said_at, zone))) if sentences else ()


def _may_name_a_day(sentence: str) -> bool:
    words = {word.partition("'")[0] for word in words_of(sentence)}
    return not words.isdisjoint(CALENDAR_WORDS) or _DATE_DIGITS.search(sentence) is not None or names_may(sentence, words)
