"""The index of summaries: kept while nothing changes, made once for all who ask at a time, bounded in bytes, exact in any blocks."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from graph.model import Granularity, Summary, SummaryLevel, SummarySentence, TimeSpan
from graph.retrieval.summaries import index as index_module
from graph.retrieval.summaries.index import SummaryIndex, SummaryIndexes
from graph.store.port import SearchedSummaries
from graph.text import terms_of

SAID = datetime(2024, 3, 4, tzinfo=UTC)


def summary(number: int, *texts: str) -> Summary:
    return Summary(
        id=f"sum_{number:04d}",
        level=SummaryLevel.WINDOW,
        title="a title",
        sentences=tuple(SummarySentence(text, ("evt_1",)) for text in texts),
        member_ids=(),
        time=TimeSpan(SAID, SAID, Granularity.INSTANT),
        said_from=SAID,
        said_to=SAID,
        recorded_at=SAID,
        consolidated_at=SAID,
        consolidator="",
        generation=1,
        sessions=("s",),
        names=("Ines",),
    )


class Summaries:
    """The summaries of a namespace as a store tells of them, with how often it was asked and how often all were read."""

    def __init__(self, summaries: Sequence[Summary], vectors: np.ndarray[Any, Any] | None = None) -> None:
        self.summaries = tuple(summaries)
        self.vectors = {} if vectors is None else {one.id: row for one, row in zip(summaries, vectors.astype(np.float16), strict=True)}
        self.revision, self.asked, self.read = 1, 0, 0
        self.fails = 0

    def write(self, *summaries: Summary) -> None:
        self.summaries = summaries
        self.revision += 1

    async def searched_summaries(self, seen: int) -> SearchedSummaries | None:
        self.asked += 1
        found = SearchedSummaries(self.revision, self.summaries, self.vectors)
        await asyncio.sleep(0.01)
        if self.fails:
            self.fails -= 1
            raise OSError("the disk is gone")
        if found.revision <= seen:
            return None
        self.read += 1
        return found


async def of(indexes: SummaryIndexes, memory: Summaries, uid: str = "one") -> SummaryIndex:
    return await indexes.of(memory, uid)  # type: ignore[arg-type]  # what of a Memory is asked


async def test_many_who_ask_at_once_share_two_looks_and_one_build() -> None:
    memory, indexes = Summaries([summary(1, "Ines ran.")]), SummaryIndexes()
    found = await asyncio.gather(*(of(indexes, memory) for _ in range(50)))
    assert len({id(one) for one in found}) == 1
    assert (memory.asked, memory.read) == (2, 1)
    await of(indexes, memory)
    assert (memory.asked, memory.read) == (3, 1)


async def test_what_is_written_during_a_look_is_known_to_whoever_asks_after_it() -> None:
    memory, indexes = Summaries([summary(1, "Ines ran.")]), SummaryIndexes()
    first = asyncio.create_task(of(indexes, memory))
    await asyncio.sleep(0.002)
    memory.write(summary(1, "Ines ran."), summary(2, "Rui sang."))
    later = await asyncio.gather(*(of(indexes, memory) for _ in range(5)))
    assert len((await first).summaries) == 1
    assert [len(one.summaries) for one in later] == [2] * 5
    assert memory.read == 2


async def test_a_look_that_fails_or_is_given_up_fails_no_other() -> None:
    memory, indexes = Summaries([summary(1, "Ines ran.")]), SummaryIndexes()
    memory.fails = 1
    found = await asyncio.gather(*(of(indexes, memory) for _ in range(4)), return_exceptions=True)
    assert [type(one) for one in found] == [OSError, SummaryIndex, SummaryIndex, SummaryIndex]
    memory.write(summary(1, "Ines swam."))
    given_up, other = asyncio.create_task(of(indexes, memory)), asyncio.create_task(of(indexes, memory))
    await asyncio.sleep(0.002)
    given_up.cancel()
    assert "swam" in (await other).places
    with pytest.raises(asyncio.CancelledError):
        await given_up


async def test_what_is_kept_is_bounded_by_bytes_and_the_last_one_asked_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    memories = {
        uid: Summaries([summary(number, f"Ines told story {number}.") for number in range(50)], rng.normal(size=(50, 16)))
        for uid in ("one", "two", "three")
    }
    indexes = SummaryIndexes()
    size = (await of(indexes, memories["one"], "one")).size
    assert size > 50 * 16 * 2
    monkeypatch.setattr(index_module, "_KEPT_BYTES", 2 * size + 100)
    for uid in ("one", "two", "one", "three", "one"):
        await of(indexes, memories[uid], uid)
    assert {uid: memory.read for uid, memory in memories.items()} == {"one": 1, "two": 1, "three": 1}
    await of(indexes, memories["two"], "two")  # it had made room for the third
    assert memories["two"].read == 2
    monkeypatch.setattr(index_module, "_KEPT_BYTES", 0)
    for _ in range(2):
        await of(indexes, memories["three"], "three")
        await of(indexes, memories["two"], "two")
        await of(indexes, memories["two"], "two")
    assert memories["two"].read == 3 + 1


async def test_scores_are_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    words = np.array(["garden", "tomatoes", "boat", "mast", "porto", "trellis", "wall", "spring"])
    vectors = rng.normal(size=(300, 24))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    memory = Summaries([summary(number, " ".join(rng.choice(words, 6))) for number in range(300)], vectors)
    index = await of(SummaryIndexes(), memory)
    assert index.vectors.dtype == np.float16
    terms, query = tuple(terms_of("tomatoes boat unheard")), vectors[7].astype(np.float32)
    whole = index.scores(terms, query).total()
    monkeypatch.setattr(index_module, "_BLOCK", 7)
    assert np.allclose(index.scores(terms, query).total(), whole)
    cosines = np.maximum(vectors.astype(np.float16).astype(np.float64) @ query, 0)
    assert np.allclose(whole, 0.6 * cosines + 0.4 * index.scores(terms, None).total(), atol=1e-6)
    has = np.array(["tomatoes" in one.text or "boat" in one.text for one in memory.summaries])
    assert ((index.scores(terms, None).total() > 0) == has).all()
    assert whole.argmax() == 7


async def test_contributions_sum_to_the_score() -> None:
    vectors = np.array([[1.0, 0.0], [0.6, 0.8], [-1.0, 0.0]])
    memory = Summaries([summary(1, "Ines planted tomatoes."), summary(2, "Rui sang."), summary(3, "Rui slept.")], vectors)
    index = await of(SummaryIndexes(), memory)
    terms = tuple(terms_of("tomatoes unheard"))
    scores = index.scores(terms, np.array([1.0, 0.0], dtype=np.float32))
    both, near, neither = (scores.contributions(row) for row in range(3))
    assert [(part.signal, part.weight) for part in both] == [("dense", 0.6), ("lexical", 0.4)]
    assert [(part.signal, part.raw) for part in near] == [("dense", pytest.approx(0.6, abs=1e-3))]
    assert neither == ()
    for row, parts in enumerate((both, near, neither)):
        assert sum(part.points for part in parts) == scores.total()[row]
        assert all(part.points == part.weight * part.value and 0 < part.value <= 1 for part in parts)

    of_words = index.scores(terms, None)
    [words] = of_words.contributions(0)
    assert (words.signal, words.weight, words.points) == ("lexical", 1.0, of_words.total()[0])
    assert (words.raw, words.value) == (both[1].raw, both[1].value)
    assert words.raw > words.value
    assert of_words.contributions(1) == ()


async def test_sentences_of_the_same_words_are_known_as_such() -> None:
    memory = Summaries([summary(1, "Ines ran.", "Rui sang."), summary(2, "Rui sang."), summary(3, "Lia sang.")])
    first, second, third = (await of(SummaryIndexes(), memory)).told
    assert set(second) < set(first)
    assert not set(third) & set(first)
