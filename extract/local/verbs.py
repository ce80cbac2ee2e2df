"""Verbs as far as rewriting the first person needs them: which forms are past, and the third person of the others."""

# ruff: noqa: SIM905
# Lists of words read better as text than as lists of literals.

IRREGULAR_PAST = frozenset(
    (
        "ate became began bought broke brought built burnt came caught chose did drank drew drove dreamt fed fell felt fought flew "
        "forgot forgave found froze gave got grew had heard held hid hung kept knew learnt led left lent lit lost made meant met paid "
        "put quit ran rang read rode rose said sang sat saw sent set shook shot showed shut slept sold spent spoke stole stood stuck "
        "swam swept taught thought threw told took understood upset was went were woke won wore wrote cut hit hurt let cost bet spread "
        "beat"
    ).split()
)
_ED_IN_PRESENT = frozenset(
    {"need", "feed", "speed", "bleed", "breed", "seed", "heed", "weed", "exceed", "proceed", "succeed", "embed", "shred"}
)
# Verbs that do not change in the third person, with their negations.
UNCHANGED = frozenset(
    (
        "can could will would should shall may might must can't cannot couldn't won't wouldn't shouldn't mustn't didn't hadn't wasn't "
        "weren't had did was were gotta gonna"
    ).split()
)
THIRD = {
    "am": "is", "are": "is", "have": "has", "do": "does", "haven't": "hasn't", "don't": "doesn't", "aren't": "isn't", "go": "goes",
    "were": "was", "weren't": "wasn't",
}  # fmt: skip
ADVERBS = frozenset(
    (
        "just really also always never still often usually recently finally actually already even only probably definitely totally "
        "kinda sometimes currently once then simply truly honestly absolutely mostly normally rarely hardly almost nearly now soon "
        "eventually basically literally completely especially generally certainly obviously"
    ).split()
)


def is_past(verb: str) -> bool:
    """Whether a verb's form is past."""
    return verb in IRREGULAR_PAST or (verb.endswith("ed") and verb not in _ED_IN_PRESENT)


def third_person(verb: str) -> str:
    """The form that follows a name, of the form that follows "I" or "you"."""
    straight = verb.replace("’", "'").casefold()
    if straight in THIRD:
        return THIRD[straight]
    if straight in UNCHANGED or is_past(straight) or not straight.isalpha():
        return verb
    if straight.endswith(("s", "sh", "ch", "x", "z", "o")):
        return verb + "es"
    if straight.endswith("y") and straight[-2:-1] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + "s"
