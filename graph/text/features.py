"""What the text of a memory is like: cheap cues, from its words, that scoring reads as `Feature` bits."""

import re

from graph.store.candidates import Feature
from graph.text.analyser import MONTHS

# A question at the end of a message waits for an answer; one further up was followed by something else.
_QUESTION_TAIL = 80
_QUESTION_MARK = re.compile(r"[?？؟]")

# Words that name a day or a longer stretch of time.
CALENDAR_WORDS = frozenset(
    (  # noqa: SIM905 - a list of words is read as text
        "yesterday tonight tomorrow ago week weeks weekend weekends month months year years decade decades century fortnight monday tuesday "
        "wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri sat sun jan feb mar apr jun jul aug sep sept oct nov "
        "dec spring summer autumn fall winter easter christmas xmas halloween thanksgiving 1980s 1990s 2000s 2010s 2020s"
    ).split()
) | frozenset(MONTHS)
TIME_WORDS = CALENDAR_WORDS | frozenset(
    (  # noqa: SIM905 - a list of words is read as text
        "today day days hour hours minute minutes morning afternoon evening night midnight noon mondays tuesdays wednesdays thursdays "
        "fridays saturdays sundays birthday anniversary recently lately soon since until yearly monthly weekly daily"
    ).split()
)
_DIGIT = re.compile(r"[0-9]")
# A year, a date or a clock time in digits.
_TIME_DIGITS = re.compile(r"[0-9](?:[/:.-][0-9]| ?(?:[aApP][mM]|st|nd|rd|th|h)\b)|\b(?:1[89]|20)[0-9]{2}\b")

_FIRST_PERSON = frozenset("i i'm i've i'd i'll my me mine myself we we're we've we'd we'll our ours us".split())

# What may begin a standing wish of a user towards an assistant; each is then looked for in full.
_INSTRUCTION_WORDS = frozenset(
    "always never prefer now forward whenever remember avoid ensure sure please future rather every don't".split()
)
_INSTRUCTION = re.compile(
    r"\b(?:always|never|from now on|going forward|in (?:the )?future|whenever i|every time i|when i ask|i(?:'d| would)? (?:always |really |much )?prefer"
    r"|i(?:'d| would) (?:rather|like you)|please (?:remember|always|never|make sure|ensure|avoid|include|use|keep|don't|do not)"
    r"|remember (?:to|that)|make sure (?:to|that|you)|don't ever)\b",
)


def features_of(text: str, words: list[str]) -> Feature:
    """The features of a text whose words (`words_of`) are known."""
    distinct = {word.removesuffix("'s") for word in words}
    features = Feature(0)
    if _QUESTION_MARK.search(text, max(0, len(text) - _QUESTION_TAIL)):
        features |= Feature.QUESTION
    if has_time_cue(text, distinct):
        features |= Feature.TIME_EXPRESSION
    if not distinct.isdisjoint(_FIRST_PERSON):
        features |= Feature.FIRST_PERSON
    if not distinct.isdisjoint(_INSTRUCTION_WORDS) and _INSTRUCTION.search(" ".join(words)):
        features |= Feature.INSTRUCTION
    return features


def has_time_cue(text: str, words: set[str]) -> bool:
    """Whether a text may name a time: a word of the calendar or a number that looks like one. Texts without a cue are not parsed for times."""
    return not words.isdisjoint(TIME_WORDS) or (_DIGIT.search(text) is not None and _TIME_DIGITS.search(text) is not None)
