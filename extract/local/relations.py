"""Relations of kinship and role that a sentence states: "my sister Ana", "Ana is my boss", "I work for Acme"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from extract.local.given_names import is_given_name
from extract.local.kinship import ADJECTIVE, ANIMALS, PEOPLE, PERSONS, TITLES, is_only_one, predicate_of_kin
from extract.local.names import without_opening_word
from extract.port import EntityMention
from graph.model import EntityKind

_KIN = rf"(?P<adjective>{ADJECTIVE})(?:(?P<kin>{PERSONS})|(?P<pet>{ANIMALS}))"
_N = rf"(?:(?:{TITLES})\s+)?[A-ZÀ-ÖØ-Þ][\w-]+(?:\s+[A-ZÀ-ÖØ-Þ][\w-]+)?"
_ORG = r"(?:the\s+)?(?P<name>[A-ZÀ-ÖØ-Þ][\w&-]*(?:\.\w+)*(?:\s+(?:of\s+|and\s+)?[A-ZÀ-ÖØ-Þ][\w&-]*)*)"

_CALLED = r"(?:(?:\s+(?:is\s+|was\s+)?|['’]s\s+)(?:called|named)|['’]s name is|,)?"
_MY_KIN_NAME = re.compile(rf"\b(?P<owner>[Mm]y|[Oo]ur)\s+{_KIN}{_CALLED}\s+(?P<name>{_N})\b")
_KIN_IS_NAME = re.compile(rf"\b(?P<owner>[Mm]y)\s+{_KIN}(?:['’]s name)?\s+is\s+(?P<name>{_N})\b(?=\s*(?:[.,!;]|and\b|$))")
_NAME_IS_MY_KIN = re.compile(
    rf"\b(?P<name>{_N})(?:\s+(?:is|was|has been|became)|['’]s|(?P<comma>,))\s+(?P<owner>my|our)\s+{_KIN}\b(?(comma)(?=\s*(?:[,.!;]|$)))"
)
_HAVE_KIN = re.compile(
    rf"\b(?P<owner>I)(?:\s+(?:also\s+)?(?:have|had|got|adopted|just adopted|just got)|['’]ve got)\s+(?:an?|one|"
    rf"another)\s+(?:\w+\s+)?{_KIN},?\s+(?:called|named|whose name is)\s+(?P<name>{_N})\b"
)
_NAMES_KIN_NAME = re.compile(rf"\b(?P<owner>{_N})['’]s\s+{_KIN}{_CALLED}\s+(?P<name>{_N})\b")
# Who does it: the speaker, a name, or someone's kin ("My parents live in Galway").
_WHO = rf"(?P<owner>I|{_N}|(?:[Mm]y|[Oo]ur)\s+{ADJECTIVE}(?:{PEOPLE}|{PERSONS}))"
_DOES = r"(?:['’]m|['’]ve(?:\s+been)?|\s+am|\s+is|\s+are|\s+has(?:\s+been)?|\s+have(?:\s+been)?)?\s+(?:(?:now|currently|still|also)\s+)?"
_WORKS = re.compile(rf"\b{_WHO}{_DOES}(?P<verb>work(?:s|ed|ing)?)\s+(?:for|at)\s+{_ORG}")
_JOINED = re.compile(rf"\b{_WHO}{_DOES}(?P<verb>joined)\s+(?P<name>[A-Z][\w&-]+(?:\s+[A-Z][\w&-]+)*)")
_STUDIES = re.compile(rf"\b{_WHO}{_DOES}(?P<verb>stud(?:y|ies|ied|ying))\s+(?:\w+\s+)?at\s+{_ORG}")
_LIVES = re.compile(rf"\b{_WHO}{_DOES}(?P<verb>liv(?:e|es|ed|ing))\s+in\s+{_ORG}")
_PERFECT = re.compile(r"['’]ve\b|\b(?:has|have)\b")
_WORKS_WITH = re.compile(rf"\b{_WHO}{_DOES}(?P<verb>work(?:s|ed|ing)?)\s+with\s+(?P<name>{_N})(?:\s+and\s+(?P<other>{_N}))?")
_MARRIED = re.compile(
    rf"\b(?P<owner>I)(?:['’]m|\s+am|\s+was|\s+got|\s+just got)?\s+(?P<verb>married|engaged|dating)\s+(?:to\s+|with\s+)?(?P<name>{_N})\b"
)
_GOT_TOGETHER = re.compile(
    rf"\b(?:[Mm]e\s+and\s+(?P<name>{_N})|(?P<first>{_N})\s+and\s+I)\s+(?:just\s+|are\s+)?(?:got\s+)?(?P<verb>married|engaged)\b"
)
# "My boss", "our daughter", "Bartek's mother", with no name beside it.
_UNNAMED = re.compile(
    rf"\b(?:(?P<owner>[Mm]y|[Oo]ur)|(?P<other>{_N})['’]s)\s+(?P<phrase>(?P<adjective>{ADJECTIVE})(?P<kin>{PEOPLE}|{PERSONS}))\b"
    rf"(?!,?\s+(?:is\s+)?(?:called\s+|named\s+)?(?:{TITLES}|[A-ZÀ-ÖØ-Þ](?!['’]?\w*\s*\b(?:I)\b)[\w-]+)|['’]s\s+(?:called|named|name|{PERSONS}))"
)
# A relation has one of these words, whatever else.
_NEEDED = frozenset(
    word
    for words in (
        PERSONS,
        PEOPLE,
        ANIMALS,
        "work|works|worked|working|joined|study|studies|studied|studying|live|lives|lived|living|married|engaged|dating",
    )
    for word in re.findall(r"\w+", words)
)
_WORD = re.compile(r"\w+")
_MANY = frozenset(predicate_of_kin(word) for word in PEOPLE.split("|"))


@dataclass(frozen=True, slots=True)
class FoundRelation:
    """A relation in words: subject, predicate ("sister_of"), object; what the two are. `alias` is what else the subject is called where
    only one can be: "Maria's boss".
    """

    text: str
    predicate: str
    subject: EntityMention
    object: EntityMention
    confidence: float = 0.8
    alias: str = ""


def relations_in(sentence: str, speaker: str) -> list[FoundRelation]:
    """The relations of kinship and role in a sentence as it was said."""
    if _NEEDED.isdisjoint(_WORD.findall(sentence.casefold())):
        return []
    found = {(r.subject.name, r.predicate, r.object.name): r for r in _all(sentence, speaker)}
    named = {(r.predicate, r.object.name) for r in found.values() if not _is_unnamed(r)}
    return [r for r in found.values() if not _is_unnamed(r) or (r.predicate, r.object.name) not in named]


def _is_unnamed(relation: FoundRelation) -> bool:
    return relation.subject.name.startswith(f"{relation.object.name}'s ")


def _all(sentence: str, speaker: str) -> Iterator[FoundRelation]:
    for pattern in (_NAME_IS_MY_KIN, _MY_KIN_NAME, _KIN_IS_NAME, _HAVE_KIN):
        for match in pattern.finditer(sentence):
            if not _is_common(match["name"]):
                yield _kin(match, speaker)
    for match in _NAMES_KIN_NAME.finditer(sentence):
        if not _is_common(match["owner"]) and not _is_common(match["name"]):
            yield _kin(match, match["owner"])
    for match in _UNNAMED.finditer(sentence):
        owner = without_opening_word(match["other"]) if match["other"] else speaker
        if owner and not _is_common(owner):
            yield _unnamed(match, owner)
    yield from _occupations(sentence, speaker)
    for match in _MARRIED.finditer(sentence):
        word = {"married": "married to", "engaged": "engaged to", "dating": "dating"}[match["verb"]]
        yield _between(speaker, word, match["name"])
    for match in _GOT_TOGETHER.finditer(sentence):
        yield _between(speaker, f"{match['verb']} to", match["name"] or match["first"])


def _inside(name: str) -> str:
    """The name as it stands within a sentence: "the user"."""
    return f"the {name.removeprefix('The ')}" if name.startswith("The ") else name


def _between(one: str, word: str, other: str) -> FoundRelation:
    subject, target = EntityMention(one, EntityKind.PERSON, "subject"), EntityMention(other, EntityKind.PERSON, "object")
    return FoundRelation(f"{one} is {word} {_inside(other)}.", word.replace(" ", "_"), subject, target)


def _occupations(sentence: str, speaker: str) -> Iterator[FoundRelation]:
    """Where people work, study and live, and with whom they work."""
    for pattern, present, past, kind in (
        (_WORKS, "works for", "worked for", EntityKind.ORGANISATION),
        (_JOINED, "works for", "works for", EntityKind.ORGANISATION),
        (_STUDIES, "studies at", "studied at", EntityKind.ORGANISATION),
        (_LIVES, "lives in", "lived in", EntityKind.PLACE),
    ):
        for match in pattern.finditer(sentence):
            owner = _owner(match["owner"], speaker)
            if not _is_common(owner) and not _is_common(match["name"]):
                over = match["verb"].endswith("ed") and not _PERFECT.search(match.group())
                verb = past if over else present
                subject, target = EntityMention(owner, EntityKind.PERSON, "subject"), EntityMention(match["name"], kind, "object")
                yield FoundRelation(f"{owner} {verb} {match['name']}.", verb.replace(" ", "_"), subject, target)
    for match in _WORKS_WITH.finditer(sentence):
        owner = _owner(match["owner"], speaker)
        names = [name for name in (match["name"], match["other"]) if name]
        for name in names if any(map(is_given_name, names)) else ():
            if not _is_common(owner) and not _is_common(name):
                subject, target = EntityMention(owner, EntityKind.PERSON, "subject"), EntityMention(name, EntityKind.PERSON, "object")
                yield FoundRelation(f"{owner} works with {name}.", "works_with", subject, target)


def _owner(words: str, speaker: str) -> str:
    """ "I" and "my parents" as the speaker's."""
    if words == "I":
        return speaker
    head, _, rest = words.partition(" ")
    return f"{speaker}'s {rest}" if head.casefold() in {"my", "our"} else words


