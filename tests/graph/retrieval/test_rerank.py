"""A reranker's word is one more signal; one that is late, fails or talks nonsense changes nothing but the plan."""

import asyncio
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.model import Message
from graph.retrieval import Reranking, RetrievalAnswer, build_context, explain_miss, retrieve, retrieve_many
from graph.retrieval.degradation import DegradationReason
from graph.retrieval.ranking.rerank import spread_out

QUERY = "What about Nala the puppy?"


class Reader:
    """Scores texts as it is told to, and remembers them."""

    def __init__(self, score: Callable[[str], float] = len, delay: float = 0.0) -> None:
        self.read: list[str] = []
        self._score = score
        self._delay = delay

    async def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        await asyncio.sleep(self._delay)
        self.read = list(texts)
        return [float(self._score(text)) for text in texts]


def ids(answer: RetrievalAnswer) -> list[str]:
    return [hit.node.id for hit in answer.hits]


async def answered(world, how: Reranking | None, **fields) -> RetrievalAnswer:
    return await retrieve(world.store, world.request(QUERY, **fields), world.embedder, how)


async def test_a_strong_reranker_decides_the_order_of_the_best(world) -> None:
    fused = await answered(world, None, k=20)
    reader = Reader(lambda text: "kitchen" in text)
    answer = await answered(world, Reranking(reader, weight=100.0), k=20)
    assert "kitchen" in answer.hits[0].node.text
    assert sorted(ids(answer)) == sorted(ids(fused))
    assert reader.read[0] == f"{fused.hits[0].node.speaker}: {fused.hits[0].node.text}"
    assert not answer.plan.degraded


async def test_the_score_still_recomputes(extracted) -> None:
    answer = await answered(extracted, Reranking(Reader(lambda text: -len(text) / 7)), k=20)
    assert "reranker" in {c.signal for hit in answer.hits for c in hit.explanation.contributions}
    for hit in answer.hits:
        assert abs(sum(c.points for c in hit.explanation.contributions) - hit.score) < 1e-9
        assert all(c.points == c.weight * c.value for c in hit.explanation.contributions)
    assert [hit.score for hit in answer.hits] == sorted((hit.score for hit in answer.hits), reverse=True)


async def test_only_the_best_are_read_and_they_stay_before_the_rest(extracted) -> None:
    fused = ids(await answered(extracted, None, k=20))
    reader = Reader()
    answer = await answered(extracted, Reranking(reader, best=3), k=20)
    assert len(reader.read) == 3
    assert set(ids(answer)[:3]) == set(fused[:3])
    assert ids(answer)[3:] == fused[3:]


async def test_a_memory_further_down_can_come_among_the_k(world) -> None:
    fused = ids(await answered(world, None, k=20))
    last = fused[-1]
    text = (await world.store.namespace("home").get_nodes([last]))[last].text
    answer = await answered(world, Reranking(Reader(lambda read: text in read), weight=100.0), k=1)
    assert ids(answer) == [last]


class Raising:
    async def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        raise RuntimeError("out of memory")


class Fixed:
    def __init__(self, scores: list[float]) -> None:
        self.scores = scores

    async def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
        return self.scores


@pytest.mark.parametrize(
    ("reranker", "told"),
    [
        (Reader(delay=30), "reranker: not within 20 ms; the order is that without it"),
        (Raising(), "reranker: it failed; the order is that without it"),
        (Fixed([]), "reranker: it failed; the order is that without it"),
        (Fixed([1.0] * 500), "reranker: it failed; the order is that without it"),
    ],
    ids=["late", "raising", "too few", "too many"],
)
async def test_without_a_usable_answer_the_fused_order_stands_and_the_plan_says_so(world, reranker, told: str) -> None:
    fused = await answered(world, None, k=20)
    answer = await answered(world, Reranking(reranker, timeout_s=0.02 if "20 ms" in told else 30.0), k=20)
    assert answer.hits == fused.hits
    assert [one.message for one in answer.plan.degraded] == [told]


@pytest.mark.parametrize("odd", [np.nan, np.inf])
async def test_scores_that_are_no_numbers_are_a_failure(world, odd: float) -> None:
    answer = await answered(world, Reranking(Reader(lambda text: odd if "Nala" in text else 1.0)))
    assert [one.reason for one in answer.plan.degraded] == [DegradationReason.RERANKER_FAILED]


async def test_why_a_memory_is_missing_says_that_the_reranker_failed(world) -> None:
    how = Reranking(Raising())
    told = await explain_miss(world.store, world.request(QUERY), world.messages["spring"][0], world.embedder, how)
    assert told.plan == (await answered(world, how)).plan
    assert [one.reason for one in told.plan.degraded] == [DegradationReason.RERANKER_FAILED]


async def test_a_single_memory_needs_no_reranker(world) -> None:
    reader = Reader()
    await answered(world, Reranking(reader), min_relevance=1.0)
    assert not reader.read


async def test_contexts_and_several_namespaces_are_reranked_too(world) -> None:
    reader = Reader(lambda text: "kitchen" in text)
    how = Reranking(reader, weight=100.0)
    context = await build_context(world.store, [world.request(QUERY)], world.embedder, 40, lambda text: len(text.split()), how)
    assert "kitchen" in context.text
    answer = await retrieve_many(world.store, [world.request(QUERY)], world.embedder, how)
    assert isinstance(answer.hits[0].node, Message)


@given(st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=20))
def test_values_keep_the_order_of_the_scores_from_0_to_1(scores: list[float]) -> None:
    values = spread_out(scores)
    assert all(0 <= value <= 1 for value in values)
    assert all(values[i] >= values[j] for i, a in enumerate(scores) for j, b in enumerate(scores) if a > b)
