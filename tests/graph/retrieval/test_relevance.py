"""How relevant hits are: what has to do with the query and what has not, on one scale, and nothing where nothing is relevant enough."""

import math

import numpy as np
import pytest

from graph.errors import InvalidArgument
from graph.retrieval import build_context, retrieve_many
from graph.retrieval.planning.plan import plan_query
from graph.retrieval.ranking.channel_scores import score_channels
from graph.retrieval.ranking.relevance import FEATURES, WITH_COSINE, WITHOUT_COSINE, features, relevance
from graph.retrieval.recipes import RECIPES

HYBRID = RECIPES["hybrid"]


def judged(columns, memory, query: str, *memories, speakers=("Ana", "Ben")):
    from datetime import UTC, datetime

    plan = plan_query(query, speakers, datetime(2024, 1, 1, tzinfo=UTC), UTC, HYBRID)
    candidates = columns([memory(**m) for m in memories], plan.terms)
    channel_scores = score_channels(candidates, plan.times, HYBRID)
    values = features(candidates, channel_scores, plan)
    return relevance(candidates, channel_scores, plan), [dict(zip(FEATURES, row.tolist(), strict=True)) for row in values]


def test_the_model_has_a_number_for_each_feature() -> None:
    assert len(WITH_COSINE) == len(WITHOUT_COSINE) == len(FEATURES) + 1
    assert WITHOUT_COSINE[1 + FEATURES.index("cosine")] == 0


def test_nearer_in_meaning_and_in_words_is_more_relevant(columns, memory) -> None:
    values, _ = judged(
        columns,
        memory,
        "Who adopted the puppy?",
        {"text": "I adopted a puppy", "cosine": 0.7, "session": 1},
        {"text": "We bought a cat", "cosine": 0.5, "session": 2},
        {"text": "The weather is nice", "cosine": 0.1, "session": 3},
    )
    assert values.tolist() == sorted(values.tolist(), reverse=True)
    assert ((values >= 0) & (values <= 1)).all()
    assert values[0] > 0.5 > values[2]


def test_a_memory_of_whom_the_query_names_is_more_relevant(columns, memory) -> None:
    same = {"text": "I painted a sunrise", "cosine": 0.5}
    values, about = judged(columns, memory, "What did Ana paint?", {**same, "speaker": "Ana"}, {**same, "speaker": "Ben", "session": 2})
    assert values[0] > values[1]
    assert [(one["of_speaker"], one["of_another"]) for one in about] == [(1, 0), (0, 1)]


def test_words_that_address_the_memory_need_not_be_held(columns, memory) -> None:
    _, about = judged(
        columns, memory, "Can you remind me about the puppy and the kitchen?", {"text": "puppy in the kitchen", "cosine": 0.5}
    )
    assert math.isclose(about[0]["covered"], 1.0)


def test_a_message_holds_what_a_fact_that_rests_on_it_says(columns, memory) -> None:
    _, about = judged(
        columns,
        memory,
        "Who adopted a puppy?",
        {"text": "Yes, last Friday!", "cosine": 0.1},
        {"text": "Ben adopted a puppy", "cosine": 0.8, "rests_on": (0,)},
    )
    assert about[0]["cosine"] == about[1]["cosine"] > 0.7
    assert about[0]["covered"] == about[1]["covered"] > 0.9


def test_what_has_no_vector_yet_is_judged_by_its_words(columns, memory) -> None:
    values, _ = judged(
        columns, memory, "Who adopted the puppy?", {"text": "I adopted a puppy", "cosine": np.nan}, {"text": "The weather", "session": 2}
    )
    assert values[0] > 0.3 > values[1]


def test_nothing_to_judge(columns, memory) -> None:
    values, _ = judged(columns, memory, "Who?")
    assert values.shape == (0,)


async def test_hits_say_how_relevant_they_are(world) -> None:
    answer = await world.retrieve("Ben adopted a puppy")
    assert all(0 <= hit.relevance <= 1 for hit in answer.hits)
    assert answer.hits[0].relevance == answer.best_relevance > 0.5
    assert not answer.nothing_relevant


async def test_only_what_is_relevant_enough_is_returned(world) -> None:
    everything = await world.retrieve("Ben adopted a puppy", k=20)
    least = everything.hits[0].relevance - 1e-9
    answer = await world.retrieve("Ben adopted a puppy", k=20, min_relevance=least)
    assert [hit.node.id for hit in answer.hits] == [hit.node.id for hit in everything.hits if hit.relevance >= least]


async def test_nothing_relevant_is_said_and_how_near_it_was(world) -> None:
    answer = await world.retrieve("quantum chromodynamics of gluons", min_relevance=0.5)
    assert answer.hits == ()
    assert answer.nothing_relevant
    assert 0 < answer.best_relevance < 0.5
    context = await build_context(
        world.store, [world.request("quantum chromodynamics of gluons", min_relevance=0.5)], world.embedder, 100, len
    )
    assert (context.text, context.nothing_relevant) == ("", True)
    assert context.best_relevance == answer.best_relevance


async def test_a_least_relevance_holds_over_several_namespaces(world) -> None:
    requests = [world.request("Ben adopted a puppy", min_relevance=0.3)] * 2
    answer = await retrieve_many(world.store, requests, world.embedder)
    assert answer.hits
    assert all(hit.relevance >= 0.3 for hit in answer.hits)


@pytest.mark.parametrize("value", [-0.1, 1.1, math.nan])
async def test_a_least_relevance_is_from_0_to_1(world, value: float) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await world.retrieve("x", min_relevance=value)
    assert refused.value.violations[0].field == "min_relevance"