def _unnamed(match: re.Match[str], owner: str) -> FoundRelation:
    """Somebody known only by what they are to someone: an entity called so, until a name is linked with it."""
    word = match["kin"].casefold()
    name = f"{owner}'s {match['phrase']}"
    verb = "are" if predicate_of_kin(word) in _MANY else "is"
    subject = EntityMention(name, EntityKind.PERSON, "subject")
    return FoundRelation(
        f"{name} {verb} {_inside(owner)}'s {word}.", predicate_of_kin(word), subject, EntityMention(owner, EntityKind.PERSON, "object"), 0.7
    )


def _kin(match: re.Match[str], owner: str) -> FoundRelation:
    word = (match["kin"] or match["pet"]).casefold()
    kind = EntityKind.PERSON if match["kin"] else EntityKind.THING
    subject = EntityMention(match["name"], kind, "subject")
    alias = f"{owner}'s {word}" if is_only_one(word) and not match["adjective"] else ""
    target = EntityMention(owner, EntityKind.PERSON, "object")
    return FoundRelation(f"{match['name']} is {_inside(owner)}'s {word}.", predicate_of_kin(word), subject, target, alias=alias)


def _is_common(name: str) -> bool:
    return name in {
        "It",
        "He",
        "She",
        "They",
        "This",
        "That",
        "There",
        "Who",
        "What",
        "Which",
        "The",
        "My",
        "So",
        "And",
        "But",
        "When",
        "If",
        "Everyone",
        "Someone",
    }
