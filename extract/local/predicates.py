"""What kind of fact a sentence states: plans, preferences, changes. The predicate makes facts of a kind findable; most have none."""

import re

# Tried in order; the group `object` is what the predicate is about.
_PREDICATES = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        ("stopped", r"n['’]t\s+\w+\s+(?P<object>.+?)\s+(?:any\s?more|any longer)\b"),
        ("stopped", r"\b(?:no longer|quit|stopped|gave up|given up|dropped out of|cancell?ed)\s+(?P<object>.+)"),
        ("moved_to", r"\b(?:moved|relocated|moving)\s+(?:back\s+|over\s+|out\s+)?to\s+(?P<object>.+)"),
        ("moved_from", r"\b(?:moved|moving)\s+(?:here\s+)?from\s+(?P<object>.+)"),
        ("changed", r"\b(?:switched|changed|converted|upgraded)\s+(?:\w+\s+){0,3}?to\s+(?P<object>.+)"),
        ("became", r"\b(?:became|become|got promoted to|was promoted to|turned into)\s+(?P<object>.+)"),
        ("dislikes", r"\b(?:hates?|dislikes?|can['’]?t stand|(?:do|does)(?:n['’]t| not) (?:really )?(?:like|enjoy|care for)|"
            r"is not a fan of)\s+(?P<object>.+)"),
        ("allergic_to", r"\ballergic to\s+(?P<object>.+)"),
        ("prefers", r"\b(?:prefers?|would rather)\s+(?P<object>.+)"),
        ("favourite", r"\bfavou?rite\s+(?P<object>.+)"),
        ("plans", r"\b(?:plan(?:s|ning)?|hop(?:e|es|ing)|intend(?:s|ing)?|want(?:s|ing)?|would (?:love|like)|decided|decides|"
            r"(?<!started )(?<!stopped )(?<!been )going|"
            r"'?s about|arrang(?:ed|ing)|aim(?:s|ing)?) to\s+(?P<object>.+)"),
        ("plans", r"\b(?:is thinking (?:of|about)|is considering|is looking forward to|will|is gonna|signed up for|is planning|"
            r"has booked|booked)\s+(?P<object>.+)"),
        ("likes", r"\b(?:loves?|likes|"
            r"(?:really|also|still|and|we|they) like|enjoys?|adores?|is (?:a (?:big |huge )?fan of|into|fond of|obsessed with|"
            r"passionate about))\s+(?P<object>.+)"),
        ("started", r"\b(?:started|began|took up|signed up for|joined|enrolled in)\s+(?P<object>.+)"),
        ("bought", r"\b(?:bought|purchased|ordered)\s+(?P<object>.+)"),
    )
)  # fmt: skip
_OBJECT_END = re.compile(r"\s\(|[,.;:!?](?:\s|$)|\s+(?:because|since|but|so that|although|though|while|when)\b")
# What is left of "on Friday" when its time is cut off.
_LOOSE_END = re.compile(r"\s+(?:on|in|at|for|by|to|from|until|till|since|over|during|around|about|the|,)$")
_LONGEST_OBJECT = 60


def predicate_of(text: str, time_words: str = "") -> tuple[str, str]:
    """The predicate of a rewritten statement and what it is about, without the words for its time; empty when it has none."""
    for name, pattern in _PREDICATES:
        match = pattern.search(text)
        if match:
            target = _OBJECT_END.split(match["object"], maxsplit=1)[0]
            if time_words:
                target = target.partition(time_words)[0]
            target = _LOOSE_END.sub("", target.strip(" \"'“”."))
            if target.count('"') % 2:
                target = target.replace('"', "")
            return name, target if len(target) <= _LONGEST_OBJECT else target[:_LONGEST_OBJECT].rsplit(" ", 1)[0]
    return "", ""
