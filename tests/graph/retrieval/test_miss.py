"""Why a memory is not in an answer: each reason, on a real store."""

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from graph.errors import InvalidArgument, NotFound
from graph.model import (
    ExtractionMode,
    ExtractorSpec,
    LabelCondition,
    LabelFilter,
    MemoryFilter,
    NodeKind,
    Role,
    Statement,
    TimeRange,
    UuidSource,
)
from graph.retrieval import Reranking, explain_miss, offload
from graph.retrieval.explaining import miss as miss_module
from graph.retrieval.explaining import shortfall as shortfall_module
from graph.retrieval.explaining.miss import Miss, MissReason
from graph.retrieval.ranking import ranking, rerank
from graph.store.port import AppendCommand, Deletion, GenerationStart, MessageDraft, NamespaceSpec

QUERY = "What did Ana paint?"


async def miss(world, id_: str, query: str = QUERY, **fields) -> Miss:
    return await explain_miss(world.store, world.request(query, **fields), id_, world.embedder)


async def statement_of(world, text: str) -> Statement:
    answer = await world.retrieve(text, filter=MemoryFilter(kinds=frozenset({NodeKind.FACT})), k=1)
    return answer.hits[0].node


async def test_it_is_in_the_answer(world) -> None:
    told = await miss(world, world.messages["spring"][0])
    answer = await world.retrieve(QUERY)
    assert told.reason is MissReason.IN_ANSWER
    assert told.hit == answer.hits[0]
    assert told.plan == answer.plan


@pytest.mark.parametrize("place", [("spring", 1), ("spring", 5), ("autumn", 2)])
@pytest.mark.parametrize("recipe", ["hybrid", "graph", "lexical", "dense"])
async def test_every_memory_is_in_the_answer_or_told_why_not(extracted, place: tuple[str, int], recipe: str) -> None:
    id_ = extracted.messages[place[0]][place[1]]
    told = await miss(extracted, id_, recipe=recipe, k=3)
    answer = await extracted.retrieve(QUERY, recipe=recipe, k=3)
    assert (told.reason is MissReason.IN_ANSWER) == (id_ in [hit.node.id for hit in answer.hits])
    assert told.hit is not None
    assert abs(sum(part.points for part in told.hit.explanation.contributions) - told.hit.score) < 1e-9


async def test_it_was_never_there(world) -> None:
    assert (await miss(world, UuidSource().mint("msg"))).reason is MissReason.NOT_FOUND


async def test_it_was_deleted(world) -> None:
    id_ = world.messages["spring"][0]
    await world.store.namespace(world.name).delete(Deletion(memory_ids=(id_,)))
    told = await miss(world, id_)
    assert told.reason is MissReason.NOT_FOUND
    assert told.hit is None


async def test_events_and_entities_are_no_memories(extracted) -> None:
    fact = await statement_of(extracted, "Ana painted a sunrise.")
    assert (await miss(extracted, fact.event_id)).reason is MissReason.NOT_A_MEMORY


async def test_it_is_no_longer_believed(extracted) -> None:
    fact = await statement_of(extracted, "Ana painted a sunrise.")
    await extracted.store.namespace(extracted.name).begin_generation(GenerationStart(ExtractorSpec("another", "2", ExtractionMode.EVENT)))
    assert (await miss(extracted, fact.id)).reason is MissReason.RETIRED


@pytest.mark.parametrize(
    ("part", "chosen"),
    [
        ("kinds", MemoryFilter(kinds=frozenset({NodeKind.FACT}))),
        ("sessions", MemoryFilter(sessions=("autumn",))),
        ("sessions", MemoryFilter(sessions=("nowhere",))),
        ("speakers", MemoryFilter(speakers=("Ben",))),
        ("said", MemoryFilter(said=TimeRange(end=datetime(2020, 1, 1, tzinfo=UTC)))),
        ("happened", MemoryFilter(happened=TimeRange(end=datetime(2020, 1, 1, tzinfo=UTC)))),
        ("labels", MemoryFilter(labels=LabelFilter(all_of=(LabelCondition("channel"),)))),
    ],
)
async def test_the_filter_keeps_it_out(world, part: str, chosen: MemoryFilter) -> None:
    told = await miss(world, world.messages["spring"][0], filter=chosen)
    assert told.reason is MissReason.FILTERED
    assert told.filtered_by == (part,)
    # It is measured all the same: what it would have reached without the filter.
    assert told.hit.score > 0


async def test_every_part_of_the_filter_that_keeps_it_out_is_named(world) -> None:
    chosen = MemoryFilter(sessions=("spring",), speakers=("Ben",), said=TimeRange(end=datetime(2020, 1, 1, tzinfo=UTC)))
    assert (await miss(world, world.messages["spring"][0], filter=chosen)).filtered_by == ("speakers", "said")


async def crowded(world, text: str, count: int) -> list[str]:
    """A namespace with so many messages about one thing, each in a session of its own so that none comes along with another."""
    await world.store.create_namespace(NamespaceSpec("crowd", world.embedder.spec, ExtractionMode.OFF))
    ids: list[str] = []
    for number in range(count):
        sent_at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=number)
        draft = MessageDraft("Cleo", Role.USER, text.format(number), sent_at)
        ids += [m.id for m in (await world.store.namespace("crowd").append(AppendCommand(f"s{number}", (draft,), timedelta(0)))).messages]
    return ids


