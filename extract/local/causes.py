"""Causes that a sentence states: "because", "so that", "thanks to"."""

import re
from dataclasses import dataclass

_CLAUSE_SUBJECT = re.compile(
    r"^(?:then\s+)?(?:I|we|he|she|they|it|you|there|this|that|my|our|his|her|their|the|a|an|[A-ZÀ-ÖØ-Þ]\w+)\b['’\w]*(?:\s+\S+){1,}",
    re.IGNORECASE,
)
# (word, pattern, whether the cause comes after the word)
_LINKS = (
    ("because", re.compile(r",?\s+(?:just\s+|mainly\s+|mostly\s+|simply\s+)?(?:because|cuz|'cause)\s+(?!of\b)"), True),
    ("because_of", re.compile(r",?\s+(?:because of|due to|thanks to|on account of|as a result of)\s+"), True),
    ("so_that", re.compile(r",?\s+so that\s+"), False),
    ("so", re.compile(r",\s+so\s+(?=(?:I|we|he|she|they|it|my|our|the|this|his|her|their|[A-Z]\w+)\b)"), False),
    ("therefore", re.compile(r"[,;]\s+(?:that['’]s why|which is why|therefore)\s+"), False),
)
# "Because it rained, we stayed in."
_FRONTED = re.compile(r"(?P<word>because of|because|thanks to|due to)\s+(?P<cause>[^,;]{3,120}),\s+(?P<effect>[^;]{6,})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundCause:
    """A cause and its effect as said. `both_state`: each side is a statement, not just a name of something."""

    word: str
    cause: str
    effect: str
    both_state: bool


def cause_in(sentence: str) -> FoundCause | None:
    """The cause that a sentence states, if it does. For "so that" the effect is what the first part was done for."""
    fronted = _FRONTED.match(sentence)
    if fronted:
        word, cause, effect = fronted["word"].casefold().replace(" ", "_"), fronted["cause"].strip(), fronted["effect"].strip()
        return FoundCause(word, _closed(cause), _closed(effect), word == "because" and all(map(_CLAUSE_SUBJECT.match, (cause, effect))))
    for word, pattern, cause_after in _LINKS:
        match = pattern.search(sentence)
        if not match:
            continue
        first, second = sentence[: match.start()].strip(), sentence[match.end() :].strip()
        fronted = re.search(r"(?i)(?:^|\b(?:and|but))[\s,]*$", first) or re.match(r"(?i)because\b", first)
        if len(first.split()) < 2 or not second or fronted:
            return None  # "… but because of the knee I rest": where the cause ends cannot be told
        cause, effect = (second, first) if cause_after else (first, second)
        both = word != "because_of" and all(_CLAUSE_SUBJECT.match(side) for side in (first, second))
        return FoundCause(word, _closed(cause), _closed(effect), both)
    return None


def _closed(clause: str) -> str:
    clause = clause.strip(" ,;")
    return clause if clause.endswith((".", "!", "…")) else f"{clause}."
