"""What kind of fact a sentence states: plans, preferences, habits, changes. The predicate makes facts of a kind findable; "
"most have none."""

# Lists of words read better as text than as lists of literals.

import re

_WEEKDAYS = "mondays tuesdays wednesdays thursdays fridays saturdays sundays weekends weekdays"
_OFTEN = (
    r"\b(?:every|each)\s+(?:single\s+|other\s+)?(?:day|morning|afternoon|evening|night|week|weekend|month|year|summer|winter|spring|autumn|"
    r"fall|christmas|mon|tues|wednes|thurs|fri|satur|sun)|\bmost\s+(?:days|mornings|evenings|nights|weekends|weeks)|"
    r"\b(?:usually|always|often|regularly|typically|normally|rarely|hardly ever|whenever|never|daily|weekly)\b|"
    r"\b(?:once|twice|\w+ times|\w+ \w+ of \w+|\w+ \w+)\s+an?\s+(?:day|week|month|year)\b|"
    rf"\bon\s+(?:{_WEEKDAYS.replace(' ', '|')})\b|\ba\s+lot\s+of\b.*\bnow\b"
)
# A verb in the present: with "every day" it tells a habit.
_PRESENT = r"(?:n['’]t\s+\w+|\b(?:[a-z]{2,}(?<!s)s|eat|drink|go|run|visit|have|take|do|meet|play|call|spend|feed|bake|cook|work))\b"
_OVER = r"\b(?:was|were|had|did|used to|will|went|ever since)\b"
_GOING = r"(?<!started )(?<!stopped )(?<!been )going"
_INTENT = (
    r"plan(?:s|ning)?|hop(?:e|es|ing)|intend(?:s|ing)?|wants?|(?:would|['’]d) (?:love|like)|decided|decides|needs?|"
    rf"has(?=\s+to\s+(?:be|go|finish|hand|renew|submit))|{_GOING}|'?s about|arrang(?:ed|ing)|aim(?:s|ing)?|might|may"
)
_INTENT_WORDS = (
    "plan plans planning hope hopes hoping intend intends intending want wants would d decided decides need needs has going about arranged "
    "arranging aim aims aiming might may"
)
_OWN = r"(?:the |an? |\S+['’]s |my |our |his |her )?(?:old )?"
# Tried in order: the kind, words of which such a text has one, and the pattern; its group `object` is what the predicate is about.
_KINDS = tuple(
    (name, frozenset(cues.split()), re.compile(pattern, re.IGNORECASE))
    for name, cues, pattern in (
        ("plans", _INTENT_WORDS, rf"(?:\b|(?=['’]))(?:{_INTENT}) to\s+(?P<object>(?:quit|stop|give\s+up|leave|start|move|"
                                 rf"switch|change|become).*)"),
        ("stopped", "t", r"n['’]t\s+\w+\s+(?P<object>.+?)\s+(?:any\s?more|any longer)\b"),
        ("stopped", "longer quit stopped gave given dropped canceled cancelled deleted never",
            r"\b(?:no longer|quit|stopped|gave up|given up|dropped out of|cancell?ed|deleted|never \w+ing)\s+(?P<object>.+)"),
        ("stopped", "left lost",
            rf"\b(?:left|lost)\s+(?P<object>{_OWN}(?:job|company|school|army|band|team|position|firm|university|church)\b.*)"),
        ("became", "retired broke split got went",
            r"(?:\b(?:is|are|has|was) (?:now )?|['’]s (?:now )?|\b)"
            r"(?P<object>retired|broke up|split up|got (?:divorced|married|engaged|fired|hired)|went (?:vegan|vegetarian|"
            r"freelance|part-time|sober))\b"),
        ("moved_to", "moved relocated moving", r"\b(?:moved|relocated|moving)\s+(?:house\s+)?(?:back\s+|over\s+|out\s+|"
                                               r"in)?to\s+(?P<object>.+)"),
        ("moved_from", "moved moving", r"\b(?:moved|moving)\s+(?:here\s+)?from\s+(?P<object>.+)"),
        ("changed", "switched changed converted upgraded", r"\b(?:switched|changed|converted|"
                                                           r"upgraded)\s+(?:\w+\s+){0,3}?to\s+(?P<object>.+)"),
        ("became", "became become promoted turned", r"\b(?:became|become|(?:got |was |been )promoted to|turned into)\s+(?P<object>.+)"),
        ("dislikes", "hate hates dislike dislikes stand like enjoy care fan",
            r"\b(?:hates?|dislikes?|can['’]?t stand|(?:do|does)(?:n['’]t| not) (?:really )?(?:like|enjoy|care for)|"
            r"(?:is not|isn['’]t) a fan of)\s+(?P<object>.+)"),
        ("allergic_to", "allergic", r"\ballergic to\s+(?P<object>.+)"),
        ("prefers", "prefer prefers rather", r"\b(?:prefers?|would rather)\s+(?P<object>.+)"),
        ("favourite", "favourite favorite", r"\bfavou?rite\s+(?P<object>.+)"),
        ("plans", "would d", r"(?:\bwould|['’]d) (?:love|like) to\s+(?P<object>.+)"),
        ("likes", "love loves like likes enjoy enjoys adore adores fan into fond obsessed passionate",
            r"\b(?:loves?|likes|(?:really|also|still|and|we|they) like|enjoys?|adores?|"
            r"is (?:a (?:big |huge )?fan of|into|fond of|obsessed with|passionate about))\s+(?P<object>.+)"),
        ("started", "started began took joined enrolled", r"\b(?:started|began|took up|joined|enrolled in)\s+(?P<object>.+)"),
        ("habit", "every each most usually always often regularly typically normally rarely hardly whenever never daily weekly a an lot "
            + _WEEKDAYS, rf"^(?=.*(?:{_OFTEN}))(?!.*{_OVER})(?=.*{_PRESENT})(?P<object>.+)"),
        ("plans", _INTENT_WORDS, rf"(?:\b|(?=['’]))(?:{_INTENT}) to\s+(?P<object>.+)"),
        ("plans", "thinking considering looking gonna signed planning booked might bought saving",
            r"\b(?:is thinking (?:of|about)|is considering|is looking forward to|is gonna|signed up for|is planning|(?:has |have )?booked|"
            r"might(?=\s+(?:get|go|buy|move|try|take))|(?:has |have )?bought tickets (?:for|to)|is saving up for)\s+(?P<object>.+)"),
        ("plans", "will ll", r"(?<!\bthat )(?:\bwill|['’]ll)(?!\s+(?:be\s+(?:fine|ok|okay|great|back)|see|try|let|"
                             r"never)\b)\s+(?P<object>.+)"),
        ("bought", "bought purchased ordered", r"\b(?:bought|purchased|ordered)\s+(?P<object>.+)"),
    )
)  # fmt: skip
# The present that is meant for a time to come: "is meeting Oscar on Sunday", "starts school in September", "has an exam tomorrow".
_ARRANGED = re.compile(
    r"(?:(?:\b(?:is|are|am)|['’](?:s|re|m))\s+(?:also\s+|then\s+|all\s+)?(?P<doing>(?!expecting\b)\w+ing\b.*)|"
    r"\b(?P<event>(?:starts?|flies|fly|leaves?|arrives?|returns?|begins?|celebrates?|moves?|gets?\s+married|(?:appointment|meeting|exam|"
    r"interview|flight|wedding|party)\s+is|ha(?:s|ve)\s+(?:got\s+)?an?|['’](?:s|ve)\s+got\s+an?)\b.*))",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(r"(?i)^(?:if|when|unless|whenever)\b|\b(?:thinks?|hopes|says|said)\b")
_OBJECT_END = re.compile(r"\s\(|[,.;:!?](?:\s|$)|\s+(?:because|since|but|so that|although|though|while|when)\b")
# What is left of "on Friday" when its time is cut off.
_LOOSE_END = re.compile(r"\s+(?:on|in|at|for|by|to|from|until|till|since|over|during|around|about|the|,)$")
_WORD = re.compile(r"[a-z]+")
_LONGEST_OBJECT = 60


def predicate_of(text: str, time_words: str = "", ahead: bool = False) -> tuple[str, str]:
    """The kind of a rewritten statement and what it is about, without the words for its time; empty when it is of none.

    `ahead`: the time that it names is still to come.
    """
    words = frozenset(_WORD.findall(text.lower()))
    for name, cues, pattern in _KINDS:
        match = None if cues.isdisjoint(words) else pattern.search(text)
        if match and not (name == "plans" and _SUPPOSED.search(text[: match.start()])):
            return name, object_of(match["object"], time_words)
    arranged = _ARRANGED.search(text) if ahead else None
    if arranged:
        return "plans", object_of(arranged["doing"] or arranged["event"], time_words)
    return "", ""


def object_of(words: str, time_words: str) -> str:
    """The head of what a predicate is about: to the end of its clause, without the words for a time."""
    target = _OBJECT_END.split(words, maxsplit=1)[0]
    if time_words:
        target = target.partition(time_words)[0]
    target = _LOOSE_END.sub("", target.strip(" \"'“”."))
    if target.count('"') % 2:
        target = target.replace('"', "")
    return target if len(target) <= _LONGEST_OBJECT else target[:_LONGEST_OBJECT].rsplit(" ", 1)[0]
