"""Names in a sentence, and what they seem to name, by the words around them; only given names are known beforehand."""

# ruff: noqa: SIM905
# Lists of words read better as text than as lists of literals.

import re
from functools import lru_cache

from extract.local.given_names import is_given_name
from extract.local.kinship import ADJECTIVE, ANIMALS, PERSONS, TITLES
from extract.local.verbs import is_past
from extract.port import EntityMention
from graph.model import EntityKind
from graph.text.times.words import MONTHS, WEEKDAYS

_NAME = re.compile(
    rf"(?<![\w'’])(?:(?:{TITLES})\s+(?=[A-ZÀ-ÖØ-ÞĀ-ɏ]))?[A-ZÀ-ÖØ-ÞĀ-ɏ][\w&-]*(?:\.(?=\w)\w+)*(?:\s+(?:(?:of|the|de|da|do|del|van|von|la|le|"
    r"and the)\s+){0,2}(?!I\b)[A-ZÀ-ÖØ-ÞĀ-ɏ][\w&-]*|\s+\d+(?=\s|$|[,.]))*"
)
# Capitalised words that name nothing, besides months and weekdays.
_NOT_NAMES = (
    frozenset(
        (
            "i i'm i've i'd i'll a an the and but or so if when while as at in on to for from with by of it its it's this that these those "
            "there here he she they we you my your his her our their me him them us what who how why where which whose yes no not ok okay "
            "oh wow hey hi hello thanks thank please sorry well just also maybe then now today yesterday tomorrow tonight last next after "
            "before since because until although though however still even only some any all every each both most many much more less one "
            "two three first second once never always sometimes usually often recently finally actually really everyone someone anyone "
            "everything something nothing nobody people life work home family friends time day night mr mrs ms dr prof tv dvd ok lol omg "
            "btw fyi pm am diy faq asap mom dad mum mother father sister brother grandma grandpa kids guess can could will would should "
            "may might must do does did have has had is are was were been being be let let's got get going went great good nice cool "
            "awesome amazing perfect happy sad new old big small see look check take make try being seeing having getting english god "
            "christmas easter halloween thanksgiving image photo january gp eve cv hr tpu gpu cpu pc usb english mummy granny "
            "gran new year whenever "
            "ever whether unless instead neither either between during over under through about around near without within if every "
            "another other such quick please write translate fix explain give tell can wish bought had met broke moving went got "
            "hope hey yeah yep plus thanks imagine remember "
            "spanish french german italian portuguese japanese chinese mandarin korean russian arabic dutch swedish icelandic norwegian "
            "danish finnish polish greek turkish hindi american british irish scottish welsh mexican indian thai asian european african "
            "both uncle aunt haven't hasn't don't didn't can't won't isn't wasn't wouldn't couldn't shouldn't turns"
        ).split()
    )
    | set(MONTHS)
    | set(WEEKDAYS)
)
_ORGANISATION = re.compile(
    r"\b(?:Inc|Ltd|LLC|GmbH|Corp(?:oration)?|Company|Co|University|College|School|Academy|Bank|Hospital|Clinic|Institute|Foundation|"
    r"Agency|Association|"
    r"Society|Council|Ministry|Department|Studios?|Labs?|Group|Partners|Airlines|Club|Center|Centre)\b"
)
_PLACE = re.compile(
    r"\b(?:Street|St|Avenue|Ave|Road|Park|Beach|Lake|Mount|Mountains?|River|Museum|City|Islands?|Airport|Bay|Canyon|Valley|Coast|Square|"
    r"Bridge|Castle|Falls|Hill|Hills|"
    r"Forest|Garden|Gardens|County|Station)\b"
)
_BEFORE_PLACE = re.compile(
    r"(?:\b(?:in|near|around|across|outside|inside|throughout|via|visit(?:ed|ing|s)?|toured?|touring|explor(?:ed|ing|e)|left|"
    r"leaving)\s+(?:the\s+|downtown\s+|beautiful\s+)?|"
    r"\b(?:went|go|goes|going|moved?|moves|moving|flew|fly|flying|travell?ed|travell?ing|travel|trips?|drove|drive|driving|came|come|"
    r"coming|back|headed|heading|"
    r"return(?:ed|ing)?|flights?|train|plane|bus|drive|ferry|way|get|getting|been|took\s+\w+|relocat(?:ed|ing|e)|vacation|holiday|tickets?)\s+(?:back\s+|over\s+|down\s+|"
    r"up\s+|out\s+)?to\s+(?:the\s+)?|"
    r"\b(?:am|['’]m|is|are|was|came|come|comes|coming|moved|back|originally|returned|home|flew|drove|visiting|arrived|arriving|"
    r"e?migrated|immigrated|here|guy|girl|man|woman|boy|lady|friend|friends|couple|people|someone|family|student|tourists?)\s+"
    r"(?:back\s+|here\s+|over\s+)?from\s+(?:the\s+)?)$",
    re.IGNORECASE,
)
_BEFORE_ORGANISATION = re.compile(
    r"\b(?:(?:work(?:s|ed|ing)?|job|intern(?:s|ed|ing|ship)?|career|position|role|interview(?:ed|ing)?|offer|hired|employed|"
    r"volunteer(?:s|ed|ing)?|consult(?:s|ing)?|plays?(?:\s+\w+)?|played(?:\s+\w+)?)\s+"
    r"(?:at|for|by|from)|(?:job|intern(?:ed|ship)?|interview(?:ed|ing)?|offer|position|role)\s+with|"
    r"(?:bought|acquired|taken\s+over|sponsored|funded|published)\s+by|accepted\s+(?:at|into|by|to)|got\s+into|enrolled\s+at|"
    r"started\s+at|degree\s+(?:at|from)|meeting\s+with\s+\w+\s+from|joined|joining|left my job at|founded|co-founded|studied "
    r"at|studying at|study at|"
    r"graduated from)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_BEFORE_PERSON = re.compile(
    r"\b(?:with|met|meet|meeting|called|named|name is|married|dating|invited|told|asked|ran into|bumped into|miss|phoned|texted|baby|"
    r"(?:Mr|Mrs|Ms|Dr|Prof|Aunt|Uncle|Grandma|Grandpa|Coach)\.?)\s+(?:[A-Z]\w+(?:,\s+|\s+and\s+))*$"
)
# "My sister Ana": what is named is a person, or a pet.
_KIN_BEFORE = re.compile(
    rf"(?:\b(?:my|our|your|his|her|their)|['’]s)\s+(?:{ADJECTIVE})(?:{PERSONS}),?\s+(?:is\s+)?(?:called\s+|named\s+)?$", re.IGNORECASE
)
_PET_BEFORE = re.compile(
    rf"(?:\b(?:my|our|your|his|her|their|an?)|['’]s)\s+(?:\w+\s+)?(?:{ANIMALS})s?,?\s+(?:is\s+|are\s+)?(?:called\s+|named\s+)?(?-i:[A-Z]\w+\s+and\s+)?$",
    re.IGNORECASE,
)
_TITLED = re.compile(rf"(?:{TITLES})\s+[A-ZÀ-ÖØ-Þ]")
# What is read, watched, played, used or written in.
_THING_BEFORE = re.compile(
    r"\b(?:read|reading|reread|rereading|watch(?:ed|ing)?|binge-?watch(?:ed|ing)|stream(?:ed|ing)|play(?:ed|ing)|listen(?:ed|ing)?\s+to|"
    r"us(?:e|es|ed|ing)|code\s+in|coding\s+in|program(?:ming)?\s+in|(?:mostly|mainly)\s+(?:write|use)|install(?:ed|ing)|"
    r"prefers?|switched\s+(?:from|to)|over|(?:from\s+[A-Z]\w+\s+to))\s+(?:the\s+)?$"
)
_SHOW = re.compile(r"^\s+(?:gig|concert|tour|match|game|album|stock|office|headquarters)\b")
_AT = re.compile(r"\b(?:at)\s+(?:the\s+)?$")
_PERSON_VERB = (
    r"said|says|told|asked|thinks|loves|loved|likes|liked|hates|lives|lived|called|married|works|worked|moved|wants|wanted|was born|got|"
    r"came|went|"
    r"gave|helped|invited|visited|suggested|recommended|sold|bought|will|says|makes|made|plays|played|has|is|was|"
    r"(?:is|was) (?:my|getting|going|moving|coming|doing|turning)|has (?:been|two|three)"
)
_AFTER_PERSON = re.compile(rf"^(?:\s+(?:and\s+(?:I|me)\b|(?:and\s+[A-Z]\w+\s+(?:are\s+)?)?(?:just\s+)?(?:{_PERSON_VERB})\b))")
_VERB_AFTER = re.compile(rf"^(?:,?\s+(?:and\s+(?:I|me)\b|(?:and\s+[A-Z]\w+\s+(?:are\s+)?)?(?:just\s+)?(?:{_PERSON_VERB})\b))")
# A name, perhaps with a title, and the word after it.
_NAMED_SUBJECT = re.compile(
    r"(?:(?:Dr|Mr|Mrs|Ms|Prof)\.?\s+)?(?P<name>[A-ZÀ-ÖØ-Þ][\w’'-]+)(?:\s+[A-ZÀ-ÖØ-Þ][\w’'-]+)?\s+(?:(?:also|just|still|already|never|now)\s+)?(?P<verb>[a-z]+)\b"
)
# Words that start sentences about nobody in particular.
UNNAMED = frozenset("music nature practice everyone patience time money nothing things change people kindness honesty art food".split())
_PUBLIC = re.compile(r"^[A-Z]{2,6}$")


