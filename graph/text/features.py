"""What the text of a memory is like: cheap cues, from its words, that scoring reads as `Feature` bits."""

import re
from collections.abc import Collection

from graph.store.candidates import Feature
from graph.text.analyser import MONTHS, terms_of

# A question at the end of a message waits for an answer; one further up was followed by something else.
_QUESTION_TAIL = 80
_QUESTION_MARK = re.compile(r"[?？؟]")

# Words that name a day or a longer stretch of time. Short names that are other words, too (sat, sun, wed, mon, mar), are left out; "may" is
# judged by its neighbours.
CALENDAR_WORDS = frozenset(
    (  # noqa: SIM905 - a list of words is read as text
        "yesterday tonight tomorrow ago week weeks weekend weekends month months year years decade decades century fortnight "
        "monday tuesday wednesday thursday friday saturday sunday tue tues thu thur thurs fri jan feb apr jun jul aug sep sept "
        "oct nov dec spring summer autumn fall winter easter christmas xmas halloween thanksgiving 1980s 1990s 2000s 2010s "
        "2020s"
    ).split()
) | (frozenset(MONTHS) - {"may"})
TIME_WORDS = CALENDAR_WORDS | frozenset(
    (  # noqa: SIM905 - a list of words is read as text
        "today day days hour hours minute minutes morning afternoon evening night midnight noon mondays tuesdays wednesdays thursdays "
        "fridays saturdays sundays birthday anniversary recently lately soon since until yearly monthly weekly daily"
    ).split()
)
_DIGIT = re.compile(r"[0-9]")
# A year, a date or a clock time in digits.
_TIME_DIGITS = re.compile(r"[0-9](?:[/:.-][0-9]| ?(?:[aApP][mM]|st|nd|rd|th|h)\b)|\b(?:1[89]|20)[0-9]{2}\b")

_FIRST_PERSON = frozenset("i i'm i've i'd i'll my me mine myself we we're we've we'd we'll our ours us".split())  # noqa: SIM905 - the same

# What may begin a standing wish of a user towards an assistant; each is then looked for in full.
_INSTRUCTION_WORDS = frozenset(
    "always never prefer now forward whenever remember avoid ensure sure please future rather every don't".split()  # noqa: SIM905 - the same
)
_INSTRUCTION = re.compile(
    r"\b(?:always|never|from now on|going forward|in (?:the )?future|whenever i|every time i|when i ask|i(?:'d"
    r"| would)? (?:always |really |much )?prefer"
    r"|i(?:'d| would) (?:rather|like you)|please (?:remember|always|never|make sure|ensure|avoid|include|use|keep|don't|do not)"
    r"|remember (?:to|that)|make sure (?:to|that|you)|don't ever)\b",
)

_QUESTION, _TIME_EXPRESSION, _FIRST, _TOLD = map(
    int, (Feature.QUESTION, Feature.TIME_EXPRESSION, Feature.FIRST_PERSON, Feature.INSTRUCTION)
)


def features_of(text: str, words: list[str]) -> Feature:
    """The features of a text whose words (`words_of`) are known."""
    distinct = set(words)
    if "'" in text or not text.isascii():
        distinct = {word.removesuffix("'s") for word in words}
    # A number until the end: joining members of a flag one by one takes longer than all the rest.
    features = 0
    if _QUESTION_MARK.search(text, max(0, len(text) - _QUESTION_TAIL)):
        features |= _QUESTION
    if has_time_cue(text, distinct):
        features |= _TIME_EXPRESSION
    if not distinct.isdisjoint(_FIRST_PERSON):
        features |= _FIRST
    if not distinct.isdisjoint(_INSTRUCTION_WORDS) and _INSTRUCTION.search(" ".join(words)):
        features |= _TOLD
    return Feature(features)


def has_time_cue(text: str, words: Collection[str]) -> bool:
    """Whether a text with these distinct words may name a time: a word of the calendar or a number that looks like one.

    Texts without a cue are not parsed for times.
    """
    if not TIME_WORDS.isdisjoint(words) or (_DIGIT.search(text) is not None and _TIME_DIGITS.search(text) is not None):
        return True
    return names_may(text, words)


def names_may(text: str, words: Collection[str]) -> bool:
    """Whether a text with these distinct words names the month of May."""
    return "may" in words and "may" in terms_of(text)
