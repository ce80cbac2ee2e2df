"""What a question asks for, told from its words alone: a time, a name, a reason, what the assistant said, advice; and whom it names."""

import re
from collections.abc import Sequence
from enum import IntFlag

from graph.text import STOP_WORDS, words_of
from graph.text.names import is_role_name

_ASKS_WHEN = re.compile(
    r"\bwhen (?:is|are|was|were|will|did|do|does|has|have|had|would|should|can|could|exactly)\b|^\W*when\W*$"
    r"|\bsince when\b|\bhow long\b|\bhow recently\b"
    r"|\bhow many (?:\w+ ){0,2}?(?:days|weeks|months|years|hours|nights)\b"
    r"|\b(?:what|which) (?:\w+ )?(?:date|day|weekday|week|weekend|month|year|season|time|decade)\b"
)
_ASKS_ASSISTANT = re.compile(
    r"\b(?:did|do|have|had|could|would|were|was) you (?:\w+ ){0,2}?(?:say|said|tell|told|recommend\w*|suggest\w*"
    r"|list\w*|mention\w*|give|gave|given|explain\w*"
    r"|advise\w*|propos\w*|describ\w*|provid\w*|answer\w*|respond\w*|repl\w+|outlin\w*|stat\w+|write|wrote|written)\b"
    r"|\byou (?:had |have |previously |also |first |just |originally |earlier )*(?:said|told|recommended|suggested"
    r"|listed|mentioned|gave|explained|advised|proposed"
    r"|described|provided|answered|outlined|wrote)\b"
    r"|\byour (?:\w+ ){0,2}?(?:recommendations?|suggestions?|advice|answers?|responses?|repl(?:y|ies)|explanations?"
    r"|lists?|instructions|guidance|tips)\b"
    r"|\bthe assistant\b|\b(?:was|were) i (?:told|advised|given|recommended)\b"
)
_ASKS_ADVICE = re.compile(
    r"\bhow (?:do|can|should|would|could|might) (?:i|we)\b|\bwhat (?:\w+ ){0,3}?(?:should|would you|can|could) (?:i"
    r"|we|recommend|suggest|do)\b|\b(?:can|could|would|will) you "
    r"(?:please )?(?:help|recommend|suggest|show|explain|write|give|walk|create|make|tell|provide|draft|plan|design"
    r"|list)\b|\bhelp me\b|\bany (?:tips|advice|ideas|suggestions"
    r"|recommendations)\b|^\W*(?:please|recommend|suggest|give me|show me|explain|write|create|draft|plan)\b"
    r"|\bi (?:need|want|would like|'d like)\b|\bwhat(?:'s| is| are) (?:\w+ ){0,3}?"
    r"(?:best|good|common|typical|ways?|steps?)\b|\bshould i\b|\bwhat are\b"
)
# A summary of what was said is no new piece of advice, although it is asked for in the same words.
_ASKS_RECALL = re.compile(
    r"\b(?:summar\w+|in order|the order|have i|did i|do i have|i (?:\w+ )?(?:said?|mention\w*|brought|told)"
    r"|we(?:'ve| have)? discuss\w*|so far|our conversations?)\b"
)
# A summary is made of both sides of a chat.
_ASKS_SUMMARY = re.compile(r"\b(?:summar\w+|recap\w*|overview|sum up)\b")
# What is spread over a long stretch of talk, so that its pieces do not stand together.
_ASKS_OVERVIEW = re.compile(
    r"\b(?:in order|the order|chronolog\w*|throughout|over time|so far|how many different|in total"
    r"|across (?:all |our |my )|how (?:has|have|did) .{0,200}\b(?:progress|develop|evolv|chang)\w*)\b"
)
# What there is to tell, whatever it is about: no word of it names a topic.
_ASKS_WHOLE = re.compile(
    r"\bbeen (?:up to|doing)\W*(?:lately|recently)?\W*$|\b(?:know|remember|tell me) (?:\w+ )?about (?:me|us|myself|ourselves)\W*$"
    r"|\b(?:catch|bring) (?:me|us) up\b|\bwhat(?:'s| is| has been) (?:new|going on|happening)\W*(?:lately|recently)?\W*$"
)
_OF_ONESELF = re.compile(r"\b(?:i|i'm|i've|i'd|my|me|mine|we|our|us)\b")
# Where something was, who it was, what it is called: the answer holds a name.
_ASKS_NAME = re.compile(
    r"\bwhere\b|\bwho(?:m|se)?\b|\bnam(?:e|es|ed)\b|\b(?:which|what) (?:\w+ )?(?:city|cities|town|towns|country|countries|state|states"
    r"|places?|locations?|areas?|parks?|books?|movies?|films?|songs?|albums?|games?|artists?|bands?|authors?|teams?|compan(?:y|ies)|brands?|shows?|series"
    r"|pets?|breeds?|cars?|dish(?:es)?|recipes?|events?|organi[sz]ations?|characters?|restaurants?|schools?|languages?|instruments?|apps?|tools?)\b"
)
_ASKS_PAST = re.compile(r"\b(?:did|was|were|had|went)\b")
# How something was before it changed, or how it came to change: what no longer holds is wanted, too.
_ASKS_HISTORY = re.compile(
    r"\b(?:used to|previous(?:ly)?|former(?:ly)?|original(?:ly)?|initial(?:ly)?|at first|back then|histor(?:y|ically)|timeline|ever"
    r"|before|in the past|once|last time|over time|so far|over the (?:years|months|weeks)|how (?:often|many times)|all the"
    r"|(?:old|earlier|first|past) (?:\w+ )?(?:plan|date|time|job|home|place|address|number|name|car|company|version|budget|price|boss"
    r"|manager|city|team|school))\b"
    r"|\bhow (?:has|have|did) .{1,200}\bchang\w*|\bwhat (?:has )?changed\b|\bchang(?:ed|es) (?:of|in|to)\b|\bwhy did\b"
)
_ASKS_WHAT = re.compile(r"\b(?:what|which)\b")
_ASKS_WHO = re.compile(r"\bwho(?:m|se)?\b")
_ASKS_WHY = re.compile(r"\bwhy\b|\breasons?\b|\bmotivat\w*|\binspir\w*")
# How people are related, and not what somebody's relationship is like.
_ASKS_RELATION = re.compile(
    r"\bhow (?:is|are|was|were) .{1,100}\brelated\b|\bhow (?:do|does|did) .{1,100}\bknow\b|\brelationship between\b"
)


