"""Short answers, which say something only together with their question."""

import re

from extract.local.counted import with_noun
from extract.local.person import addresses, speaks_of_self
from extract.local.sentences import asks_something, is_filler, is_question, is_yes_or_no, sentences_of, without_opening
from extract.local.verbs import has_verb, is_elliptic

_SHORT_WORDS = 8
_FRAGMENT_WORDS = 16
_POLITE = re.compile(r"(?i)(?:no (?:problem|worries|way|doubt)|sure thing|yes please)\b|\w+\W+(?:thanks|thank you)\b")
_WH = re.compile(r"(?i)(?:(?:and|so|but)\s+)?(?:\w+\s+)?(?:what|where|when|who|whom|whose|which|why|how)\b")
_ADVICE = re.compile(r"(?i)\b(?:should|recommend|suggest|could|can|would|do i|tips?|advice|ideas?)\b")
UNBOUND = re.compile(r"^(?:it|this|that|these|those|they|he|she|his|her|their|its|there)\b", re.IGNORECASE)
# What the question was about, at the end of a clause: "I've cancelled it."
_REFERS = re.compile(r"(?i)\b(?:it|them|that|there|him|her)\s*(?:[.!,;]|$)")
# Half a sentence, with its verb: "Since I was twelve."
_SUBORDINATE = re.compile(r"(?i)(?:since|when|because|after|before|until|if|so that|as soon as|whenever)\b[^,]*$")
# Names a thing rather than praises: "It's the meniscus."
_NAMING = re.compile(
    r"(?i)(?:it|that|this|he|she|they)(?:['’](?:s|re)| is| was| are| were)\s+(?:the|an?|my|our|his|her|in|at|on|from|near)\b"
)


def question_of(first: str, before: str) -> str:
    """The question in the message before that a message's first sentence answers; empty if it answers none, or says it all itself."""
    asked = [one for one in sentences_of(before)[-2:] if is_question(one)]
    if not asked or not asks_something(asked[-1]) or is_question(first):
        return ""
    question, core = without_opening(asked[-1]), without_opening(first)
    words = len(core.split())
    wh = _WH.match(question) is not None
    if addresses(core) and re.match(r"(?i)you\b", core) and not _ADVICE.search(question):
        return ""
    bare = is_yes_or_no(first) is not None and not wh and len(first.split()) <= _SHORT_WORDS and not _POLITE.match(first)
    if bare or is_elliptic(core):
        return question
    if is_filler(core) and not (wh and _NAMING.match(core)):
        return ""
    if not has_verb(core) or (_SUBORDINATE.match(core) and words <= _SHORT_WORDS):
        return question if words <= _FRAGMENT_WORDS and not is_filler(first) else ""
    if words > _SHORT_WORDS:
        return ""
    if speaks_of_self(core):
        return question if _REFERS.search(core) or not with_noun(core, [before]) else ""
    return question if (wh and words > 2) or not UNBOUND.match(core) else ""
