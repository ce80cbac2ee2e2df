"""Verbs as far as rewriting the first person needs them: which forms are past, and the third person of the others."""

import re
from functools import lru_cache

# ruff: noqa: SIM905
# Lists of words read better as text than as lists of literals.

_WORD = re.compile(r"\w+(?:['’]\w+)*")
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


# Base forms that are hardly ever nouns: after "and" they go on with the subject of the verb before.
_VERBS_ONLY = frozenset(
    (
        "get go make take come see know think want need feel find give tell ask live eat read write buy sell keep leave stay try learn "
        "teach meet bring send put spend fly own have do sing speak wait listen enjoy swim become begin choose drive forget grow hear lose "
        "move pay prefer remember teach understand wear"
    ).split()
)
_BASES = _VERBS_ONLY | frozenset(
    (
        "be like love hate work play run drink start stop use help show study travel visit call set let ride walk climb dance paint draw "
        "cook bake sleep wake dream win break build plan hope wish miss believe mean seem look sound smell taste watch talk say agree cost "
        "cry laugh smile join marry care hold drop wonder guess suggest recommend consider volunteer practise practice train rain snow hurt"
    ).split()
)
_AUXILIARIES = UNCHANGED | frozenset("am is are be been has have had do does did isn't aren't hasn't haven't doesn't don't there's".split())
_ADJECTIVES_IN_ED = frozenset(
    (
        "tired excited exhausted worried bored interested relieved scared pleased surprised annoyed disappointed confused overwhelmed "
        "stressed impressed delighted thrilled frustrated embarrassed shocked ashamed determined"
    ).split()
)
# Verbs that, at the start of a sentence, ask for something; those of which people rather drop the "I" ("Love it") are not among them.
_IMPERATIVES = frozenset(
    (
        "ask be bring buy call check choose come cross don't eat enjoy find forget get give go have help imagine invite join keep "
        "leave let listen look make meet pick play promise put read remember say send share show sit sleep start stay stop take "
        "fix translate explain summarize summarise convert generate create rewrite describe list provide "
        "tell think try visit wait wake watch wear write"
    ).split()
)
_SUBJECTS = re.compile(r"^(?:i|we|you|he|she|they|it)(?:'\w+)?$")
_NO_VERB_AFTER = frozenset(
    "a an the my your his her our their this that these those some of in on at with from to for no many two three".split()
)
_ELLIPTIC = re.compile(
    r"(?i)(?:(?:and|but|well)\s+)?\b(?:I|we)\s+(?:(?:really|certainly|also|still|never)\s+)?"
    r"(?:did|do|am|was|were|have|had|will|would|can|could|should|might|must|(?:did|do|was|have|had|could|would|should|ca|wo)n['’]t)"
    r"(?:\s+(?:not|too|so|indeed|already|now|either|think so))?\s*(?:[,.!…;–—-]+\s*|$)"
)


def is_adjective(word: str) -> bool:
    """Whether a word that looks like a past form says how someone feels."""
    return word in _ADJECTIVES_IN_ED


def goes_on(word: str) -> bool:
    """Whether a word after "and" is a verb of the subject before it: "I fly home and get the keys"."""
    return word in _VERBS_ONLY


@lru_cache(maxsize=256)
def asks_for(sentence: str) -> bool:
    """Whether a sentence is an imperative: it starts with a verb in its base form."""
    words = _words(sentence)
    words = words[1:] if words[:1] in (["please"], ["just"], ["now"], ["always"], ["never"]) else words
    return bool(words) and words[0] in _IMPERATIVES and not (len(words) > 1 and words[1] in _AUXILIARIES)


@lru_cache(maxsize=256)
def has_verb(sentence: str) -> bool:
    """Whether a sentence has a finite verb, as far as its forms tell; a pronoun as a subject implies one."""
    words = _words(sentence)
    verbs = (n for n, word in enumerate(words) if _is_finite(words, n, word))
    first = next(verbs, None)
    # "A hippo that swims" says of what it speaks, not that it does.
    relative = next((n for n, word in enumerate(words[:5]) if word in {"that", "who", "which"}), None)
    if first is not None and relative and first > relative and words[0] in {"a", "an", "the", "one", "some", "someone", "something"}:
        return next(verbs, None) is not None
    return first is not None


def is_elliptic(sentence: str) -> bool:
    """Whether a sentence only repeats the verb of another one: "I did, on Friday"."""
    rest = _ELLIPTIC.match(sentence)
    if not rest:
        return False
    left = sentence[rest.end() :]
    return is_elliptic(left) or not has_verb(left)


@lru_cache(maxsize=256)
def _words(sentence: str) -> list[str]:
    return _WORD.findall(sentence.replace("’", "'").casefold())


def _is_finite(words: list[str], place: int, word: str) -> bool:
    if _SUBJECTS.match(word) or word in _AUXILIARIES or word.endswith(("'s", "'re", "'ve", "'ll", "'d", "'m", "n't")):
        return not word.endswith("'s") or word in {"that's", "there's", "here's", "what's", "who's"} or bool(_SUBJECTS.match(word))
    if is_past(word) and not is_adjective(word) and (len(word) > 3 or word in IRREGULAR_PAST):
        return True
    if word in _BASES:
        return place > 0 and words[place - 1] not in _NO_VERB_AFTER
    return (
        place > 0
        and len(word) > 3
        and word.endswith("s")
        and not word.endswith(("ss", "us"))
        and not words[place - 1].isdigit()
        and words[place - 1] not in _NO_VERB_AFTER
    )
