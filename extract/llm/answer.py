"""The form of the model's answer: what its items must be, and the JSON schema that asks for it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from extract.llm.dates import span_of_date
from graph.model import EntityKind, ExtractionMode, ExtractionProfile

# Longer texts are no statements but copies of what was said.
_MOST_TEXT = 1_000
_MOST_NAME = 200
_MOST_PREDICATE = 60
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
# What JSON schemas of structured outputs may not hold everywhere; the items are checked here anyway.
_NOT_IN_SCHEMA = frozenset({"title", "default", "minimum", "maximum", "maxLength", "minLength", "maxItems", "minItems"})
BUILT_IN_TYPES: Mapping[str, EntityKind] = {kind.name.lower(): kind for kind in EntityKind if kind is not EntityKind.UNKNOWN}


@dataclass(frozen=True, slots=True)
class Checks:
    """What an answer is held to.

    Attributes:
        known: the numbers of the messages that the model saw.
        own: those of them that it was asked about.
        types: names of entity types with the kind that each counts as.
        predicates: what relations may be; empty for anything.
        zone: the session's, for dates.
        parts: of several segments in one transcript, which one each number belongs to. Evidence lies within one.
    """

    known: frozenset[int]
    own: frozenset[int]
    types: Mapping[str, EntityKind]
    predicates: frozenset[str]
    zone: tzinfo
    parts: Mapping[int, int] = field(default_factory=dict)


def types_of(profile: ExtractionProfile) -> Mapping[str, EntityKind]:
    """The entity types of a namespace, each with its kind."""
    return {one.name: one.kind for one in profile.entity_types} or BUILT_IN_TYPES


def predicates_of(profile: ExtractionProfile) -> frozenset[str]:
    """The predicates that a namespace's relations may have; empty for any."""
    return frozenset(one.name for one in profile.relation_types)


def one_line(text: str) -> str:
    """A text without line ends, control characters and those that change its direction."""
    return " ".join(_CONTROL.sub(" ", text).split())


def _clean(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value


def _snake_case(value: object) -> object:
    return re.sub(r"[^\w]+", "_", value.strip().lower()).strip("_") if isinstance(value, str) else value


def _not_empty(value: str) -> str:
    if not value:
        raise ValueError("must not be empty")
    return value


def _checks(info: ValidationInfo) -> Checks:
    assert isinstance(info.context, Checks)
    return info.context


def _known_numbers(numbers: list[int], info: ValidationInfo) -> list[int]:
    unknown = sorted(set(numbers) - _checks(info).known)
    if unknown:
        raise ValueError(f"there is no message {', '.join(map(str, unknown[:5]))}")
    return numbers


def _evidence(numbers: list[int], info: ValidationInfo) -> list[int]:
    if not _checks(info).own & set(_known_numbers(numbers, info)):
        raise ValueError('must name a message that is neither "before" nor "read only"')
    if len({_checks(info).parts.get(number, 0) for number in numbers}) > 1:
        raise ValueError("must be messages of one part")
    return numbers


def _date(value: str, info: ValidationInfo) -> str:
    if value:
        span_of_date(value, _checks(info).zone)
    return value


def _type(value: str, info: ValidationInfo) -> str:
    if value not in _checks(info).types:
        raise ValueError("is not one of the types")
    return value


def _predicate(value: str, info: ValidationInfo) -> str:
    allowed = _checks(info).predicates
    if allowed and value not in allowed:
        raise ValueError("is not one of the predicates")
    return _not_empty(value)


Line = Annotated[str, BeforeValidator(_clean), Field(max_length=_MOST_NAME)]
Name = Annotated[Line, AfterValidator(_not_empty)]
Text = Annotated[str, BeforeValidator(_clean), Field(max_length=_MOST_TEXT), AfterValidator(_not_empty)]
Date = Annotated[Line, AfterValidator(_date)]
Predicate = Annotated[str, BeforeValidator(_snake_case), Field(max_length=_MOST_PREDICATE)]
Confidence = Annotated[float, Field(ge=0, le=1)]
Evidence = Annotated[list[int], AfterValidator(_evidence)]


class _Item(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class FlatFact(_Item):
    """A fact of FLAT: text, evidence, time."""

    text: Text
    messages: Evidence
    when: Line = ""
    date: Date = ""
    confidence: Confidence = 0.8


class Fact(FlatFact):
    """A fact of EVENT, shortened to a predicate and arguments where it can be."""

    subject: Line = ""
    predicate: Predicate = ""
    object: Line = ""


class Relation(FlatFact):
    """A relation between two things."""

    subject: Name
    predicate: Annotated[Predicate, AfterValidator(_predicate)]
    object: Name


class NamedEntity(_Item):
    """A thing with a name, and which messages name it."""

    name: Name
    type: Annotated[str, AfterValidator(_type)]
    messages: Annotated[list[int], AfterValidator(_known_numbers)]


class Event(BaseModel):
    """An event of EVENT; only its form: what is in it is checked by itself."""

    title: str
    facts: list[Fact]
    relations: list[Relation]
    causes: list[int]


class _EventAnswer(BaseModel):
    events: list[Event]
    entities: list[NamedEntity]


class _FlatAnswer(BaseModel):
    facts: list[FlatFact]


def answer_schema(mode: ExtractionMode, profile: ExtractionProfile) -> dict[str, Any]:
    """The JSON schema of an answer, in the part of the language that structured outputs take: all required, nothing besides."""
    schema = strict_schema((_FlatAnswer if mode is ExtractionMode.FLAT else _EventAnswer).model_json_schema())
    assert isinstance(schema, dict)
    definitions = schema["$defs"]
    if mode is not ExtractionMode.FLAT:
        definitions["NamedEntity"]["properties"]["type"]["enum"] = list(types_of(profile))
        if profile.relation_types:
            definitions["Relation"]["properties"]["predicate"]["enum"] = [one.name for one in profile.relation_types]
        else:
            # Facts and relations have the same fields then; saying so once is a fifth of what every call pays for its schema.
            definitions["Event"]["properties"]["relations"]["items"] = definitions["Event"]["properties"]["facts"]["items"]
            del definitions["Relation"]
    return schema


def strict_schema(node: object, of_properties: bool = False) -> object:
    """A JSON schema in the part of the language that structured outputs take: all required, nothing besides."""
    if isinstance(node, list):
        return [strict_schema(one) for one in node]
    if not isinstance(node, dict):
        return node
    kept = {
        key: strict_schema(value, key == "properties")
        for key, value in node.items()
        if of_properties or key not in _NOT_IN_SCHEMA | {"description"}
    }
    if not of_properties and "properties" in kept:
        kept["required"] = list(node["properties"])
        kept["additionalProperties"] = False
    return kept