class QueryIntent(IntFlag):
    """What a question asks for. It may ask for several things, and for none that is known here.

    ADVICE asks for something new, and so not for one's OWN_WORDS; RECALL for what was said; OVERVIEW for what is spread
    over a long time; WHOLE for what there is, whatever it is about; OWN_WORDS for what the person who asks said.
    NAME: the answer holds a name; WHAT: it may. HISTORY asks for what was before, too; NOW for what holds.
    """

    WHEN = 1
    ASSISTANT = 2
    ADVICE = 4
    RECALL = 8
    SUMMARY = 16
    OVERVIEW = 32
    OWN_WORDS = 64
    NAME = 128
    WHAT = 256
    WHO = 512
    WHY = 1024
    RELATION = 2048
    WHOLE = 4096
    HISTORY = 8192
    NOW = 16384


NO_INTENT = QueryIntent(0)
# Who asks so wants more than what holds now.
_NOT_OF_NOW = (
    QueryIntent.HISTORY | QueryIntent.OVERVIEW | QueryIntent.SUMMARY | QueryIntent.RECALL | QueryIntent.WHOLE | QueryIntent.ASSISTANT
)

_SHORTEST_NICKNAME = 3
# Words have fewer characters; without spaces there are hardly any words.
_CHARACTERS_A_WORD = 24


