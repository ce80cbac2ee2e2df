"""What a sentence says of the time of its dates, by its verbs: that it is over, that it is to come, or nothing."""

# ruff: noqa: SIM905
# Lists of words read better as text than as lists of literals.

import re
from enum import IntEnum

_FUTURE = re.compile(
    r"\b(?:will|won['’]t|shall|gonna|going\s+to|(?:wants?|needs?|have|has|hopes?|like)\s+to|hop(?:e|ing)|plan(?:s|ning)?|let['’]?s|see\s+you|"
    r"can(?:['’]?t|not)|thinking\s+(?:of|about)|starts?|begins?|opens?|leaves?|looking\s+forward|upcoming|coming\s+up|scheduled|should|might|tomorrow|next|until|till|by)\b"
    r"|['’]ll\b|(?:\b(?:am|are|is)|['’](?:m|re|s))\s+(?:not\s+|also\s+|just\s+)?\w+ing\b",
    re.IGNORECASE,
)
_PAST = re.compile(
    r"\b(?:was|were|did|didn['’]t|had|went|been|got|took|made|met|saw|bought|came|left|began|gave|ran|said|told|found|spent|lost|won|wrote|felt|"
    r"thought|brought|taught|ate|drove|flew|held|kept|built|caught|chose|sold|since|ago|last|[a-z]{2,}ed)\b",
    re.IGNORECASE,
)
# What makes a participle of the form after it: "have booked" and "is booked" say nothing of the time of what was booked.
_AUXILIARY = re.compile(
    r"(?:\b(?:have|has|having|am|is|are|be|being|been|get|gets|getting)(?:n['’]t)?|['’](?:ve|m|re|s))\s+"
    r"(?:(?:just|already|also|now|not|never|ever|finally|all|both|\w+ly)\s+)*$",
    re.IGNORECASE,
)
# What is done about a time to come: "booked a table for Friday".
_ARRANGED = re.compile(
    r"(?:signed|booked|reserved|scheduled|planned|arranged|registered|enrolled|invited|postponed|rescheduled|"
    r"(?:moved|pushed|shifted)(?=\b.*\b(?:appointment|meeting|party|wedding|deadline|date|flight|call|trip)))\b"
    r"|(?:bought|got)\b(?=.*\btickets?\b)",
    re.IGNORECASE,
)
_FOR = re.compile(r"\b(?:for|to)\s+(?:the\s+)?$", re.IGNORECASE)
# The present with a date is a plan: "I fly on 28 March", "the course ends in June", "we have an exam on Friday". These verbs are plans
# beside others, too ("I booked a hotel and fly on 28 March"); where nothing else tells a tense, every verb of doing is one (`_is_planned`).
_PRESENT = re.compile(
    r"\b(?:I|we|you|they|and)\s+(?:(?:also|then|only|probably|finally)\s+)?(?:arrive|celebrate|close|come|depart|drive|end|finish|fly|get|go|"
    r"graduate|have\s+(?:an?|the|my|our)|host|land|marry|meet|move|perform|play|retire|return|run|stay|swim|take|travel|turn|visit)\b"
    r"|\b(?:arrives|comes|departs|drives|ends|falls\s+on|finishes|flies|gets|goes|graduates|happens|lands|marries|moves|retires|returns|"
    r"stays|takes\s+place|travels|turns)\b",
    re.IGNORECASE,
)
_IS_ON = re.compile(
    r"(?:\b(?:is|are)|['’](?:s|re))\s+(?:(?:due|set|only|already|probably|now|not|until)\s+)?(?:(?:on|in|for|at|around|from|the)\s+)*$",
    re.IGNORECASE,
)
# What stands between an auxiliary or a preposition and what it belongs to is no longer than this.
_LOOK_BACK = 80
_SENTENCE_BREAK = re.compile(r"[.!?\n](?=\s|$)|\n")

# Verbs of being, knowing, feeling and telling: in the present they speak of any time ("this photo shows us in June"). They are the stative
# verbs of English grammars (R. Quirk et al., A Comprehensive Grammar of the English Language, 1985, 4.28 to 4.31) and verbs of telling.
_STATIVE = """be have do own owe possess belong contain consist include involve depend deserve matter fit suit lack resemble equal
    mean know think believe understand remember recall forget recognize recognise realize realise suppose guess imagine
    doubt wonder mind notice agree disagree expect bet figure reckon feel see hear smell taste sound look seem appear like
    love hate prefer want need wish hope care fear miss adore enjoy admire envy regret appreciate value trust say tell
    mention write read show call describe explain remind swear admit live work exist remain keep thank apologize
    congratulate sit stand lie""".split()
_THIRD = {
    **{verb: f"{verb}s" for verb in _STATIVE},
    **{verb: f"{verb}es" for verb in ("wish", "miss", "guess", "possess")},
    "envy": "envies",
}
_AUXILIARIES = """am is are isn aren was were has does don doesn can could may might must would should shall will ought used let""".split()
# Past forms that no ending shows, and forms that are of the past as well.
_IRREGULAR = """became broke burnt drank drew dreamt fed fell fought forgot forgave froze grew heard held hid hung knew learnt led
    lent lit meant paid rang rode rose sang sat sent shook shot slept spoke stole stood stuck swam swept threw understood
    woke wore put cut hit set shut quit hurt cost split spread beat bet cast burst upset""".split()
