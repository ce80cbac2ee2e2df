"""A statement as predicate and object: "Maria has just moved to Lisbon with Tom" is moved_to and "Lisbon with Tom"."""

# ruff: noqa: SIM905
# Lists of words read better as text than as lists of literals.

from extract.local.predicates import object_of
from extract.local.verbs import ADVERBS, is_past

_AUXILIARIES = frozenset("has have had is was are were will would can could been being am does do did".split())
_PARTICLES = frozenset("to at in for with from on into of about as up out over".split())
_PARTICIPLES = frozenset(
    "been gone done seen taken given written eaten driven flown known grown drawn chosen broken spoken forgotten sung swum begun run come "
    "become worn torn stolen shown fallen".split()
)
# What may stand after a name without being its verb.
_NO_VERBS = frozenset("and or said the a an to that s with in of who whose at from for on but".split())


def shortened(text: str, subject: str, time_words: str = "") -> tuple[str, str]:
    """Predicate and object of a statement that begins with its subject; empty when it has no verb with an object there."""
    if not text.startswith(f"{subject} "):
        return "", ""
    words = text[len(subject) :].split()
    at = 0
    negated = False
    while at < len(words) - 1:
        word = words[at].casefold().replace("’", "'")
        if word in ADVERBS or word == "not":
            negated = negated or word in {"never", "not"}
        elif word.endswith("n't"):
            negated = True
        elif word not in _AUXILIARIES or not _is_verb_form(words[at + 1].casefold(), word):
            break
        at += 1
    verb = words[at].casefold() if at < len(words) else ""
    rest = words[at + 1 :]
    if not verb.isalpha() or verb in _NO_VERBS or not rest:
        return "", ""
    predicate = verb
    if rest[0].casefold() in _PARTICLES and len(rest) > 1:
        predicate = f"{verb}_{rest.pop(0).casefold()}"
    target = object_of(" ".join(rest), time_words)
    return (f"not_{predicate}" if negated else predicate, target) if target else ("", "")


def _is_verb_form(word: str, auxiliary: str) -> bool:
    """Whether a word goes on with an auxiliary: "has moved", "is moving", "will move"."""
    word = word.strip(".,!")
    if auxiliary in {"will", "would", "can", "could", "does", "do", "did"} or word in ADVERBS or word == "not":
        return True
    return word in _PARTICIPLES or is_past(word) or (word.endswith("ing") and len(word) > 4)