def query_intents(text: str) -> QueryIntent:
    """All that a case-folded question asks for."""
    found = QueryIntent(0)
    for kind, pattern in (
        (QueryIntent.WHEN, _ASKS_WHEN),
        (QueryIntent.ASSISTANT, _ASKS_ASSISTANT),
        (QueryIntent.RECALL, _ASKS_RECALL),
        (QueryIntent.SUMMARY | QueryIntent.OVERVIEW, _ASKS_SUMMARY),
        (QueryIntent.OVERVIEW, _ASKS_OVERVIEW),
        (QueryIntent.WHOLE, _ASKS_WHOLE),
        (QueryIntent.NAME, _ASKS_NAME),
        (QueryIntent.WHAT, _ASKS_WHAT),
        (QueryIntent.WHO, _ASKS_WHO),
        (QueryIntent.WHY, _ASKS_WHY),
        (QueryIntent.RELATION, _ASKS_RELATION),
        (QueryIntent.HISTORY, _ASKS_HISTORY),
    ):
        if pattern.search(text):
            found |= kind
    if _ASKS_ADVICE.search(text) and not found & (QueryIntent.RECALL | QueryIntent.ASSISTANT):
        found |= QueryIntent.ADVICE
    elif not _ASKS_PAST.search(text) and not found & _NOT_OF_NOW:
        found |= QueryIntent.NOW
    if _OF_ONESELF.search(text) and not found & (QueryIntent.ADVICE | QueryIntent.ASSISTANT | QueryIntent.SUMMARY):
        found |= QueryIntent.OWN_WORDS
    return found


def named_speakers(text: str, speakers: Sequence[str]) -> tuple[tuple[str, ...], frozenset[str]]:
    """The speakers that a query names, by full or first name or its beginning ("Mel" for Melanie), and the words that name them.

    Case does not matter, except for names that are also common words ("Will") and for beginnings: those must be capitalised.
    """
    words = {word.partition("'")[0] for word in words_of(text)}
    capitalised = {match.casefold() for match in re.findall(r"\b[^\W\d_a-z][^\W_]*", text)}
    named: list[str] = []
    spent: set[str] = set()
    for speaker in speakers:
        parts = words_of(speaker)
        if not parts or is_role_name(speaker):
            continue
        hits = {part for part in parts if part in words and (part not in STOP_WORDS or part in capitalised)} if len(parts) == 1 else set()
        if len(parts) > 1 and parts[0] in words and (parts[0] not in STOP_WORDS or parts[0] in capitalised):
            hits = {part for part in parts if part in words}
        if not hits:
            hits = {
                word for word in capitalised if len(word) >= _SHORTEST_NICKNAME and parts[0].startswith(word) and word not in STOP_WORDS
            }
        if hits:
            named.append(speaker)
            spent |= hits
    return tuple(named), frozenset(spent)


def without_names(text: str, names: frozenset[str]) -> str:
    """The text without these words (a possessive 's goes with them); the text itself when nothing else would remain."""
    if not names:
        return text
    alternatives = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    stripped = re.sub(rf"(?<![^\W_])(?:{alternatives})(?:['’]s)?(?![^\W_])", " ", text, flags=re.IGNORECASE)
    stripped = re.sub(r"\s+([?!.,;:])", r"\1", " ".join(stripped.split()))
    return stripped if words_of(stripped) else text


def dense_excerpt(text: str, words: int) -> str:
    """At most about `words` words of a text for an embedder that reads no more: a third from its beginning, the rest from its end."""
    most = words * _CHARACTERS_A_WORD
    parts = text.split()
    if len(parts) <= words:
        return text if len(text) <= most else f"{text[: most // 3]} {text[-(most - most // 3) :]}"
    head = words // 3
    begin, end = " ".join(parts[:head]), " ".join(parts[-(words - head) :])
    return f"{begin[: most // 3]} {end[-(most - most // 3) :]}"