# What may stand behind a subject and is no verb.
_NO_VERB = """and or but nor as at in on for with from to of by than not no too so if when while because that this these those the a
    an my our your his her its their who which all both each every some any more most about after before during into like
    over under until up down out off here there now then again together alone guys us me him them myself ourselves always
    never often usually sometimes rarely yes hi thanks perhaps maybe please well""".split()
_NOT_DONE = frozenset((*_STATIVE, *_THIRD.values(), *_AUXILIARIES, *_IRREGULAR, *_NO_VERB))
_ADVERBS = r"(?:(?:also|just|then|only|still|even|both|all|\w+ly)\s+)*"
_OWN = "my|our|your|his|her|their"
_BEHIND = (
    "us|me|him|her|them|you|the|an?|my|our|your|his|their|in|on|at|to|from|into|back|home|here|there|again|away|up|off|out|over|with|for|by"
)
# A verb behind its subject. Behind a noun it is known by its s and by what follows: "my sister Ruth visits us", "my parents visit us".
_DONE = re.compile(
    rf"""\b(?i:I|we|you|they)\s+{_ADVERBS}(?P<base>[a-z]+)\b(?!['’])
    | \b(?i:he|she|it|who|someone|somebody|everyone|everybody)\s+{_ADVERBS}(?P<third>[a-z]+s)\b(?!['’])
    | (?:^|[,;:]\s+|\b(?i:and|but|so|because|when|if|that)\s+|\b[A-Z0-9]\w*\s+(?=(?:{_OWN})\b))
      (?:(?i:{_OWN}|the|an?|this|that)\s+(?:[\w.-]+(?:['’]s)?\s+){{1,4}}?|(?:[A-Z][\w.-]*(?:['’]s)?\s+){{1,3}})
      {_ADVERBS}(?P<verb>[a-z]+[a-rt-z]s|[a-z]+sses)\s+(?:{_BEHIND})\b
    | \b(?i:{_OWN}|the)\s+(?:[\w.-]+\s+){{0,2}}?[a-z]+s\s+{_ADVERBS}(?P<plural>[a-z]+)\s+(?:us|me|him|them|you|back|home|here|to)\b
    | \b[A-Z]\w+\s+and\s+[A-Z]\w+\s+{_ADVERBS}(?P<two>[a-z]+)\b""",
    re.VERBOSE,
)
# What is done again and again is no plan.
_HABIT = re.compile(
    r"\b(?:every|each|always|usually|often|sometimes|never|normally|mostly|generally|rarely|annual(?:ly)?|yearly)\b", re.IGNORECASE
)


class Tense(IntEnum):
    """What a sentence says of the time of its dates: nothing, in the perfect ("I've booked the flight on 28 April") no more."""

    NONE = 0
    PAST = 1
    PERFECT = 2
    FUTURE = 3


def tense_at(text: str, at: int) -> Tense:
    """What the sentence of `text` around the character `at` says of a date there: the nearest cue before it decides, without one the first
    after it, and without any whether it plans.
    """
    low = max((m.end() for m in _SENTENCE_BREAK.finditer(text, 0, at)), default=0)
    high_match = _SENTENCE_BREAK.search(text, at)
    sentence, offset = text[low : high_match.start() if high_match else len(text)], at - low
    if _IS_ON.search(sentence, max(0, offset - _LOOK_BACK), offset):
        return Tense.FUTURE
    ahead = [m for pattern in (_FUTURE, _PRESENT) for m in pattern.finditer(sentence)]
    over = list(_PAST.finditer(sentence))
    begins = [m.start() for m in (*ahead, *over)]
    if not begins:
        return Tense.FUTURE if _is_planned(sentence, offset) else Tense.NONE
    nearest = max((begin for begin in begins if begin <= offset), default=None)
    begin = min(begins) if nearest is None else nearest
    tenses = [Tense.FUTURE for m in ahead if m.start() == begin]
    tenses += [_past_tense(sentence, m, offset) for m in over if m.start() == begin]
    return min(tenses) if nearest is None else max(tenses)


def _is_planned(sentence: str, offset: int) -> bool:
    """Whether somebody does something in the present, which a date makes a plan; of a long text only what is near the date is read."""
    near = sentence[max(0, offset - 2 * _LOOK_BACK) : offset + _LOOK_BACK]
    verbs = (m[m.lastgroup] for m in _DONE.finditer(near) if m.lastgroup)
    return any(verb.casefold() not in _NOT_DONE for verb in verbs) and not _HABIT.search(near)


def _past_tense(sentence: str, verb: re.Match[str], offset: int) -> Tense:
    """What a past form says of a date at an offset in its sentence."""
    arranged = _ARRANGED.match(sentence, verb.start(), max(offset, verb.start()))
    if arranged and _FOR.search(sentence, max(0, offset - _LOOK_BACK), offset):
        return Tense.FUTURE
    begin = max(0, verb.start() - _LOOK_BACK)
    return Tense.PERFECT if arranged or _AUXILIARY.search(sentence, begin, verb.start()) else Tense.PAST
