"""Names in a sentence, and what they seem to name, by the words around them; no gazetteer."""

# ruff: noqa: SIM905
# Lists of words read better as text than as lists of literals.

import re
from collections.abc import Collection

from extract.local.verbs import is_past
from extract.port import EntityMention
from graph.model import EntityKind
from graph.text.times.words import MONTHS, WEEKDAYS

_NAME = re.compile(
    r"(?<![\w'’])[A-ZÀ-ÖØ-ÞĀ-ɏ][\w&-]*(?:\.(?=\w)\w+)*(?:\s+(?:(?:of|the|de|da|do|del|van|von|la|le|"
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
            "christmas easter halloween thanksgiving image photo january"
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
    r"return(?:ed|ing)?|flights?|train|way|get|getting|been|relocat(?:ed|ing|e)|vacation|holiday|tickets?)\s+(?:back\s+|over\s+|down\s+|"
    r"up\s+|out\s+)?to\s+(?:the\s+)?|"
    r"\b(?:am|['’]m|is|are|was|came|come|comes|moved|back|originally|returned|home|flew|drove)\s+(?:back\s+|here\s+)?from\s+(?:the\s+)?)$",
    re.IGNORECASE,
)
_BEFORE_ORGANISATION = re.compile(
    r"\b(?:(?:work(?:s|ed|ing)?|job|intern(?:s|ed|ing|ship)?|career|position|role|interview(?:ed|ing)?|offer|hired|employed|"
    r"volunteer(?:s|ed|ing)?|consult(?:s|ing)?)\s+"
    r"(?:at|for|with|by|from)|joined|joining|left my job at|founded|co-founded|studied at|studying at|study at|"
    r"graduated from)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
_BEFORE_PERSON = re.compile(
    r"\b(?:with|met|meet|meeting|called|named|name is|married|dating|invited|visited|visiting|told|asked|saw|"
    r"(?:Mr|Mrs|Ms|Dr|Prof|Aunt|Uncle|Grandma|Grandpa|Coach)\.?)\s+$"
)
_PERSON_VERB = (
    r"said|says|told|asked|thinks|loves|loved|likes|liked|hates|lives|lived|called|married|works|worked|moved|wants|wanted|was born|got|"
    r"came|went|"
    r"gave|helped|invited|visited|(?:is|was) (?:my|getting|going|moving|coming|doing|turning)|has (?:been|two|three)"
)
_AFTER_PERSON = re.compile(rf"^(?:\s+(?:and\s+(?:I|me)\b|(?:just\s+)?(?:{_PERSON_VERB})\b))")
_VERB_AFTER = re.compile(rf"^(?:,?\s+(?:and\s+(?:I|me)\b|(?:just\s+)?(?:{_PERSON_VERB})\b))")
# A name, perhaps with a title, and the word after it.
_NAMED_SUBJECT = re.compile(
    r"(?:(?:Dr|Mr|Mrs|Ms|Prof)\.?\s+)?(?P<name>[A-ZÀ-ÖØ-Þ][\w’'-]+)(?:\s+[A-ZÀ-ÖØ-Þ][\w’'-]+)?\s+(?:(?:also|just|still|already|never|now)\s+)?(?P<verb>[a-z]+)\b"
)
# Words that start sentences about nobody in particular.
UNNAMED = frozenset("music nature practice everyone patience time money nothing things change people kindness honesty art food".split())
_PUBLIC = re.compile(r"^[A-Z]{2,6}$")


def names_in(sentence: str, people: Collection[str]) -> list[EntityMention]:
    """The names that a sentence holds, each once. `people` are known to be persons.

    A sentence's first word is a name only when what follows is what people do.
    """
    found: dict[str, EntityMention] = {}
    for match in _NAME.finditer(sentence):
        name, begin = match.group(), match.start()
        if _starts_sentence(sentence[:begin]):
            name, begin = _without_common_head(name, begin)
        name = name.rstrip("-&.")
        if not name or len(name) < 2 or name.casefold() in _NOT_NAMES:
            continue
        before, after = sentence[:begin], sentence[begin + len(name) :]
        if _starts_sentence(before) and " " not in name and name not in people and not _VERB_AFTER.match(after):
            continue
        if name not in found or found[name].kind is EntityKind.UNKNOWN:
            found[name] = EntityMention(name, _kind(name, before, after, people))
    return list(found.values())


def _without_common_head(name: str, begin: int) -> tuple[str, int]:
    """The name without leading words that are capitalised only because a sentence starts ("When Ana" -> "Ana")."""
    while True:
        head, space, rest = name.partition(" ")
        if not space or head.casefold() not in _NOT_NAMES:
            return name, begin
        begin += len(name) - len(rest.lstrip())
        name = rest.lstrip()
        if not name[:1].isupper():
            return "", begin


def _starts_sentence(before: str) -> bool:
    return not before.strip(" \"'“‘([*-–") or before.rstrip(' "“‘(').endswith((".", "!", "?", ":", "…"))


def _kind(name: str, before: str, after: str, people: Collection[str]) -> EntityKind:
    if name in people:
        return EntityKind.PERSON
    if _ORGANISATION.search(name) or _BEFORE_ORGANISATION.search(before):
        return EntityKind.ORGANISATION
    if _PLACE.search(name) or _BEFORE_PLACE.search(before):
        return EntityKind.PLACE
    if _BEFORE_PERSON.search(before) or (_AFTER_PERSON.match(after) and not _PUBLIC.match(name)):
        return EntityKind.PERSON
    return EntityKind.UNKNOWN


def has_named_subject(sentence: str) -> bool:
    """Whether a sentence starts with a name and its verb: "Ines wants to meet you", "Dr. Lee says no"."""
    match = _NAMED_SUBJECT.match(sentence)
    if not match or match["name"].casefold() in _NOT_NAMES or match["name"].casefold() in UNNAMED:
        return False
    verb = match["verb"]
    return is_past(verb) or verb in {"is", "was", "has", "will", "would", "can"} or (verb.endswith("s") and not verb.endswith(("ss", "us")))
