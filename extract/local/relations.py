"""Relations of kinship and role that a sentence states: "my sister Ana", "Ana is my boss", "I work for Acme"."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from extract.port import EntityMention
from graph.model import EntityKind

_PERSONS = (
    "sister|brother|mother|mom|mum|father|dad|wife|husband|spouse|son|daughter|aunt|uncle|cousin|grandmother|grandma|granny|grandfather|"
    "grandpa|niece|"
    "nephew|boyfriend|girlfriend|partner|fianc[ée]e?|ex-husband|ex-wife|ex|stepmother|stepfather|stepsister|stepbrother|mother-in-law|"
    "father-in-law|"
    "sister-in-law|brother-in-law|godmother|godfather|twin|best friend|friend|buddy|boss|manager|supervisor|colleague|coworker|"
    "co-worker|teammate|"
    "roommate|flatmate|neighbou?r|teacher|professor|mentor|tutor|doctor|dentist|therapist|coach|trainer|landlord|assistant|classmate|"
    "student|client"
)
_PETS = "dog|puppy|cat|kitten|parrot|bird|horse|rabbit|bunny|hamster|turtle|tortoise|snake|guinea pig|goldfish|fish|pony|pet"
_KIN = rf"(?:(?:\w+[- ])?(?P<kin>{_PERSONS})|(?:\w+ )?(?P<pet>{_PETS}))"
_N = r"[A-ZÀ-ÖØ-Þ][\w-]+(?:\s+[A-ZÀ-ÖØ-Þ][\w-]+)?"
_ORG = r"(?:the\s+)?(?P<name>[A-ZÀ-ÖØ-Þ][\w&-]*(?:\.\w+)*(?:\s+(?:of\s+|and\s+)?[A-ZÀ-ÖØ-Þ][\w&-]*)*)"

_CALLED = r"(?:\s+(?:is\s+|was\s+)?(?:called|named)|['’]s name is|,)?"
_MY_KIN_NAME = re.compile(rf"\b(?P<owner>[Mm]y|[Oo]ur)\s+{_KIN}{_CALLED}\s+(?P<name>{_N})\b")
_KIN_IS_NAME = re.compile(rf"\b(?P<owner>[Mm]y)\s+{_KIN}(?:['’]s name)?\s+is\s+(?P<name>{_N})\b(?=\s*(?:[.,!;]|and\b|$))")
_NAME_IS_MY_KIN = re.compile(
    rf"\b(?P<name>{_N})(?:\s+(?:is|was|has been|became)|['’]s|,)\s+(?P<owner>my|our)\s+(?:new\s+|old\s+|former\s+)?{_KIN}\b"
)
_HAVE_KIN = re.compile(
    rf"\b(?P<owner>I)(?:\s+(?:also\s+)?(?:have|had|got|adopted|just adopted|just got)|['’]ve got)\s+(?:an?|one|"
    rf"another)\s+(?:\w+\s+)?{_KIN},?\s+(?:called|named|whose name is)\s+(?P<name>{_N})\b"
)
_NAMES_KIN_NAME = re.compile(rf"\b(?P<owner>{_N})['’]s\s+{_KIN}{_CALLED}\s+(?P<name>{_N})\b")
_WORKS = re.compile(
    rf"\b(?P<owner>I|{_N})(?:['’]m|\s+am|\s+is|['’]ve been|\s+have been)?\s+(?:now\s+|currently\s+|still\s+)?(?P<verb>work(?:s|ed|"
    rf"ing)?)\s+(?:for|at)\s+{_ORG}"
)
_STUDIES = re.compile(rf"\b(?P<owner>I|{_N})(?:['’]m|\s+am|\s+is)?\s+(?:now\s+)?(?P<verb>stud(?:y|ies|ied|ying))\s+(?:\w+\s+)?at\s+{_ORG}")
_LIVES = re.compile(
    rf"\b(?P<owner>I|{_N})(?:['’]m|\s+am|\s+is)?\s+(?:now\s+|currently\s+|still\s+)?(?P<verb>liv(?:e|es|ed|ing))\s+in\s+{_ORG}"
)
_MARRIED = re.compile(
    rf"\b(?P<owner>I)(?:['’]m|\s+am|\s+was|\s+got|\s+just got)?\s+(?P<verb>married|engaged|dating)\s+(?:to\s+|with\s+)?(?P<name>{_N})\b"
)
_BASE = {"mom": "mother", "mum": "mother", "granny": "grandmother", "grandma": "grandmother", "dad": "father", "grandpa": "grandfather"}


@dataclass(frozen=True, slots=True)
class FoundRelation:
    """A relation in words: subject, predicate ("sister_of"), object; and what the two are."""

    text: str
    predicate: str
    subject: EntityMention
    object: EntityMention
    confidence: float = 0.8


def relations_in(sentence: str, speaker: str) -> list[FoundRelation]:
    """The relations of kinship and role in a sentence as it was said."""
    found = {(r.subject.name, r.predicate, r.object.name): r for r in _all(sentence, speaker)}
    return list(found.values())


def _all(sentence: str, speaker: str) -> Iterator[FoundRelation]:
    for pattern in (_NAME_IS_MY_KIN, _MY_KIN_NAME, _KIN_IS_NAME, _HAVE_KIN):
        for match in pattern.finditer(sentence):
            if not _is_common(match["name"]):
                yield _kin(match, speaker)
    for match in _NAMES_KIN_NAME.finditer(sentence):
        if not _is_common(match["owner"]) and not _is_common(match["name"]):
            yield _kin(match, match["owner"])
    for pattern, present, past, kind in (
        (_WORKS, "works for", "worked for", EntityKind.ORGANISATION),
        (_STUDIES, "studies at", "studied at", EntityKind.ORGANISATION),
        (_LIVES, "lives in", "lived in", EntityKind.PLACE),
    ):
        for match in pattern.finditer(sentence):
            owner = speaker if match["owner"] == "I" else match["owner"]
            if not _is_common(owner):
                verb = past if match["verb"].endswith("ed") else present
                subject, target = EntityMention(owner, EntityKind.PERSON, "subject"), EntityMention(match["name"], kind, "object")
                yield FoundRelation(f"{owner} {verb} {match['name']}.", verb.replace(" ", "_"), subject, target)
    for match in _MARRIED.finditer(sentence):
        word = {"married": "married to", "engaged": "engaged to", "dating": "dating"}[match["verb"]]
        subject, target = EntityMention(speaker, EntityKind.PERSON, "subject"), EntityMention(match["name"], EntityKind.PERSON, "object")
        yield FoundRelation(f"{speaker} is {word} {match['name']}.", word.replace(" ", "_"), subject, target)


def _kin(match: re.Match[str], owner: str) -> FoundRelation:
    word = (match["kin"] or match["pet"]).casefold()
    kind = EntityKind.PERSON if match["kin"] else EntityKind.THING
    predicate = f"{_BASE.get(word, word).replace(' ', '_').replace('-', '_')}_of"
    subject = EntityMention(match["name"], kind, "subject")
    return FoundRelation(f"{match['name']} is {owner}'s {word}.", predicate, subject, EntityMention(owner, EntityKind.PERSON, "object"))


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
