"""What the text of a memory is like: cheap cues, from its words, that scoring reads as `Feature` bits."""

import re
from collections.abc import Collection
from enum import IntFlag

from graph.text.analyser import MONTHS, terms_of


class Feature(IntFlag):
    """What the text of a memory is like; computed by `graph.text` when it is stored.

    QUESTION: it asks at its end.  TIME_EXPRESSION: it names a time.  INSTRUCTION: a standing instruction, "always …", "I prefer …".
    FIRST_PERSON: its speaker speaks of themselves.  NAME: it names somebody or something other than whom it addresses.
    REASON: it tells why.  PEOPLE: it mentions people by what they are to somebody, "my sister", "the team".  IMAGE: it comes with one.
    """

    QUESTION = 1
    TIME_EXPRESSION = 2
    INSTRUCTION = 4
    FIRST_PERSON = 8
    NAME = 16
    REASON = 32
    PEOPLE = 64
    IMAGE = 128


# A text is judged by so much of it: no message that somebody wrote is longer, and what was pasted is about too much to be about anything.
MOST_READ = 20_000
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

# What may begin a standing instruction of a user towards an assistant; each is then looked for in full.
_INSTRUCTION_WORDS = frozenset(
    "always never prefer now forward whenever remember avoid ensure sure please future rather every don't ask".split()  # noqa: SIM905 - the same
)
# "Always" and "never" are instructions where a clause begins with them: "I've never been there" and "she always smiles" tell of somebody.
# It reads lines whose words stand one space apart: with `\s*` or `\s+` in it, blank lines would take time that grows with their square.
_INSTRUCTION = re.compile(
    r"(?:^|[.!?;:,(\n] ?|\b(?:please|so|and|but|should|must|to) )(?:always|never)\b"
    r"|\b(?:from now on|going forward|in (?:the )?future|when(?:ever)? i (?:ask|request)|every time i ask"
    r"|i(?:'d| would)? (?:(?:always|really|much|generally|usually|strongly) )?prefer"
    r"|i(?:'d| would) (?:rather|like you to)"
    r"|please (?:remember|make sure|ensure|avoid|include|use|keep|don't|do not)"
    r"|remember (?:to|that)|make sure (?:to|that you|you)|don't ever)\b",
)

# Capitals of the languages written in Latin letters; "ß-ž" are their other letters, among which a few more capitals do no harm.
_CAPITAL = "A-ZÀ-ÖØ-ÞĆČĎĐĘĚĞİŁŃŇŌŘŚŞŠŤŪŮŹŻŽ"
# Whom a message addresses is no name that it tells: "Thanks, Ana!", "Hey Tom, how are you?".
_ADDRESS = re.compile(
    r"(?:(?:^|[.!?]\s+)(?i:hey|hi|hello|thanks|thank you|wow|yeah|yep|yes|sure|bye|no|oh|congrats|ok|okay|well|aw+|cool|great)\b[^.!?\w]*"
    r"|,\s*)"
    rf"[{_CAPITAL}][a-zß-ž]+(?=\s*[,.!?;:])"
)
# Titles in quotes; capitalised words that no sentence begins with; acronyms.
_NAME = re.compile(rf"[\"“][^\"”]{{3,60}}[\"”]|(?<=[a-zß-ž,;:'’)0-9] )[{_CAPITAL}][a-zA-ZÀ-ž'’-]{{2,}}|\b[A-Z]{{2,}}\b")
_CAPITALISED_ANYWAY = frozenset(
    (  # noqa: SIM905 - a list of words is read as text
        "I'm I've I'll I'd OK LOL OMG TV Can What How Have Do Did Are Is Any When Where It's That's You're Let's Monday Tuesday Wednesday "
        "Thursday Friday Saturday Sunday January February March April May June July August September October November December"
    ).split()
)
_REASON_WORDS = frozenset("because 'cause cause since inspired motivated motivates motivation reason reasons wanted".split())  # noqa: SIM905 - the same
_REASON = re.compile(r"\b(?:so that|thanks to|due to|that's why|want to)\b")
_PEOPLE = frozenset(
    (  # noqa: SIM905 - the same
        "friend friends mom mother dad father parents sister sisters brother brothers son sons daughter daughters wife husband partner "
        "kid kids child children family cousin aunt uncle niece nephew grandma grandpa grandmother grandfather boss colleague colleagues "
        "coworker coworkers neighbor neighbors neighbour neighbours teammate teammates team coach teacher mentor mentors people buddy "
        "buddies group"
    ).split()
)

_QUESTION, _TIME_EXPRESSION, _FIRST, _TOLD, _NAMED, _WHY, _WHO = map(
    int,
    (
        Feature.QUESTION,
        Feature.TIME_EXPRESSION,
        Feature.FIRST_PERSON,
        Feature.INSTRUCTION,
        Feature.NAME,
        Feature.REASON,
        Feature.PEOPLE,
    ),
)


def features_of(text: str, words: list[str]) -> Feature:
    """The features of a text whose words (`words_of`) are known, at least those of its first MOST_READ characters.

    What a longer text is like is told from these and, for its question, from its end.
    """
    asks = _QUESTION_MARK.search(text, max(0, len(text) - _QUESTION_TAIL)) is not None
    text = text[:MOST_READ]
    distinct = set(words)
    if "'" in text or not text.isascii():
        distinct = {word.removesuffix("'s") for word in words}
    # A number until the end: joining members of a flag one by one takes longer than all the rest.
    features = 0
    if asks:
        features |= _QUESTION
    if has_time_cue(text, distinct):
        features |= _TIME_EXPRESSION
    if not distinct.isdisjoint(_FIRST_PERSON):
        features |= _FIRST
    if not distinct.isdisjoint(_INSTRUCTION_WORDS) and _INSTRUCTION.search(_lines(text)):
        features |= _TOLD
    if names_something(text):
        features |= _NAMED
    if not distinct.isdisjoint(_REASON_WORDS) or _REASON.search(text.casefold().replace("’", "'")):
        features |= _WHY
    if not distinct.isdisjoint(_PEOPLE):
        features |= _WHO
    return Feature(features)


def _lines(text: str) -> str:
    """The text's lines, case-folded, each with one space between two words."""
    return "\n".join(" ".join(line.split()) for line in text.casefold().replace("’", "'").splitlines())


def names_something(text: str) -> bool:
    """Whether a text names somebody or something, other than whom it addresses."""
    if text.islower():
        return False
    return any(name not in _CAPITALISED_ANYWAY for name in _NAME.findall(_ADDRESS.sub(" ", text)))


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
