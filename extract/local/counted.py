"""Numbers that stand for things: "I've packed eleven" says of what only together with what was said just before."""

import re
from collections.abc import Sequence
from functools import lru_cache

from extract.local.sentences import sentences_of

_NUMBER = (
    r"(?:a (?:couple|dozen|few)|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|"
    r"(?:twen|thir|for|fif|six|seven|eigh|nine)ty(?:[- ](?:one|two|three|four|five|six|seven|eight|nine))?|[2-9]|[1-9]\d{1,2})"
)
# Verbs of what can be counted. Not "ran", "was" or "turned": ten kilometres, at eleven, thirty years old.
_REGULAR = (
    r"(?:un)?pack|plant|count|pick|collect|order|paint|repair|cook|invite|adopt|receive|need|want|own|finish|book|watch|visit|sign|clean|grow|"
    r"fill|carry|carri|open|donate|donat|print|frame|fram|bake|bak|invit|receiv|deliver|wash|iron|knit|borrow|return"
)
_IRREGULAR = (
    r"have|has|had|buy|buys|bought|sell|sells|sold|make|makes|made|read|reads|write|writes|wrote|written|eat|eats|ate|eaten|find|"
    r"finds|found|lose|lost|take|takes|took|taken|see|saw|seen|catch|caught|send|sent|draw|drew|drawn|build|built|grew|grown|"
    r"bring|brought|keep|keeps|kept|gave|given|threw|thrown|drank|drunk|chose|chosen|hung|sewn|[’']ve|[’']ve got"
)
_VERB = rf"(?:(?:{_REGULAR})(?:e?d|e?s|ing)?|{_IRREGULAR})"
_ABOUT = r"(?:(?:about|around|only|just|already|another|all|at least|almost|nearly|over|up to|exactly)\s+){0,2}"
# What may follow: the end of a clause, or when, but no noun. "10 in maths" and "20 for the ride" are no things.
_END = (
    r"(?=\s*(?:$|[.!?;:…—–]|,(?!\d)|(?:and (?!a half)|but|so|because|already|today|tonight|yesterday|now|myself|too|in total|"
    r"(?:this|last) (?:morning|afternoon|week|weekend|month|year))\b))"
)
_BARE = re.compile(rf"(?i)(?:\b|(?=[’']))(?P<verb>{_VERB})\s+(?P<count>{_ABOUT}{_NUMBER}(?: more)?)(?:\s+of (?:them|those|these))?{_END}")
_NUMBER_WORD = re.compile(_NUMBER)
_WORD = re.compile(r"[a-z]+|\d")
_CLAUSE = re.compile(r",?\s+(?:and|but)\s+(?=(?:I|we|my|our|he|she|they)\b)")
_PLURAL = (
    r"(?P<noun>(?!(?:his|hers|yours|ours|theirs|this|us|yes|news|thanks|things|lots|loads|always|perhaps|pics)\b)[a-z-]{2,}(?<![su’'])s|"
    r"children|people|men|women|mice|geese)\b(?!['’-])"
)
_LEADS = (
    r"(?:(?<=s )(?:and|or)|\b(?:how many|(?:far |so )?too many|so many|many|more|enough|any|some|all|the|these|those|my|your|our|his|her|"
    rf"their|several|few|in|with|for|about|(?:lots|plenty|loads|rid) of|{_NUMBER}|{_VERB}))\s+"
)
_NAMED = re.compile(rf"(?:{_LEADS}(?:(?!(?:and|or|of|in|with|for|to|are|is|was|were)\b)[a-z-]+\s+)?{_PLURAL})", re.IGNORECASE)
_ASKED = re.compile(rf"\bhow many\s+(?:[a-z-]+\s+)??{_PLURAL}", re.IGNORECASE)
_SINGLE = re.compile(r"\b(?:an?|another)\s+(?P<noun>[a-z-]{2,}[a-rt-z])(?=\s*(?:[.!?,;]|$))", re.IGNORECASE)
# "In three days" counts nothing that is had, unless it is asked how many.
_TIMES = frozenset(
    {"seconds", "minutes", "hours", "days", "weeks", "months", "years", "nights", "mornings", "evenings", "weekends", "times", "ages"}
)
_SENTENCES = 6


def with_noun(sentence: str, before: Sequence[str]) -> str:
    """The sentence with what it counts, as the nearest of the texts `before` names it; else without that clause; "" if nothing is left.

    "I've packed eleven and I own too many plates." after "Are you drowning in boxes?" becomes "I've packed eleven boxes and I own ...".
    """
    match = _BARE.search(sentence) if _may_count(sentence) else None
    if match is None:
        return sentence
    for text in (sentence[: match.start()], *before):
        nouns = _nouns(text)
        if len(nouns) == 1:
            return f"{sentence[: match.end('count')]} {nouns[0]}{sentence[match.end() :]}"
        if nouns:
            break
    left = [clause for clause in _CLAUSE.split(sentence) if not _BARE.search(clause)]
    return " and ".join(left)


@lru_cache(maxsize=4_096)
def _is_number(word: str) -> bool:
    return word.isdigit() or word in {"couple", "dozen", "few"} or _NUMBER_WORD.fullmatch(word) is not None


def _may_count(sentence: str) -> bool:
    """Whether there is a number at all: most sentences have none, and this is found out sooner than that no verb is before one."""
    return any(map(_is_number, _WORD.findall(sentence.lower())))


def _nouns(text: str) -> list[str]:
    """What a text names in the plural, each once: what it asks how many of, if it does."""
    sentences = sentences_of(text)[-_SENTENCES:]
    asked = [match["noun"] for sentence in sentences for match in _ASKED.finditer(sentence)]
    if asked:
        return list(dict.fromkeys(asked))
    plural = [match["noun"].lower() for sentence in sentences for match in _NAMED.finditer(sentence)]
    single = [_plural_of(match["noun"].lower()) for sentence in sentences for match in _SINGLE.finditer(sentence)]
    return [noun for noun in dict.fromkeys((*plural, *single)) if noun not in _TIMES]


def _plural_of(noun: str) -> str:
    if noun.endswith(("x", "ch", "sh", "z")):
        return noun + "es"
    return f"{noun[:-1]}ies" if noun.endswith("y") and noun[-2] not in "aeiou" else noun + "s"
