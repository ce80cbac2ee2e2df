"""What a sentence tells of somebody that stands for longer than a talk: names, relations, places, work, preferences, plans."""

import re
from enum import IntEnum


class Aspect(IntEnum):
    """What of a person a sentence is about, in the order in which a profile tells it."""

    NAME = 1
    RELATION = 2
    PLACE = 3
    WORK = 4
    PREFERENCE = 5
    PLAN = 6


_KIN = (
    "mother|father|mom|mum|dad|parents?|sisters?|brothers?|sons?|daughters?|wife|husband|partner|fianc[ée]e?|girlfriend|boyfriend|spouse|"
    "kids?|children|child|cousins?|aunt|uncle|niece|nephew|grand(?:ma|pa|mother|father|son|daughter)|twins?|dogs?|cats?|puppy|kitten|"
    "boss|colleagues?|co-?workers?|neighbou?rs?|(?:best |old )?friends?|room-?mates?|mentor|mentee|landlord|manager"
)
# The verb must be that of a statement about now or of a change that lasts. Found out on LoCoMo's chats and on texts written for the tests.
_RULES: tuple[tuple[Aspect, re.Pattern[str]], ...] = tuple(
    (aspect, re.compile(pattern, re.IGNORECASE))
    for aspect, pattern in (
        (Aspect.NAME, r"\b(?:is called|goes by|(?:is|'s) named|(?:nick)?name is|pronouns are|is \d{1,2} years old|was born (?:in|on))\b"),
        (
            Aspect.RELATION,
            rf"\b(?:has|have|got|adopted|married|is|are|'s) (?:\w+ ){{0,3}}(?:{_KIN})\b|\b(?:married to|engaged to|divorced)\b",
        ),
        (
            Aspect.PLACE,
            r"\b(?:lives?|living|resides?|moved|relocated|moving|based|grew up|comes?|originally) (?:\w+ )?(?:in|to|from|at|near)\b",
        ),
        (
            Aspect.WORK,
            r"\b(?:works?|working|worked) (?:\w+ )?(?:as|at|for|in)\b|\b(?:new|current|full-time|part-time) job\b|\bpromoted\b"
            r"|\b(?:self-employed|studies|studying|majors?|graduated|enrolled|teaches|runs a|founded|co-founded|owns a|retired)\b"
            r"|\bis an? (?:\w+ ){0,2}(?:engineer|teacher|nurse|doctor|developer|designer|student|manager|lawyer|artist|writer|chef|"
            r"consultant|accountant|researcher|scientist|analyst|founder|owner|driver|farmer|musician|photographer|counsel+or|therapist|architect)\b",
        ),
        (
            Aspect.PREFERENCE,
            r"\b(?:loves|likes|enjoys|hates|dislikes|prefers?|adores|can't stand|favou?rite|allergic|vegetarian|vegan|fan of)\b"
            r"|\b(?:always|never) (?:wants?|eats?|drinks?|uses?|reads?|takes?)\b",
        ),
        (
            Aspect.PLAN,
            r"\b(?:plans?|planning|intends?|hopes?|hoping|aims?|wants|decided|going|looking forward|signed up|booked|would love)"
            r" (?:to|on|for)\b|\bgoal is\b",
        ),
    )
)
# "Do you like …?" asks; what somebody else is said to have asked is no answer either. "would like to know" and thanks tell of the talk.
_OF_THE_TALK = re.compile(
    r"\?\W*$|\b(?:(?:loves?|likes?) (?:that|this|it|how)\b|like (?:to (?:know|see|hear|ask))|wants? to (?:know|ask|say)|good luck|thanks?|"
    r"sounds?|looks? like|feels? like)\b",
    re.IGNORECASE,
)
_LONGEST = 300


def aspect_of(text: str) -> Aspect | None:
    """The aspect of a person that a sentence tells; None for one that tells what happened, asks, or is about the talk itself."""
    if len(text) > _LONGEST or _OF_THE_TALK.search(text):
        return None
    return next((aspect for aspect, pattern in _RULES if pattern.search(text)), None)
