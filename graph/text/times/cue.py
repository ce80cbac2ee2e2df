"""Whether a text can name a time at all: one cheap look at its words that no expression escapes."""

import re

from graph.text.times import clock, dates, relative, seasons
from graph.text.times.words import DIGIT, words_and_numbers

# Common words whose expressions hold another one of these ("New Year", "the other day", "Good Friday").
_NOT_ALONE = frozenset({"other", "good", "new", "black", "mother", "father", "labor", "boxing", "st", "valentine", "valentines"})
_WORDS = frozenset().union(*(rule.needs for table in (dates, relative, seasons, clock) for rule in table.RULES)) - DIGIT - _NOT_ALONE
# A number may be a time only so: 2019, 8th, 7pm, 19:30, 90s, Q2, 5/8.
_NUMBER = re.compile(r"\d{4}|\d(?:st|nd|rd|th)|\d\s?[ap]\.?m|\d:\d\d|\d0['’]?s|q[1-4]|\d[/.]\d", re.IGNORECASE)


def has_time_cue(text: str) -> bool:
    """Whether the text has a word or number that a time expression could start from. False means that `find_times` finds nothing."""
    words = words_and_numbers(text)
    return not _WORDS.isdisjoint(words) or ("#" in words and _NUMBER.search(text) is not None)