@lru_cache(maxsize=1024)
def names_in(sentence: str, people: frozenset[str]) -> tuple[EntityMention, ...]:
    """The names that a sentence holds, each once. `people` are known to be persons.

    A sentence's first word is a name only when what follows is what people do.
    """
    found: dict[str, EntityMention] = {}
    for match in _NAME.finditer(sentence):
        name, begin = match.group(), match.start()
        if _starts_sentence(sentence[:begin]):
            name, begin = _without_common_head(name, begin)
        name = name.rstrip("-&.")
        if not name or len(name) < 2 or name.casefold() in _NOT_NAMES or _is_calendar(name):
            continue
        before, after = sentence[:begin], sentence[begin + len(name) :]
        known = name in people or is_given_name(name) or _TITLED.match(name)
        if _starts_sentence(before) and " " not in name and not known and not _VERB_AFTER.match(after):
            continue
        if name not in found or found[name].kind is EntityKind.UNKNOWN:
            found[name] = EntityMention(name, _kind(name, before, after, people))
    return tuple(found.values())


def _is_calendar(name: str) -> bool:
    """Whether a name is a date: "February 2021", "New Year"."""
    words = name.casefold().split()
    return words[0] in MONTHS or words[0] in WEEKDAYS or (words[0] in {"new", "eve"} and words[1:2] == ["year"]) or words[0] == "eve"