async def test_no_channel_found_it(world) -> None:
    await crowded(world, "The marathon number {} was run in the rain", 120)
    draft = MessageDraft("Cleo", Role.USER, "Bread and butter", datetime(2024, 6, 1, tzinfo=UTC))
    far = (await world.store.namespace("crowd").append(AppendCommand("kitchen", (draft,), timedelta(0)))).messages[0].id
    told = await miss(world, far, "marathon in the rain", namespace="crowd")
    assert told.reason is MissReason.NOT_A_CANDIDATE
    lexical = {channel.channel: channel for channel in told.channels}["lexical"]
    assert lexical.score == 0
    assert lexical.needed > 0
    # Of all that share no word with the query, none is before another.
    assert lexical.rank == 0


@pytest.mark.parametrize(
    ("others", "score", "limit", "rank", "needed"),
    [
        # A cosine may be below 0, and so may what was needed.
        ([0.4, -0.1, -0.2], -0.3, 3, 4, -0.2),
        ([0.4, -0.1, -0.2], -0.15, 2, 3, -0.1),
        # Fewer than the channel looks for have anything in common with the query: any score would have done.
        ([0.4, 0.0, 0.0], 0.0, 2, 0, None),
        ([], 0.2, 1, 1, None),
    ],
)
def test_what_was_needed_in_a_channel(others: list[float], score: float, limit: int, rank: int, needed: float | None) -> None:
    told = shortfall_module._shortfall("dense", np.array(others), score, limit)
    assert (told.rank, told.needed) == (rank, needed)


async def test_nothing_speaks_for_it(world) -> None:
    # The dense channel of a small namespace finds everything, even what has nothing in common with the query.
    told = await miss(world, world.messages["spring"][5], "clock", recipe="dense")
    assert told.reason is MissReason.NO_SIGNAL
    assert told.hit.score == 0


async def test_it_is_less_relevant_than_was_asked_for(world) -> None:
    told = await miss(world, world.messages["spring"][0], min_relevance=1.0)
    assert told.reason is MissReason.BELOW_MIN_RELEVANCE
    assert told.hit.relevance < 1


async def test_a_better_memory_stands_for_it(extracted) -> None:
    fact = await statement_of(extracted, "Ben adopted a puppy called Nala.")
    query = "Ben adopted a puppy called Nala"
    hits = [hit.node.id for hit in (await extracted.retrieve(query, k=20)).hits]
    hidden = extracted.messages["spring"][3] if fact.id in hits else fact.id
    told = await miss(extracted, hidden, query, k=20)
    assert told.reason is MissReason.STOOD_FOR
    assert [rival.hit.node.id for rival in told.stood_for_by] == [id_ for id_ in hits if id_ in (fact.id, extracted.messages["spring"][3])]


async def test_it_was_outscored(world) -> None:
    answer = await world.retrieve("Nala the puppy", k=20)
    last = answer.hits[-1]
    told = await miss(world, last.node.id, "Nala the puppy", k=3)
    assert told.reason is MissReason.OUTSCORED
    assert told.hit.rank == len(answer.hits)
    assert [rival.hit.rank for rival in told.rivals] == [1, 2, 3]
    for rival, hit in zip(told.rivals, answer.hits, strict=False):
        assert rival.hit.node == hit.node
        gap = sum(one.rival_points - one.points for one in rival.differences)
        assert abs(gap - (rival.hit.score - told.hit.score)) < 1e-9


@pytest.mark.parametrize("recipe", ["hybrid", "graph"])
async def test_other_calls_are_answered_while_a_miss_among_many_is_explained(extracted, monkeypatch, recipe: str) -> None:
    """Whatever grows with the number of candidates runs beside the thread in which calls are answered."""
    alone = await explained_by_a_reranker(extracted, recipe)
    monkeypatch.setattr(offload, "_FEW", 0)
    worked_in = dict[str, threading.Thread]()

    def watched(name: str, work):
        def working(*args):
            worked_in[name] = threading.current_thread()
            return work(*args)

        return working

    for module, name in [
        (ranking, "select_hits"),
        (rerank, "select_hits"),
        (rerank, "_with_signal"),
        (miss_module, "shortfalls"),
        (miss_module, "explain"),
    ]:
        monkeypatch.setattr(module, name, watched(f"{module.__name__}.{name}", getattr(module, name)))
    assert await explained_by_a_reranker(extracted, recipe) == alone
    assert len(worked_in) == 5
    assert threading.current_thread() not in worked_in.values()


async def explained_by_a_reranker(world, recipe: str) -> Miss:
    class ByLength:
        async def rerank(self, query: str, texts: Sequence[str]) -> list[float]:
            return [float(len(text)) for text in texts]

    request = world.request(QUERY, recipe=recipe, k=2)
    return await explain_miss(world.store, request, world.messages["spring"][3], world.embedder, Reranking(ByLength()))


async def test_bad_requests_are_refused_as_those_of_retrieve(world) -> None:
    with pytest.raises(InvalidArgument):
        await miss(world, world.messages["spring"][0], recipe="magic")
    with pytest.raises(NotFound):
        await miss(world, world.messages["spring"][0], namespace="nowhere")
