"""Sentences of a chat message, and which of them state nothing."""

import re

_END = re.compile(r"(?<=[.!?…。！？])[\"'”’)]*\s+(?=[\"'“‘(]*\S)|\n+")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|vs|etc|e\.g|i\.e|approx|No|[ap]\.m|[A-Z])\.)$")
# Longer texts are read to here; what is pasted into a chat states little about its speaker.
MAX_TEXT = 12_000
# No sentence is longer; what has no end for so long is data.
MAX_SENTENCE = 2_000

_OPENING = re.compile(
    r"^(?:(?:oh|ah|aw+|wow|well|yeah|yep|yes|yup|nope|no|ok(?:ay)?|so|and|but|also|actually|honestly|anyway|haha+|lol|hey|hi|hello|um+|"
    r"hmm+|man|"
    r"gosh|cool|nice|great|awesome|sure|absolutely|definitely|totally|exactly|right|true|btw|by the way|for sure|of course|thanks|"
    r"thank you|"
    r"guess what|plus|anyways|indeed|you know)\b(?:\s+(?:there|so much|a lot|again))?(?:,?\s+(?P<name>[A-Z]\w+))?\s*[,!.:;–—-]+\s*|"
    r"(?:so|and|but|also)\s+(?=\w+\s+\w+))+",
    re.IGNORECASE,
)
_FILLER = re.compile(
    r"^(?:(?:hi|hey|hello|hiya|yo|howdy)\b.{0,40}|good (?:morning|afternoon|evening|night)\b.{0,30}|(?:good|great|nice|"
    r"lovely) to (?:see|hear|meet)\b.{0,40}|"
    r"(?:many )?thanks?\b.{0,60}|thank you\b.{0,60}|thx\b.{0,30}|you['’]?re welcome\b.{0,30}|no (?:problem|worries)\b.{0,20}|"
    r"my pleasure\b.{0,20}|"
    r"congrat\w*\b.{0,50}|good (?:luck|idea|point|question|job|for you)\b.{0,30}|well done\b.{0,30}|(?:that|this|it)(?:['’]?s| is| was|"
    r" sounds?| looks?| must(?: have)? (?:be|been)| would be|['’]ll be)\s+"
    r"(?:\w+\s+){0,2}\w+|sounds?\b.{0,40}|(?:he|she|they)(?:['’]?(?:s|re)| is| are| was| were| looks?| sounds?| seems?)\s+"
    r"(?:(?:so|such an?|really|very|absolutely|just|a real)\s+\w+(?:\s+(?:and\s+)?\w+){0,2}|adorable|cute|awesome|amazing|great|lovely|"
    r"beautiful|gorgeous)|(?:so |how |what (?:a |an )?|very |really |super |pretty )?"
    r"(?:cool|nice|great|awesome|amazing|wonderful|lovely|sweet|cute|fun|exciting|inspiring|beautiful|funny|sad|true|right|exactly|"
    r"absolutely|definitely|"
    r"totally|sure|ok(?:ay)?|yes|yeah|yep|no|nope|wow|haha+|lol|omg|aww*|oh|hmm+|perfect|fantastic|incredible|gorgeous|agreed|same|"
    r"indeed|interesting|please)\b.{0,25}|"
    r"(?:bye|goodbye|see (?:you|ya)|talk (?:soon|later|to you)|take care|catch you|cheers|have a (?:good|great|nice|lovely))\b.{0,50}|"
    r"(?:let me know|keep me posted|tell me|hope (?:you|that|it)|i hope you|can['’]?t wait to (?:hear|see (?:it|you|them))|"
    r"happy (?:birthday|new year|to help))\b.{0,60}|"
    r"i (?:see|know|agree|understand|think so|guess(?: so)?|hear you|bet|totally (?:agree|understand|get it)|(?:completely |"
    r"really )?appreciate .{0,40})|"
    r"(?:i['’]?m|i am) (?:so |really |very |super )?(?:glad|happy|sorry|proud|excited|jealous|good|fine|great|well|doing (?:well|good|"
    r"great|fine|okay))(?:,\s*\w+)?(?: for you| of you| to hear\b.{0,40}| you\b.{0,50}| too| as well)?|"
    r"glad\b.{0,50}|(?:i['’]?m|i am) (?:all ears|in|with you)|i wouldn['’]t\b.{0,60}\bif i were you|me (?:too|neither)|told you(?: so)?|"
    r"i have (?:\w+ )?news|i(?:['’]d| would) (?:like|love) (?:that|it|to)|same here|got it\b.{0,20}|you (?:too|bet|got (?:it|"
    r"this)|rock))\s*[.!…]*$",
    re.IGNORECASE,
)
_DIGIT = re.compile(r"\d")
_QUESTION_OPENING = re.compile(
    r"^(?:what|who|whom|whose|when|where|why|how|which|do|does|did|are|is|was|were|have|has|had|can|could|would|will|should|any|ever|"
    r"got)\b",
    re.IGNORECASE,
)


