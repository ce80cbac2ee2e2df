"""First and second person turned into names, so that a statement stands without its conversation."""

import re
from dataclasses import dataclass

from extract.local.verbs import ADVERBS, goes_on, is_adjective, is_past, third_person

_TOKEN = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]+|\s+")
_PLURAL = re.compile(r"\b(?:we|us|our|ours|ourselves)\b|\b(?:let['’]s|we['’]\w+)\b", re.IGNORECASE)
# What is "ours" is the speaker's, too; who "we" are must be known.
_WE = re.compile(r"\b(?:we|us|ourselves)\b|\b(?:let['’]s|we['’]\w+)\b", re.IGNORECASE)
_SINGULAR = re.compile(r"\b(?:I|me|my|mine|myself)\b|\bI['’]\w+", re.IGNORECASE)
_SECOND = re.compile(r"\b(?:you|your|yours|yourself)\b|\byou['’]\w+", re.IGNORECASE)
# "You" that means anyone.
_ANYONE = re.compile(
    r"\b(?:you (?:know|see|never know|have to admit)|when you|if you|as you|you can['’]?t (?:help|beat)|thank you)\b", re.IGNORECASE
)
_JOINT_SUBJECT = re.compile(r"(?:\b[A-ZÀ-ÖØ-Þ]\w+|\b[Mm]y\s+(?:\w+\s+)?\w+)\s+and\s+I\b")
_TAILS = {"m": "is", "ve": "has", "ll": "will", "d": "would", "re": "is", "s": "is"}
_DROPPED_SUBJECT = frozenset(
    {"been", "going", "planning", "thinking", "looking", "working", "trying", "hoping", "feeling", "taking", "getting", "having"}
)
# After these, and at the start, "you" is the subject of a clause; elsewhere it is an object, with which no verb agrees.
_BEFORE_CLAUSE = frozenset(
    {
        "",
        "that",
        "if",
        "when",
        "because",
        "what",
        "and",
        "but",
        "where",
        "how",
        "so",
        "think",
        "hope",
        "know",
        "glad",
        "say",
        "said",
        "believe",
    }
)
# Verbs after which "you" was their subject, wherever it stands.
_AGREES = frozenset({"have", "are", "do", "were", "haven't", "aren't", "don't"})


@dataclass(frozen=True, slots=True)
class Voices:
    """Who speaks, to whom when only one other can be meant, and who "we" are when the message has said so."""

    speaker: str
    listener: str = ""
    group: str = ""


def in_third_person(sentence: str, voices: Voices) -> str | None:
    """The sentence about names instead of "I", "my" and "you"; None where it cannot be told who is meant.

    "I've moved to my sister's" said by Maria becomes "Maria has moved to Maria's sister's".
    """
    if not voices.group and _WE.search(sentence):
        return None
    second = _SECOND.search(sentence) is not None
    if second and (not voices.listener or _ANYONE.search(sentence)):
        return None
    rewritten = _rewrite(sentence, voices)
    return rewritten[:1].upper() + rewritten[1:]


def speaks_of_self(sentence: str) -> bool:
    """Whether the sentence has a first person."""
    return bool(_SINGULAR.search(sentence) or _PLURAL.search(sentence))


def addresses(sentence: str) -> bool:
    """Whether the sentence speaks to someone."""
    return _SECOND.search(sentence) is not None


def with_subject(sentence: str, speaker: str) -> str:
    """A sentence that dropped its "I" with the speaker as its subject: "Went to Lisbon" -> "I went to Lisbon". Others as they are."""
    words = sentence.split()
    at = 0
    while at < len(words) - 1 and words[at].casefold() in ADVERBS:
        at += 1
    verb = words[at].casefold().strip(".,!") if words else ""
    if not verb or at == len(words) - 1:
        return sentence
    lowered = sentence[:1].lower() + sentence[1:]
    if verb in _DROPPED_SUBJECT:
        return f"I have {lowered}" if verb == "been" else f"I am {lowered}"
    if is_adjective(verb):
        return f"I am {lowered}"
    if is_past(verb) and verb not in {
        "left",
        "read",
        "set",
        "put",
        "cut",
        "upset",
        "spread",
        "hit",
        "let",
        "shut",
        "cost",
        "hurt",
        "bet",
        "beat",
    }:
        return f"I {lowered}"
    return sentence


def _rewrite(sentence: str, voices: Voices) -> str:
    joint = {match.end() - 1 for match in _JOINT_SUBJECT.finditer(sentence)}
    out: list[str] = []
    pending = ""  # a subject whose verb is still to come
    singular = False  # whether the clause's verb agrees with one person, so that a verb after "and" does too
    previous = ""
    for match in _TOKEN.finditer(sentence):
        token = match.group()
        straight = token.replace("’", "'").casefold()
        if token.isspace() or not token[0].isalnum():
            out.append(token)
            if not token.isspace() and token not in {'"', "“", "”"}:
                pending, singular = "", False
            continue
        subject = _subject(straight, voices)
        if subject is not None:
            name, tail = subject
            singular = False
            if previous in {"me", "us"} and straight.partition("'")[0] in {"i", "you", "we"}:
                out.append("that ")  # "told me you …"
            if out and name.startswith("The "):
                name = f"the {name[4:]}"
            if tail:
                out.append(f"{name} {tail}")
                pending = ""
            elif straight in {"i", "you", "we"}:
                out.append(name)
                pending = _agreement(straight, previous, match.start() in joint)
            else:
                out.append(name)
        elif pending:
            if straight in ADVERBS:
                out.append(token)
            elif pending == "we":
                out.append(token)
                pending = ""
            else:
                out.append(third_person(token) if straight not in {"and", "or"} else token)
                singular, pending = out[-1] != token, ""
        elif (previous == "you" and voices.listener and straight in _AGREES) or (singular and previous == "and" and goes_on(straight)):
            out.append(third_person(token))
        else:
            singular = singular and straight != "to"
            out.append(token)
        previous = straight
    return "".join(out)


def _agreement(pronoun: str, previous: str, joint: bool) -> str:
    """Whose verb is to follow: "" for nobody's, "we" for a plural one ("Tom and I are")."""
    if joint:
        return "we"
    return pronoun if pronoun != "you" or previous in _BEFORE_CLAUSE else ""


def _subject(token: str, voices: Voices) -> tuple[str, str] | None:
    """What a pronoun becomes, and the verb that its contraction holds."""
    head, _, tail = token.partition("'")
    match head:
        case "i" if tail in {"m", "ve", "ll", "d", ""}:
            return voices.speaker, _TAILS.get(tail, "")
        case "me" | "myself":
            return voices.speaker, ""
        case "my" | "mine":
            return f"{voices.speaker}'s", ""
        case "you" if voices.listener:
            return voices.listener, _TAILS.get(tail, "")
        case "your" | "yours" if voices.listener:
            return f"{voices.listener}'s", ""
        case "yourself" if voices.listener:
            return voices.listener, ""
        case "we" if voices.group:
            return voices.group, {"re": "are", "ve": "have", "ll": "will", "d": "would"}.get(tail, "")
        case "us" | "ourselves" if voices.group:
            return voices.group, ""
        case "our" | "ours":
            return f"{voices.group or voices.speaker}'s", ""
        case _:
            return None
