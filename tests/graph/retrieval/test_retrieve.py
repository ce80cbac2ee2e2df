"""Queries of a real store: who, what and when, filters, operators, several namespaces, what is missing."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from graph.errors import InvalidArgument, NotFound
from graph.model import NO_EMBEDDING, ExtractionMode, MemoryFilter, Message, NodeKind, Role, Statement, TimeRange
from graph.retrieval import RECIPES, RetrievalAnswer, retrieve, retrieve_many
from graph.retrieval.degradation import Degradation, DegradationReason
from graph.store.port import AppendCommand, MessageDraft, NamespaceSpec, PassageVector

SAID = datetime(2024, 3, 4, 9, tzinfo=UTC)


def texts(answer: RetrievalAnswer) -> list[str]:
    return [hit.node.text for hit in answer.hits]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("When did Ana paint the sunrise?", "Hi Ben! I painted a sunrise over the lake yesterday."),
        ("what is the name of Ben's puppy", "I adopted a puppy last Friday, her name is Nala."),
        ("Where did Ana move in September?", "We moved to Lisbon in September."),
        ("東京タワー", "東京タワー is on my list for next year"),
        ("woof NOT (meow)", 'Nala says "woof" AND NOT (meow) OR *'),
    ],
)
async def test_the_memory_asked_for_comes_first(world, query: str, found: str) -> None:
    answer = await world.retrieve(query)
    assert texts(answer)[0] == found
    assert [hit.rank for hit in answer.hits] == list(range(1, len(answer.hits) + 1))
    assert [hit.score for hit in answer.hits] == sorted((hit.score for hit in answer.hits), reverse=True)


@pytest.mark.parametrize("recipe", RECIPES)
@pytest.mark.parametrize("query", ["When did Ben adopt Nala?", "lake in May 2023", "👍🏽", '"(*', "What did you recommend?"])
async def test_every_hit_explains_its_score(extracted, recipe: str, query: str) -> None:
    answer = await extracted.retrieve(query, recipe=recipe, k=20)
    for hit in answer.hits:
        explanation = hit.explanation
        assert abs(sum(c.points for c in explanation.contributions) - hit.score) < 1e-9
        assert all(c.points == c.weight * c.value for c in explanation.contributions)
        assert explanation.contributions
        assert explanation.evidence_ids
        assert all(rank.rank >= 1 for rank in explanation.channels)


async def test_what_was_written_a_moment_ago_is_found(world) -> None:
    await world.store.namespace("home").append(
        AppendCommand("winter", (MessageDraft("Ben", Role.USER, "Nala ate my passport", datetime(2024, 1, 1, tzinfo=UTC)),), timedelta(0)),
    )
    assert texts(await world.retrieve("who ate the passport?"))[0] == "Nala ate my passport"


async def test_filters_decide_what_may_be_returned(world) -> None:
    answer = await world.retrieve("Nala the puppy", filter=MemoryFilter(sessions=("autumn",), speakers=("Ben",)))
    assert answer.hits
    assert {(h.node.session, h.node.speaker) for h in answer.hits} == {("autumn", "Ben")}
    past = MemoryFilter(said=TimeRange(end=datetime(2020, 1, 1, tzinfo=UTC)))
    assert not (await world.retrieve("Nala", filter=past)).hits


async def test_facts_alone_can_be_asked_for(extracted) -> None:
    answer = await extracted.retrieve("Which puppy did Ben adopt?", filter=MemoryFilter(kinds=frozenset({NodeKind.FACT})))
    first = answer.hits[0]
    assert isinstance(first.node, Statement)
    assert first.node.text == "Ben adopted a puppy called Nala."
    assert first.explanation.evidence_ids == (extracted.messages["spring"][3],)
    assert "evidence" in {c.signal for c in first.explanation.contributions}


async def test_a_fact_and_its_message_do_not_both_take_a_rank(extracted) -> None:
    answer = await extracted.retrieve("Ben adopted a puppy called Nala", k=20)
    stands_for = [e for hit in answer.hits for e in hit.explanation.evidence_ids]
    assert len(stands_for) == len(set(stands_for))


async def test_the_graph_reaches_what_shares_no_word_with_the_query(extracted) -> None:
    answer = await extracted.retrieve("Which puppy did Ben adopt?", recipe="graph", k=20)
    assert answer.plan.recipe == "graph"
    reached = [h for h in answer.hits if h.explanation.path]
    assert reached
    assert any(c.signal == "graph" and c.from_id for h in reached for c in h.explanation.contributions)
    for hit in reached:
        assert hit.explanation.path[-1].node_id == hit.node.id


async def test_entities_that_the_query_names_are_linked(extracted) -> None:
    assert (await extracted.retrieve("what about nala?")).plan.entities == ("Nala",)


async def test_the_embedded_text_leaves_out_the_speakers(world) -> None:
    answer = await world.retrieve("What did Ana paint?")
    assert world.embedder.asked == ["What did paint?"]
    assert answer.plan.dense_text == "What did paint?"
    assert answer.plan.speakers == ("Ana",)
    assert answer.plan.degraded == ()


async def test_a_query_of_ten_thousand_words_is_answered(world) -> None:
    query = " ".join(["sunrise", *(f"word{i}" for i in range(10_000))])
    assert texts(await world.retrieve(query))[0] == "Hi Ben! I painted a sunrise over the lake yesterday."


async def test_another_models_vectors_are_not_compared(world) -> None:
    other = type(world.embedder)(dimension=64, fingerprint="another")
    answer = await retrieve(world.store, world.request("sunrise"), other)
    assert [one.reason for one in answer.plan.degraded] == [DegradationReason.MODEL_NOT_SERVED]
    assert not other.asked
    assert texts(answer)[0].startswith("Hi Ben! I painted a sunrise")


async def test_without_an_embedder_the_other_channels_answer(world) -> None:
    answer = await retrieve(world.store, world.request("sunrise"), None)
    assert answer.hits
    assert answer.plan.degraded[0].message.startswith("dense:")


async def test_the_callers_own_vector_is_used(world) -> None:
    vector = world.embedder.vector("adopted puppy Nala") * np.float32(7)
    answer = await world.retrieve("something else entirely", recipe="dense", vector=vector)
    assert texts(answer)[0] == "I adopted a puppy last Friday, her name is Nala."
    assert not world.embedder.asked


@pytest.mark.parametrize("vector", [np.ones(3, np.float32), np.zeros(64, np.float32), np.full(64, np.nan, np.float32)])
async def test_a_vector_that_does_not_fit_is_refused(world, vector) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await world.retrieve("x", vector=vector)
    assert refused.value.violations[0].field == "embedding"


@pytest.mark.parametrize(("field", "value"), [("k", 0), ("k", -1), ("recipe", "magic"), ("query", "  \n")])
async def test_bad_requests_name_the_field(world, field: str, value) -> None:
    request = {"query": "x", field: value}
    with pytest.raises(InvalidArgument) as refused:
        await world.retrieve(request.pop("query"), **request)
    assert refused.value.violations[0].field == field


async def test_an_unknown_namespace_is_not_found(world) -> None:
    with pytest.raises(NotFound):
        await world.retrieve("x", namespace="nowhere")


async def test_an_empty_namespace_answers_with_nothing(world) -> None:
    await world.store.create_namespace(NamespaceSpec("empty", NO_EMBEDDING, ExtractionMode.OFF))
    answer = await world.retrieve("anything", namespace="empty")
    assert answer.hits == ()
    assert answer.plan.degraded == (Degradation.of(DegradationReason.NO_VECTORS, "empty"),)


async def test_several_namespaces_make_one_ranking(world) -> None:
    await world.store.create_namespace(NamespaceSpec("team", world.embedder.spec, ExtractionMode.OFF))
    draft = MessageDraft("Cleo", Role.USER, "The sunrise over the lake was painted by Ana", datetime(2023, 7, 1, tzinfo=UTC))
    await world.store.namespace("team").append(AppendCommand("s", (draft,), timedelta(0)))
    requests = [world.request("painted sunrise lake", k=3), world.request("painted sunrise lake", namespace="team", k=3)]
    answer = await retrieve_many(world.store, requests, world.embedder)
    assert {hit.namespace for hit in answer.hits} == {"home", "team"}
    assert len(answer.hits) == 3
    assert [hit.rank for hit in answer.hits] == [1, 2, 3]
    # Both namespaces planned the same text: it was embedded once.
    assert len(world.embedder.asked) == 1
    assert all(isinstance(hit.node, Message) for hit in answer.hits)


async def test_a_standing_instruction_comes_along_whatever_is_asked(world) -> None:
    store, embedder = world.store, world.embedder
    await store.create_namespace(NamespaceSpec("assisted", embedder.spec, ExtractionMode.EVENT))
    turns = [(Role.USER, "Always give bread recipes in metric units."), (Role.ASSISTANT, "Certainly!")]
    turns += [
        turn for i in range(150) for turn in ((Role.USER, f"How do I bake bread number {i}?"), (Role.ASSISTANT, f"Bake bread {i} hot."))
    ]
    drafts = tuple(MessageDraft(role.name.lower(), role, text, SAID + timedelta(minutes=i)) for i, (role, text) in enumerate(turns))
    outcome = await store.namespace("assisted").append(AppendCommand("s1", drafts, timedelta(0)))
    passages = await store.namespace("assisted").missing_vectors("s1", 1_000)
    vectors = [PassageVector(p.owner_id, p.ordinal, embedder.vector(p.text).astype(np.float16)) for p in passages]
    await store.namespace("assisted").put_vectors(embedder.spec.fingerprint, vectors)
    answer = await world.retrieve("How do I bake bread?", namespace="assisted", k=300)
    assert outcome.messages[0].id in [hit.node.id for hit in answer.hits]
