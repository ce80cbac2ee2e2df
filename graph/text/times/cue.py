"""Whether a text can name a time at all: one cheap pattern that no expression escapes."""

import re

from graph.text.times.words import MONTH, WEEKDAY

_CUE = re.compile(
    rf"\b(?:{MONTH}|{WEEKDAY}|(?:mon|tues|wednes|thurs|fri|satur|sun)days|today|tonight|yesterday|tomorrow|weekend|morning|afternoon|evening|night|"
    r"spring|summer|autumn|fall|winter|(?:spring|summer|winter)time|noon|midday|midnight|"
    r"christmas|xmas|boxing|new\s+year|valentine|patrick|halloween|easter|friday|thanksgiving|labor|mother|father|"
    r"ago|back|century|decades?|(?:second|minute|hour|day|week|month|year)s?|twenties|thirties|forties|fifties|sixties|seventies|eighties|nineties)\b"
    r"|\d{4}|\d\s?[ap]\.?m\b|\d:\d\d|\d\s?o.?\s?clock|o['’]?\s?clock|\d0['’]?s\b|\d(?:st|nd|rd|th)\b|\bQ[1-4]\b|\d[/.]\d",
    re.IGNORECASE,
)


def has_time_cue(text: str) -> bool:
    """Whether the text has a word or number that a time expression could start from. False means that `find_times` finds nothing."""
    return _CUE.search(text) is not None
