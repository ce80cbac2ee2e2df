"""A job gives its turn away, so that one namespace's long texts hold up nobody else's; what it has done is kept."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from extract.embed import HashingEmbedder
from extract.local import LocalExtractor, local_extractors
from extract.pipeline import ExtractionPipeline, PipelineSettings
from extract.port import Extraction, Segment
from extract.segment import SegmentRecipe
from graph.model import ExtractionMode, ExtractorSpec, JobKind, JobState, Role, UuidSource
from graph.store.port import AppendCommand, EventQuery, MessageDraft, MessageQuery, NamespaceSpec

LEASE = timedelta(hours=1)  # renewed by the true time, which stands still beside the moved one
TURN = timedelta(seconds=5)
START = datetime(2023, 5, 17, 9, 0, tzinfo=UTC)
LONG = "The harbour of Lisbon is wide and old. " * 2_000  # about 78,000 characters: more than one step of embedding
LINES = 6


class _SlowEmbedder(HashingEmbedder):
    """Takes as long for a step as it is told, and knows what it was given."""

    def __init__(self, clock: Any, takes: timedelta) -> None:
        super().__init__(64)
        self._clock, self._takes = clock, takes
        self.steps: list[list[str]] = []

    async def embed(self, texts: Sequence[str]) -> Any:
        self.steps.append(list(texts))
        self._clock.move(self._takes)
        return await super().embed(texts)


class _SlowExtractor:
    """Extracts by rules, takes as long for a segment as it is told, and knows whose segments it saw."""

    def __init__(self, clock: Any, takes: timedelta) -> None:
        self._clock, self._takes, self._local = clock, takes, LocalExtractor()
        self.seen: list[str] = []
        self.messages: list[str] = []

    @property
    def spec(self) -> ExtractorSpec:
        return self._local.spec

    async def extract(self, segment: Segment) -> Extraction:
        self.seen.append(segment.namespace)
        self.messages += [message.id for message in segment.messages]
        self._clock.move(self._takes)
        return await self._local.extract(segment)


def _pipeline(store: Any, clock: Any, embedder: Any, extractors: Any = None) -> ExtractionPipeline:
    settings = PipelineSettings(lease=LEASE, turn=TURN, recipe=SegmentRecipe(least_messages=1, most_messages=1))
    return ExtractionPipeline(store, embedder, extractors or local_extractors(), UuidSource(), clock, settings)


async def _filled(store: Any, clock: Any, name: str, texts: Sequence[str], mode: ExtractionMode = ExtractionMode.EVENT) -> str:
    """A namespace with one flushed session of these texts; the id of its job. The next one's is due later."""
    await store.create_namespace(NamespaceSpec(name, HashingEmbedder(64).spec, mode))
    drafts = tuple(MessageDraft("Maria", Role.USER, text, START + timedelta(minutes=n)) for n, text in enumerate(texts))
    job = (await store.namespace(name).append(AppendCommand("chat", drafts, timedelta(hours=1)))).job_id
    await store.namespace(name).flush("chat")
    clock.move(timedelta(milliseconds=1))
    return str(job)


async def _turns(store: Any, pipeline: ExtractionPipeline) -> list[str]:
    """Works until nothing is due, as one worker would; which namespaces had the turns."""
    served: list[str] = []
    while (lease := await store.lease_job("test", LEASE, {JobKind.EXTRACTION})) is not None:
        assert len(served) < 100, "jobs never end"
        served.append(lease.job.namespace)
        outcome = await pipeline.run(lease)
        assert outcome is not None
        await store.namespace(lease.job.namespace).finish_job(lease, outcome)
    return served


def _boats(count: int) -> list[str]:
    return [f"I bought {number + 2} red boats yesterday." for number in range(count)]


@pytest.mark.parametrize("mode", [ExtractionMode.EVENT, ExtractionMode.OFF])
async def test_a_short_conversation_is_embedded_before_another_namespaces_long_texts_are_done(
    store: Any, clock: Any, mode: ExtractionMode
) -> None:
    embedder = _SlowEmbedder(clock, timedelta(seconds=3))
    long = await _filled(store, clock, "long", [LONG] * LINES, mode)
    short = await _filled(store, clock, "short", _boats(1), mode)
    served = await _turns(store, _pipeline(store, clock, embedder))
    assert served.index("short") == 1
    assert served.count("long") > 2
    for name, job, lines in (("long", long, LINES), ("short", short, 1)):
        memory = store.namespace(name)
        done = await memory.get_job(job)
        assert (done.state, done.attempts) == (JobState.SUCCEEDED, 1)
        assert (await memory.describe()).vectors_pending == 0
        assert len((await memory.list_messages(MessageQuery(), None, 100)).items) == lines


async def test_no_passage_is_embedded_twice_though_its_job_took_many_turns(store: Any, clock: Any) -> None:
    embedder = _SlowEmbedder(clock, TURN)
    await _filled(store, clock, "long", [f"{number}. {LONG}" for number in range(LINES)], ExtractionMode.OFF)
    served = await _turns(store, _pipeline(store, clock, embedder))
    assert len(served) >= len(embedder.steps) - 1 > 2
    assert all(sum(map(len, step)) <= 100_000 for step in embedder.steps)
    described = await store.namespace("long").describe()
    assert (described.vectors_pending, described.vectors) == (0, sum(len(step) for step in embedder.steps))


async def test_a_short_conversation_is_extracted_before_another_namespaces_long_one(store: Any, clock: Any) -> None:
    extractor = _SlowExtractor(clock, timedelta(seconds=2))
    long = await _filled(store, clock, "long", _boats(LINES))
    short = await _filled(store, clock, "short", _boats(1))
    await _turns(store, _pipeline(store, clock, None, {ExtractionMode.EVENT: extractor}))
    assert extractor.seen == ["long"] * 3 + ["short"] + ["long"] * 3
    assert len(set(extractor.messages)) == len(extractor.messages)
    for name, job, lines in (("long", long, LINES), ("short", short, 1)):
        done = await store.namespace(name).get_job(job)
        assert (done.state, done.done, done.total) == (JobState.SUCCEEDED, lines, lines)
        assert len((await store.namespace(name).list_events(EventQuery(), None, 100)).items) == lines


async def test_a_step_that_takes_longer_than_a_turn_is_done_all_the_same(store: Any, clock: Any) -> None:
    embedder = _SlowEmbedder(clock, 2 * TURN)
    extractor = _SlowExtractor(clock, 2 * TURN)
    job = await _filled(store, clock, "long", [LONG, LONG, *_boats(2)])
    await _turns(store, _pipeline(store, clock, embedder, {ExtractionMode.EVENT: extractor}))
    done = await store.namespace("long").get_job(job)
    assert (done.state, done.done) == (JobState.SUCCEEDED, 4)
    assert len(extractor.seen) == 4