def _pieces(text: str) -> list[str]:
    return [piece.strip() for piece in _END.split(text[:MAX_TEXT])]


def sentences_of(text: str) -> list[str]:
    """The sentences of a text, trimmed. A full stop after an abbreviation ends none."""
    found: list[str] = []
    for piece in _pieces(text):
        if not piece or len(piece) > MAX_SENTENCE:
            continue
        if found and len(found[-1]) < MAX_SENTENCE and _ABBREVIATION.search(found[-1], max(0, len(found[-1]) - 12)):
            found[-1] = f"{found[-1]} {piece}"
        else:
            found.append(piece)
    return found


def read_sentences(text: str, most: int) -> list[str]:
    """The first `most` different sentences of a text: those that are read."""
    return list(dict.fromkeys(sentences_of(text)))[:most]


def unread(text: str, most_sentences: int) -> str:
    """What of a text is read where that is not all of it, in words; else empty. `most_sentences`: how many different ones are read."""
    found = len(set(sentences_of(text)))
    parts = [f"the first {most_sentences} of {found} sentences"] if found > most_sentences else []
    if len(text) > MAX_TEXT:
        parts.append(f"the first {MAX_TEXT:,} of {len(text):,} characters")
    if any(len(piece) > MAX_SENTENCE for piece in _pieces(text)):
        parts.append(f"no sentence of more than {MAX_SENTENCE:,} characters")
    return " and ".join(parts)


def is_question(sentence: str) -> bool:
    """Whether a sentence asks."""
    return sentence.rstrip("\"'”’) !").endswith(("?", "？"))


def without_opening(sentence: str) -> str:
    """The sentence without what only links or greets at its start ("Yeah, well, Ana, …"), capitalised."""
    match = _OPENING.match(sentence)
    rest = sentence[match.end() :] if match else sentence
    return rest[:1].upper() + rest[1:]


def is_filler(sentence: str) -> bool:
    """Whether a sentence greets, thanks, praises or agrees and states nothing."""
    if _DIGIT.search(sentence):
        return False  # "It's on 9 September" praises nothing
    return not any(c.isalnum() for c in sentence) or _FILLER.match(sentence) is not None


def is_yes_or_no(sentence: str) -> bool | None:
    """True for yes, False for no, None for anything else; for answers."""
    word = re.match(r"\W*(\w+)", sentence)
    if not word:
        return None
    match word[1].casefold():
        case "yes" | "yeah" | "yep" | "yup" | "sure" | "definitely" | "absolutely" | "totally":
            return True
        case "no" | "nope" | "nah" | "never":
            return False
        case _:
            return None


def asks_something(question: str) -> bool:
    """Whether a question wants a fact, unlike "How are you?" or "Really?"."""
    return len(question.split()) > 2 and not re.match(
        r"(?i)\W*(?:hey|hi|hello)?\W*(?:how(?:['’]?s| is| are| have) (?:you|it|things|everything|life)\b|what['’]?s (?:up|new|"
        r"going on)\b|isn['’]?t (?:it|that)\b|(?:would|do) you (?:like|want)\b.{0,20}\b(?:me|more|specify|to (?:discuss|explore|see|"
        r"know))\b|(?:shall|can|should|may) i\b|is there anything\b|you (?:know|too|okay)\b|right\b)",
        question,
    )
