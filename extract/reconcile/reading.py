"""What a text tells of, as far as its words show it: of whom and what, with which values, and what it says of time and change.

Clauses that are no plain assertion (wished, supposed, asked, hedged, joking, or what somebody else said) are left out: what they say may be
so or not, and nothing is changed by it.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag
from importlib.resources import files

from extract.reconcile.values import Values, values_of
from graph.text import terms_of


class Cue(IntFlag):
    """What the words of a text say of time and change.

    CHANGE: something is other than before ("now", "instead").   MOVED: it was made so ("postponed", "raised").
    END: it holds no more ("sold", "cancelled").
    CORRECTION: what was said was wrong ("I meant").   PLAN: it is meant to happen.   DONE: it happened.   AGAIN: it holds once more.
    ADDED: it comes beside what there is ("also").   NEGATED: it is said not to be so.   PAST: it was so.   SOFTER: less than before.
    """

    CHANGE = 1
    MOVED = 1024
    END = 2
    CORRECTION = 4
    PLAN = 8
    DONE = 16
    AGAIN = 32
    ADDED = 64
    NEGATED = 128
    PAST = 256
    SOFTER = 512


NO_CUE = Cue(0)
_LONGEST_PLAN = 16
_TELLS_OF_CHANGE = Cue.MOVED | Cue.CHANGE | Cue.CORRECTION | Cue.PLAN


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of which somebody mostly has one value at a time: its name, whose it is, and the stems of the value."""

    name: str
    owner: str
    value: frozenset[str]

    @property
    def slot(self) -> str:
        """The attribute and whose it is, as a key."""
        return f"{self.owner}|{self.name}"


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as it was understood.

    Attributes:
        people: whose things it tells of, folded: "sam", "sam's sister". Empty where that is nobody in particular, or not known.
        attributes: what it tells of people's lasting attributes.
        topics: stems of the words that say what it tells of, names included.
        values: the dates, times and numbers that it names.
        refused: stems of what is said not to be so ("not Tuesday", "from Ghent").
        over: stems of what is said to hold no more ("cancelled the gym", "no longer vegan").
        planned: stems of what is meant to happen, of short clauses that say so.
        cues: what its words say of time and change.
        is_partial: some of it is no plain assertion.     asks: it ends with a question.
        speaker: who said it, folded.     said_at: when.
    """

    people: frozenset[str]
    attributes: tuple[Attribute, ...]
    topics: frozenset[str]
    values: Values
    refused: frozenset[str]
    over: frozenset[str]
    planned: frozenset[str]
    cues: Cue
    is_partial: bool
    asks: bool
    speaker: str
    said_at: datetime

    @property
    def may_change(self) -> bool:
        """Whether it may replace what was said before, or be replaced: it names a value, an attribute, a plan, or a change."""
        return bool(self.values or self.attributes or self.over or self.refused or self.cues & _TELLS_OF_CHANGE)


def _alternatives(told: str) -> str:
    return "|".join(told.split("\n")).strip("|")


_PHRASES = tomllib.loads(files("extract.reconcile").joinpath("phrases.toml").read_text("utf-8"))


def _phrases(name: str) -> re.Pattern[str]:
    return re.compile(_alternatives(_PHRASES[name]), re.IGNORECASE)


def _words(told: str) -> re.Pattern[str]:
    return re.compile(rf"\b(?:{_alternatives(told)})\b", re.IGNORECASE)


def _any_of(name: str) -> str:
    return "|".join(_PHRASES["words"][name].split())


_MOOD, _REPORTED = _phrases("mood"), _phrases("reported")
_FILLER = _words(_PHRASES["filler"])
_MEANS_TO, _GOES_ON = _words(_PHRASES["means_to"]), _words(_PHRASES["goes_on"])
_CUES = tuple((Cue[name.upper()], _words(told)) for name, told in _PHRASES["cues"].items())
_QUOTED = re.compile(r'^(?P<who>[^":]{1,60}) said: "(?P<inner>.+?)"?(?:\s*\([^()]*\))?$', re.DOTALL)
# A date that the extractor added: "(week of 8 May 2023)".
_DATE_NOTE = re.compile(r"\s*\((?:week of |weekend of |date unknown|\d|[A-Z][a-z]+ \d)[^()]*\)")
# A noun phrase after what is said of it, without the small words before it: at most three words.
_WHAT = (
    r"(?:(?:the|my|our|his|her|their|a|an|that|this|on|at|in|for|to|until|with|from|of|old|any|all|\w+['’]s)\s+)*"
    r"(?P<{}>[\w:.€$£%'’-]+(?:\s+(?!(?:and|but|because|since|so|when|on|in|at|for|to|after|before|last|this|yesterday|today|now|anymore|as|from"
    r"|it|if|the|in|by|with|again)\b)[\w:'’-]+){{0,2}})"
)
_THING = r"(?:[\w'’-]+\s+){0,2}[\w'’-]+"
# What is said not to be so: "not Tuesday", "instead of Tuesday", "from Ghent to".
_REFUSED = re.compile(
    rf"\b(?:not|instead of|rather than)\s+(?!just\b|only\b|sure\b){_WHAT.format('not')}"
    r"|\bfrom\s+(?P<from>[^,.;]{1,40}?)\s+(?=(?:to|until|till)\b)",
    re.IGNORECASE,
)
# What is said to be over: "cancelled the gym", "stopped smoking", "the trip is off".
_OVER = re.compile(
    rf"\b(?:no longer|no more)\s+{_WHAT.format('more')}"
    rf"|(?<!n['’]t )(?<!not )(?<!never )\b(?:{_alternatives(_PHRASES['ends'])})\s+{_WHAT.format('ended')}"
    rf"|\b(?P<over>{_THING})\s+(?:is|are|was|were|has been|got|have been)\s+(?:off|over|dead|cancell?ed|called off|scrapped|closed|sold"
    r"|shut down|switched off|fell through)\b"
    rf"|\b(?P<fell>{_THING})\s+(?:fell through|has fallen through|shut (?:down|for good)|passed away|died)\b",
    re.IGNORECASE,
)
# What of that says nothing of what is so.
_NOT_SO = re.compile(
    r"\b(?:not|instead of|rather than)\s+(?:(?:on|at|in|the|a|an|for|to|until)\s+)*[\w:.€$£%'’-]+"
    r"|\bfrom\s+[^,.;]{1,40}?\s+(?=(?:to|until|till)\b)",
    re.IGNORECASE,
)
_CLAUSE = re.compile(
    r"\s*(?:;|—|–|:\s|\s-\s|[.!](?=\s|$)|(?<=\?)\s|,?\s+(?:but|so|because|although|though|while|whereas)\s+"
    r"|,\s+(?:and\s+)?(?=(?:I|we|my|our|the|it|he|she|they|i)\b)|,\s+(?=they say|he says|she says))"
)

_KIN = _any_of("kin")
_NAME = r"[A-ZÀ-ÖØ-Þ][\w’-]*[a-zß-ž0-9]"
_PEOPLE = re.compile(
    rf"(?P<kin>\b(?:(?i:my|our)|(?P<of>{_NAME})['’]s) (?:(?i:older|younger|little|big|eldest|youngest|best|late) )?(?i:{_KIN})\b)"
    r"|(?P<self>\b(?i:i|i['’](?:m|ve|ll|d)|my|mine|me|we|our|us|ours)\b)"
    rf"|(?P<name>(?:(?<=^)|(?<=[a-z,;:'’)0-9] )){_NAME}(?: {_NAME})?(?=['’]s\b|\s|[,.!?]|$))"
)
_NO_NAME = frozenset(_PHRASES["words"]["no_name"].split())
# A clause without a subject of its own tells of who says it: "Stopped the lessons", "gonna sell it".
_NO_SUBJECT = re.compile(
    r"^(?:just |finally |also |now )?(?:\w+ed|went|got|bought|sold|met|ran|made|took|came|gave|found|quit|left|gonna|going"
    r"|planning|thinking|hoping|started|signed|had|have|am|been|still)\b",
    re.IGNORECASE,
)

_DIETS = _any_of("diets")
# Where the value of an attribute ends.
_ENDS = (
    r"(?=\s+(?:because|since|but|so|and|when|while|with|after|before|until|last|this|next|in (?:19|20)\d\d|again|now|these"
    r"|for (?:a|the|two|three|over|years|good|work)|as of|any ?more|from (?:next|this|\w+day))\b|[,.;:!(]|$)"
)
# The value of an attribute that somebody has no more: of all ways to say so the same.
_NOBODY = frozenset({"-"})
_ATTRIBUTES = tuple(
    (name, re.compile(pattern, re.IGNORECASE))
    for name, pattern in (
        (
            "residence",
            rf"\b(?:lives?|living|lived|resides?|based|settled(?: down)?)\s+(?:now\s+|alone\s+)?(?:in|at|on|near)\s+(?P<value>.+?){_ENDS}",
        ),
        (
            "residence",
            r"\b(?:moved|relocated|moving)\s+(?:house\s+)?(?:(?:back|over|out|up|down)\s+)?(?:in\s+with|to|into)\s+"
            rf"(?P<value>(?!(?:the\s+)?(?:{_any_of('times')}|\d|q[1-4]\b|the (?:other|front|top|bottom|ground|next)))\S.*?){_ENDS}",
        ),
        ("employer", rf"\b(?:works?|working|worked)\s+(?:full[- ]time\s+)?(?:at|for)\s+(?P<value>.+?){_ENDS}"),
        (
            "employer",
            r"\b(?:starts?|started|starting|began|got|accepted|landed)\s+(?:working|(?:a|the|my|\w+['’]s)\s+(?:new\s+)?"
            rf"(?:job|position|role))\s+(?:at|with|as)\s+(?P<value>.+?){_ENDS}",
        ),
        (
            "employer",
            r"\b(?P<none>(?:quit|lost) (?:my|\w+['’]s) job|(?:got|was|been) (?:laid off|fired|let go|made redundant)|resigned|unemployed"
            r"|between jobs)\b",
        ),
        ("partner", rf"\b(?:dating|seeing|engaged to|married to|married|going out with)\s+(?P<value>(?-i:[A-Z]).+?){_ENDS}"),
        ("partner", r"\b(?P<none>broke up|broken up|split up|divorced|separated|single)\b"),
        (
            "diet",
            r"\b(?:is|['’]s|['’]m|am|went|gone|turned|became|become|been|going)\s+(?:(?:a|now|fully|strictly)\s+)*"
            rf"(?P<value>{_DIETS})\b",
        ),
    )
)
# One of them is in every text that tells of an attribute.
_ATTRIBUTE_WORDS = re.compile(
    r"\b(?:liv|resid|based|settled|mov|relocat|work|start|began|got|accept|land|quit|laid|fired|redundant|lost|resign|unemployed|jobs"
    rf"|dating|seeing|engaged|marri|going|broke|split|divorc|separat|single|{_DIETS})",
    re.IGNORECASE,
)
_GENERAL = frozenset(term for word in _PHRASES["words"]["general"].split() for term in terms_of(word))


def read(text: str, speaker: str, said_at: datetime) -> Reading | None:
    """What a text of this speaker tells; None where it asserts nothing."""
    quoted = _QUOTED.match(text)
    bare = _DATE_NOTE.sub("", quoted["inner"] if quoted else text)
    said = [clause for clause in _clauses(bare) if not _FILLER.match(clause)]
    clauses = [clause for clause in said if not (_MOOD.search(clause) or _REPORTED.search(clause))]
    if not clauses:
        return None
    told = ". ".join(clauses)
    refused = [match["not"] or match["from"] for match in _REFUSED.finditer(told) if match["not"] or match["from"]]
    over = [part for match in _OVER.finditer(told) for part in match.groups() if part]
    kept = _NOT_SO.sub(" ", told)
    people = frozenset(person for clause in clauses for person in _people(clause, speaker))
    return Reading(
        people=people,
        attributes=tuple(_attributes(clauses, speaker)) if _ATTRIBUTE_WORDS.search(told) else (),
        topics=frozenset(term for term in terms_of(kept) if not term.isdigit()) - _GENERAL - frozenset(terms_of(speaker)),
        values=values_of(kept),
        refused=frozenset(term for part in refused for term in terms_of(part)),
        over=frozenset(term for part in over for term in terms_of(part)) - _GENERAL,
        planned=frozenset(term for clause in clauses if _is_plan(clause) for term in terms_of(clause)) - _GENERAL,
        cues=_cues(told),
        is_partial=len(clauses) < len(said),
        asks=text.rstrip().endswith("?"),
        speaker=speaker.casefold(),
        said_at=said_at,
    )


def _clauses(text: str) -> list[str]:
    return [part for raw in _CLAUSE.split(text) if (part := raw.strip(" ,.;!—–-"))]


def _cues(text: str) -> Cue:
    found = NO_CUE
    for cue, pattern in _CUES:
        if pattern.search(text):
            found |= cue
    return found & ~Cue.DONE if found & Cue.PLAN and not found & Cue.END else found


def _is_plan(clause: str) -> bool:
    """Whether somebody means to do one thing: what is told at length is a wish, or a way of life."""
    return len(clause.split()) <= _LONGEST_PLAN and bool(_MEANS_TO.search(clause)) and not _GOES_ON.search(clause)


def _people(clause: str, speaker: str) -> Iterator[str]:
    """Who is named in a clause, and who says it where it speaks of themselves."""
    for match in _PEOPLE.finditer(clause):
        if match["kin"]:
            yield f"{match['of'] or speaker}'s {match['kin'].split()[-1]}".casefold()
        elif match["self"]:
            yield speaker.casefold()
        elif match["name"].split()[0].casefold() not in _NO_NAME:
            yield match["name"].casefold()
    if _NO_SUBJECT.match(clause):
        yield speaker.casefold()


def _attributes(clauses: list[str], speaker: str) -> Iterator[Attribute]:
    for clause in clauses:
        for name, pattern in _ATTRIBUTES:
            if match := pattern.search(clause):
                owner = next(
                    _people(clause[: match.start()] or "I", speaker), "" if clause[: match.start()].strip() else speaker.casefold()
                )
                value = frozenset(terms_of(match["value"])) if "value" in pattern.groupindex else _NOBODY
                if owner and value:
                    yield Attribute(name, owner, value)
                break