def _without_common_head(name: str, begin: int) -> tuple[str, int]:
    """The name without leading words that are capitalised only because a sentence starts ("When Ana" -> "Ana")."""
    while True:
        head, space, rest = name.partition(" ")
        if not space or head.casefold() not in _NOT_NAMES or _TITLED.match(name):
            return name, begin
        begin += len(name) - len(rest.lstrip())
        name = rest.lstrip()
        if not name[:1].isupper():
            return "", begin


def without_opening_word(name: str) -> str:
    """A name without a first word that is no part of it ("But Evan"); empty when nothing is left."""
    return _without_common_head(name, 0)[0] if name.casefold() not in _NOT_NAMES else ""


def _starts_sentence(before: str) -> bool:
    return not before.strip(" \"'“‘([*-–") or before.rstrip(' "“‘(').endswith((".", "!", "?", ":", "…"))


def _kind(name: str, before: str, after: str, people: frozenset[str]) -> EntityKind:
    if name in people or _TITLED.match(name) or _KIN_BEFORE.search(before):
        return EntityKind.PERSON
    if _PET_BEFORE.search(before):
        return EntityKind.THING
    if _ORGANISATION.search(name) or _BEFORE_ORGANISATION.search(before):
        return EntityKind.ORGANISATION
    if _PLACE.search(name) or _BEFORE_PLACE.search(before):
        return EntityKind.PLACE
    if is_given_name(name) and not _THING_BEFORE.search(before):
        return EntityKind.PERSON
    if _SHOW.match(after):
        return EntityKind.ORGANISATION
    if _BEFORE_PERSON.search(before):
        return EntityKind.PERSON
    if _THING_BEFORE.search(before):
        return EntityKind.THING
    if _AFTER_PERSON.match(after) and " " not in name and not _PUBLIC.match(name):
        return EntityKind.PERSON
    return EntityKind.PLACE if _AT.search(before) else EntityKind.UNKNOWN


def has_named_subject(sentence: str) -> bool:
    """Whether a sentence starts with a name and its verb: "Ines wants to meet you", "Dr. Lee says no"."""
    match = _NAMED_SUBJECT.match(sentence)
    if not match or match["name"].casefold() in _NOT_NAMES or match["name"].casefold() in UNNAMED:
        return False
    verb = match["verb"]
    return is_past(verb) or verb in {"is", "was", "has", "will", "would", "can"} or (verb.endswith("s") and not verb.endswith(("ss", "us")))
