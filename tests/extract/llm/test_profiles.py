"""A namespace's own types and instructions, in what the model is asked and in what is taken of its answer."""

from collections.abc import Callable

import pytest

from extract.llm.extractor import LlmExtractor
from extract.local import LocalExtractor
from extract.port import spec_with
from extract.profile import keep_types
from graph.model import NO_PROFILE, EntityKind, EntityType, ExtractionMode, ExtractionProfile, RelationType, profile_problems
from tests.extract.llm.conftest import segment
from tests.extract.llm.openai_server import OpenAiServer, Reply, answer, fact

Extractors = Callable[..., LlmExtractor]
CLINIC = ExtractionProfile(
    (EntityType("medicine", EntityKind.THING, "a drug"), EntityType("patient", EntityKind.PERSON)),
    (RelationType("takes", "a patient takes a medicine"),),
    "Doses matter.",
)


async def test_types_are_in_the_prompt_and_the_schema_and_are_checked(model: OpenAiServer, extractor_of: Extractors) -> None:
    takes = fact("Maria takes Aspirin.", 1, subject="Maria", predicate="takes", object="Aspirin")
    likes = fact("Maria likes Aspirin.", 1, subject="Maria", predicate="likes", object="Aspirin")
    entities = [{"name": "Aspirin", "type": "medicine", "messages": [1]}, {"name": "Rome", "type": "place", "messages": [1]}]
    model.answers = lambda _: Reply(answer({"title": "x", "relations": [takes, likes]}, entities=entities))
    found = await extractor_of().extract(segment("I take Aspirin.", profile=CLINIC))
    assert {one.predicate for event in found.events for one in event.statements} == {"takes"}
    participants = {one.name: (one.kind, one.role) for one in found.events[0].participants}
    assert participants == {"Maria": (EntityKind.PERSON, "speaker"), "Aspirin": (EntityKind.THING, "medicine")}
    assert found.partial_failures[0].reason == "EXTRACTOR_ANSWER_INVALID"
    system = model.requests[0]["messages"][0]["content"]
    assert "- medicine: a drug" in system
    assert "Doses matter." in system
    properties = model.requests[0]["response_format"]["json_schema"]["schema"]["$defs"]
    assert properties["NamedEntity"]["properties"]["type"]["enum"] == ["medicine", "patient"]
    assert properties["Relation"]["properties"]["predicate"]["enum"] == ["takes"]


async def test_the_schema_is_one_that_structured_outputs_take(model: OpenAiServer, extractor_of: Extractors) -> None:
    for mode in (ExtractionMode.EVENT, ExtractionMode.FLAT):
        await extractor_of(mode).extract(segment("I have a dog."))
        schema = model.requests[-1]["response_format"]["json_schema"]["schema"]
        for one in (schema, *schema["$defs"].values()):
            assert one["additionalProperties"] is False
            assert one["required"] == list(one["properties"])
            for field in one["properties"].values():
                assert set(field) <= {"type", "items", "enum", "$ref"}


async def test_relation_types_hold_for_rules_as_well() -> None:
    one = segment("My sister Ana works for Acme.")
    found = await LocalExtractor().extract(one)
    predicates = {s.predicate for event in found.events for s in event.statements if s.kind.name == "RELATION"}
    assert "sister_of" in predicates
    kept = keep_types(found, ExtractionProfile(relation_types=(RelationType("works_for"),)))
    assert {s.predicate for event in kept.events for s in event.statements if s.kind.name == "RELATION"} <= {"works_for"}
    facts = [s.text for event in found.events for s in event.statements if s.kind.name == "FACT"]
    assert [s.text for event in kept.events for s in event.statements if s.kind.name == "FACT"] == facts


def test_another_profile_is_another_extraction() -> None:
    extractor = LocalExtractor()
    assert spec_with(extractor, NO_PROFILE) == extractor.spec
    specs = {spec_with(extractor, one) for one in (NO_PROFILE, CLINIC, ExtractionProfile(instructions="Doses matter."))}
    assert len(specs) == 3


@pytest.mark.parametrize(
    ("profile", "field"),
    [
        (ExtractionProfile(entity_types=(EntityType("Medicine", EntityKind.THING),)), "entity_types[0].name"),
        (ExtractionProfile(entity_types=(EntityType("medicine", EntityKind.UNKNOWN),)), "entity_types[0].kind"),
        (ExtractionProfile(entity_types=(EntityType("a", EntityKind.THING),) * 2), "entity_types[1].name"),
        (ExtractionProfile(entity_types=tuple(EntityType(f"a{n}", EntityKind.THING) for n in range(31))), "entity_types"),
        (ExtractionProfile(relation_types=(RelationType("x" * 41),)), "relation_types[0].name"),
        (ExtractionProfile(relation_types=(RelationType("x", "two\nlines"),)), "relation_types[0].description"),
        (ExtractionProfile(relation_types=(RelationType("x", "y" * 201),)), "relation_types[0].description"),
        (ExtractionProfile(relation_types=tuple(RelationType(f"a{n}") for n in range(61))), "relation_types"),
        (ExtractionProfile(instructions="x" * 2_001), "instructions"),
    ],
)
def test_a_wrong_profile_is_refused_with_its_place(profile: ExtractionProfile, field: str) -> None:
    assert [place for place, _ in profile_problems(profile)] == [field]


def test_a_good_profile_has_no_problems() -> None:
    assert not list(profile_problems(CLINIC))
    assert not list(profile_problems(NO_PROFILE))
