"""What appending a conversation leads to, on a real store: each message extracted once, whatever happens on the way."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from extract.embed import HashingEmbedder
from extract.local import LocalExtractor, local_extractors
from extract.messages_use import MessagesUse
from extract.metering import record_usage
from extract.pipeline import ExtractionPipeline, PipelineSettings
from extract.port import Extraction, ExtractorUnavailable, Segment
from extract.segment import SegmentRecipe
from graph.errors import EmbedderUnavailable
from graph.model import (
    EdgeKind,
    EmbeddingSpec,
    Event,
    ExtractionMode,
    ExtractorSpec,
    Job,
    JobKind,
    JobState,
    NodeKind,
    Role,
    Statement,
    UuidSource,
)
from graph.store.port import (
    AppendCommand,
    Deletion,
    EntityQuery,
    EventQuery,
    JobAttemptFailed,
    JobDeferred,
    JobQuery,
    JobSucceeded,
    MessageDraft,
    MessageQuery,
    NamespaceChange,
    NamespaceSpec,
    StatementQuery,
    UsageEntry,
)

LEASE = timedelta(seconds=30)
IDLE = timedelta(minutes=5)
EMBEDDER = HashingEmbedder(64)
RECIPE = SegmentRecipe(least_messages=2, most_messages=3)
START = datetime(2023, 5, 17, 9, 0, tzinfo=UTC)
TALK = [
    ("Maria", "I moved to Lisbon last week because I got a new job at Acme Labs."),
    ("Ana", "Where do you live now?"),
    ("Maria", "In Alfama, near the river."),
    ("Ana", "My sister Clara lives in Porto."),
    ("Maria", "I am planning to visit Porto in June."),
    ("Ana", "I bought a boat yesterday."),
    ("Maria", "I went sailing in 2019 with my brother Rui."),
]


async def _namespace(store: Any, mode: ExtractionMode = ExtractionMode.EVENT, embedding: EmbeddingSpec = EMBEDDER.spec) -> None:
    await store.create_namespace(NamespaceSpec("acme/maria", embedding, mode))


async def _append(store: Any, talk: Sequence[tuple[str, str]] = TALK, session: str = "chat", first: int = 0) -> str:
    drafts = tuple(
        MessageDraft(speaker, Role.USER, text, START + timedelta(minutes=first + number), client_id=f"{session}-{first + number}")
        for number, (speaker, text) in enumerate(talk)
    )
    return str((await store.namespace("acme/maria").append(AppendCommand(session, drafts, IDLE))).job_id)


def _pipeline(store: Any, clock: Any, extractors: Any = None, embedder: Any = EMBEDDER) -> ExtractionPipeline:
    settings = PipelineSettings(lease=LEASE, recipe=RECIPE)
    return ExtractionPipeline(store, embedder, extractors or local_extractors(), UuidSource(), clock, settings)


async def _drain(store: Any, pipeline: ExtractionPipeline) -> None:
    """Runs every job that is due, as a worker would."""
    for _ in range(200):
        lease = await store.lease_job("test", LEASE, {JobKind.EXTRACTION})
        if lease is None:
            return
        outcome = await pipeline.run(lease)
        if outcome is not None:
            await store.namespace(lease.job.namespace).finish_job(lease, outcome)
    raise AssertionError("jobs never end")


async def _flush_and_drain(store: Any, pipeline: ExtractionPipeline, session: str = "") -> None:
    await store.namespace("acme/maria").flush(session)
    await _drain(store, pipeline)


async def _events(store: Any) -> list[Event]:
    return list((await store.namespace("acme/maria").list_events(EventQuery(), None, 1_000)).items)


async def _statements(store: Any) -> list[Statement]:
    return list((await store.namespace("acme/maria").list_statements(StatementQuery(), None, 1_000)).items)


async def _content(store: Any) -> list[tuple[str, ...]]:
    """Events with their statements and entities, without what differs between two runs: ids and the time of recording."""
    names = {entity.id: entity.name for entity in (await store.namespace("acme/maria").list_entities(EntityQuery(), None, 1_000)).items}
    messages = {m.id: m.client_id for m in (await store.namespace("acme/maria").list_messages(MessageQuery(), None, 1_000)).items}
    nodes = {s.id: s for s in await _statements(store)}
    return sorted(
        (
            event.title,
            str(event.time),
            *(messages[one] for one in event.evidence_ids),
            *sorted(f"{part.role}={names[part.entity_id]}" for part in event.participants),
            *(f"{nodes[one].text}|{nodes[one].predicate}|{sorted(names[e] for e in nodes[one].entity_ids)}" for one in event.statement_ids),
        )
        for event in await _events(store)
    )


async def test_a_flushed_conversation_becomes_events_with_facts_relations_and_entities(store: Any, clock: Any) -> None:
    await _namespace(store)
    job = await _append(store)
    await _flush_and_drain(store, _pipeline(store, clock))
    assert (await store.namespace("acme/maria").get_job(job)).state is JobState.SUCCEEDED
    texts = {one.text for one in await _statements(store)}
    assert 'Asked "Where do you live now?", Maria said: "In Alfama, near the river."' in texts
    assert "Clara is Ana's sister." in texts
    [move] = [event for event in await _events(store) if event.title.startswith("Maria moved to Lisbon")]
    assert move.time is not None
    assert move.time.expression == "last week"
    assert {(part.name, part.role) for part in move.participants} >= {
        ("Maria", "speaker"),
        ("Lisbon", "place"),
        ("Acme Labs", "organisation"),
    }
    edges = (await store.namespace("acme/maria").get_node_edges(move.id, 50)).edges
    assert {EdgeKind.EVIDENCED_BY, EdgeKind.STATES, EdgeKind.INVOLVES, EdgeKind.CAUSES} <= {edge.kind for edge in edges}


async def test_every_message_and_statement_has_its_vector(store: Any, clock: Any) -> None:
    await _namespace(store)
    await _append(store)
    await _flush_and_drain(store, _pipeline(store, clock))
    described = await store.namespace("acme/maria").describe()
    assert described.vectors_pending == 0
    assert described.vectors == len(TALK) + len(await _statements(store))
    assert {entry.step for entry in await store.namespace("acme/maria").usage()} == {"embed", "extract"}


async def test_a_half_full_buffer_gets_its_vectors_and_waits_for_its_idle_time(store: Any, clock: Any) -> None:
    await _namespace(store)
    job = await _append(store, TALK[:1])
    clock.move(IDLE - timedelta(seconds=10))
    await _append(store, TALK[1:2], first=1)
    clock.move(timedelta(seconds=20))
    lease = await store.lease_job("test", LEASE, {JobKind.EXTRACTION})
    outcome = await _pipeline(store, clock).run(lease)
    assert isinstance(outcome, JobDeferred)
    assert outcome.run_after == clock.now() + IDLE - timedelta(seconds=20)
    await store.namespace(lease.job.namespace).finish_job(lease, outcome)
    assert (await store.namespace("acme/maria").describe()).vectors_pending == 0
    assert await _events(store) == []
    clock.move(IDLE)
    await _drain(store, _pipeline(store, clock))
    assert (await store.namespace("acme/maria").get_job(job)).state is JobState.SUCCEEDED
    assert await _events(store) != []


async def test_messages_that_come_before_the_flush_mark_of_an_idle_buffer_are_extracted_at_once(
    store: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _namespace(store)
    await _append(store, TALK[:1])
    clock.move(IDLE)
    handle = type(store.namespace("acme/maria"))
    flush, came = handle.flush, False

    async def late_flush(*arguments: Any) -> Any:
        nonlocal came
        if not came:
            came = True
            await _append(store, TALK[3:4], first=1)
        return await flush(*arguments)

    monkeypatch.setattr(handle, "flush", late_flush)
    await _drain(store, _pipeline(store, clock))
    assert came
    assert {message for event in await _events(store) for message in event.evidence_ids} == {
        message.id for message in (await store.namespace("acme/maria").list_messages(MessageQuery(), None, 10)).items
    }
    assert (await store.namespace("acme/maria").list_jobs(JobQuery(frozenset({JobState.QUEUED, JobState.RUNNING})), None, 10)).items == ()


async def test_the_same_is_extracted_when_messages_come_one_by_one(store: Any, clock: Any) -> None:
    await _namespace(store)
    pipeline = _pipeline(store, clock)
    for number, line in enumerate(TALK):
        await _append(store, [line], first=number)
        await _drain(store, pipeline)
    await _flush_and_drain(store, pipeline)
    one_by_one = await _content(store)
    await store.delete_namespace("acme/maria")
    await _namespace(store)
    await _append(store)
    await _flush_and_drain(store, pipeline)
    assert await _content(store) == one_by_one


@pytest.mark.parametrize("seed", range(4))
async def test_runs_cancelled_anywhere_end_with_the_same_events_as_one_that_was_not(store: Any, clock: Any, seed: int) -> None:
    pipeline, chance = _pipeline(store, clock), random.Random(seed)
    await _namespace(store)
    for session in ("one", "two"):
        await _append(store, session=session)
    await store.namespace("acme/maria").flush("")
    for _ in range(12):
        lease = await store.lease_job("dying", LEASE, {JobKind.EXTRACTION})
        if lease is None:
            break
        run = asyncio.create_task(pipeline.run(lease))
        await asyncio.wait({run}, timeout=chance.random() * 0.02)
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        clock.move(LEASE + timedelta(seconds=1))  # the worker is dead: its lease passes
    await _drain(store, pipeline)
    broken = await _content(store)
    await store.delete_namespace("acme/maria")
    await _namespace(store)
    for session in ("one", "two"):
        await _append(store, session=session)
    await _flush_and_drain(store, pipeline)
    assert await _content(store) == broken


async def test_another_extractor_starts_a_generation_and_retires_the_last_one(store: Any, clock: Any) -> None:
    await _namespace(store)
    await _append(store)
    await _flush_and_drain(store, _pipeline(store, clock))
    await store.namespace("acme/maria").update(NamespaceChange(extraction_mode=ExtractionMode.FLAT))
    await _append(store, [("Maria", "I adopted a cat named Miso yesterday.")], first=50)
    await _flush_and_drain(store, _pipeline(store, clock))
    statements = await _statements(store)
    assert {one.kind for one in statements} == {NodeKind.FACT}
    assert {one.generation for one in statements} == {2}
    assert any("Miso" in one.text for one in statements)
    assert any("Lisbon" in one.text for one in statements)
    described = await store.namespace("acme/maria").describe()
    assert described.retired.get(NodeKind.EVENT, 0) > 0


async def test_with_extraction_off_messages_get_vectors_and_nothing_else(store: Any, clock: Any) -> None:
    await _namespace(store, ExtractionMode.OFF)
    job = await _append(store)
    await _flush_and_drain(store, _pipeline(store, clock))
    assert (await store.namespace("acme/maria").get_job(job)).state is JobState.SUCCEEDED
    assert await _events(store) == []
    described = await store.namespace("acme/maria").describe()
    assert (described.vectors, described.vectors_pending) == (len(TALK), 0)


async def test_what_passed_by_while_extraction_was_off_is_extracted_once_it_is_on(store: Any, clock: Any) -> None:
    await _namespace(store)
    await _append(store, TALK[:3])
    await _flush_and_drain(store, _pipeline(store, clock))
    before = await _events(store)
    assert before
    await store.namespace("acme/maria").update(NamespaceChange(extraction_mode=ExtractionMode.OFF))
    await _append(store, TALK[3:], first=3)
    await _flush_and_drain(store, _pipeline(store, clock))
    assert await _events(store) == []
    await store.namespace("acme/maria").update(NamespaceChange(extraction_mode=ExtractionMode.EVENT))
    await _append(store, [("Ana", "I sold the boat today.")], first=50)
    await _flush_and_drain(store, _pipeline(store, clock))
    assert len(await _events(store)) > len(before) + 1


async def test_a_namespace_of_another_model_gets_none_of_these_vectors(store: Any, clock: Any) -> None:
    await _namespace(store, embedding=HashingEmbedder(32).spec)
    await _append(store)
    await _flush_and_drain(store, _pipeline(store, clock))
    assert (await store.namespace("acme/maria").describe()).vectors == 0
    assert await _events(store) != []


async def test_without_an_embedder_events_are_extracted_all_the_same(store: Any, clock: Any) -> None:
    await _namespace(store)
    await _append(store)
    await _flush_and_drain(store, _pipeline(store, clock, embedder=None))
    assert await _events(store) != []


class _Failing:
    """Fails until told otherwise, then extracts as the local one does."""

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error
        self._local = LocalExtractor()

    @property
    def spec(self) -> ExtractorSpec:
        return self._local.spec

    async def extract(self, segment: Segment) -> Extraction:
        if self.error:
            raise self.error
        return await self._local.extract(segment)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(RuntimeError("secret /path"), "EXTRACTION_FAILED"), (ExtractorUnavailable("key sk-1"), "EXTRACTOR_UNAVAILABLE")],
)
async def test_a_failing_job_backs_off_then_rests_as_failed_and_can_be_tried_again(
    store: Any, clock: Any, error: Exception, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    failing = _Failing(error)
    pipeline = _pipeline(store, clock, {ExtractionMode.EVENT: failing})
    await _namespace(store)
    job_id = await _append(store)
    await store.namespace("acme/maria").flush("")
    attempts = 0
    while (lease := await store.lease_job("test", LEASE, {JobKind.EXTRACTION})) is not None:
        attempts += 1
        outcome = await pipeline.run(lease)
        assert isinstance(outcome, JobAttemptFailed)
        assert outcome.error.reason == reason
        assert "secret" not in outcome.error.message
        assert "sk-1" not in outcome.error.message
        await store.namespace(lease.job.namespace).finish_job(lease, outcome)
        clock.move(timedelta(minutes=6))
    assert attempts == 6
    job: Job = await store.namespace("acme/maria").get_job(job_id)
    assert job.state is JobState.FAILED
    assert await _events(store) == []
    failing.error = None
    await store.namespace("acme/maria").retry_job(job_id)
    await _drain(store, pipeline)
    assert (await store.namespace("acme/maria").get_job(job_id)).state is JobState.SUCCEEDED
    assert await _events(store) != []


class _Paid:
    """Extracts as the rules do, and says that each segment took a call of a model."""

    def __init__(self) -> None:
        self._local = LocalExtractor()

    @property
    def spec(self) -> ExtractorSpec:
        return self._local.spec

    async def extract(self, segment: Segment) -> Extraction:
        return replace(await self._local.extract(segment), usage=(UsageEntry("extract", "m", calls=1, items=len(segment.messages)),))


class _EmbedsMessagesOnly(HashingEmbedder):
    """Goes away before it has seen a statement."""

    async def embed(self, texts: Sequence[str]) -> Any:
        if any(text.startswith("Maria moved") for text in texts):
            record_usage(UsageEntry("embed", "hashing", calls=1, errors=1))
            raise EmbedderUnavailable("gone")
        return await super().embed(texts)


async def test_what_was_paid_for_counts_though_nothing_could_be_written(store: Any, clock: Any) -> None:
    pipeline = _pipeline(store, clock, {ExtractionMode.EVENT: _Paid()}, _EmbedsMessagesOnly(64))
    await _namespace(store)
    await _append(store, TALK[:1])
    await store.namespace("acme/maria").flush("")
    for attempt in (1, 2):
        lease = await store.lease_job("test", LEASE, {JobKind.EXTRACTION})
        outcome = await pipeline.run(lease)
        assert isinstance(outcome, JobAttemptFailed)
        await store.namespace(lease.job.namespace).finish_job(lease, outcome)
        clock.move(timedelta(minutes=6))
        spent = await store.namespace("acme/maria").usage()
        assert sum(usage.calls for usage in spent if usage.step == "extract") == attempt
        assert sum(usage.errors for usage in spent if usage.step == "embed") == attempt
    await _drain(store, _pipeline(store, clock, {ExtractionMode.EVENT: _Paid()}))
    assert {usage.step: usage.calls for usage in await store.namespace("acme/maria").usage()}["extract"] == 3


async def test_calls_are_counted_once_when_the_work_is_cancelled_while_it_is_written(
    store: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store ends what it began: the events are there, and the calls with them."""
    pipeline = _pipeline(store, clock, {ExtractionMode.EVENT: _Paid()})
    await _namespace(store)
    await _append(store, TALK[:1])
    await store.namespace("acme/maria").flush("")
    lease = await store.lease_job("test", LEASE, {JobKind.EXTRACTION})
    handle = type(store.namespace("acme/maria"))
    commit, begun = handle.commit_extraction, asyncio.Event()

    async def slow(*args: Any) -> Any:
        begun.set()
        await asyncio.sleep(0.05)
        return await commit(*args)

    monkeypatch.setattr(handle, "commit_extraction", slow)
    running = asyncio.create_task(pipeline.run(lease))
    await begun.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await _events(store) != []
    assert {usage.step: usage.calls for usage in await store.namespace("acme/maria").usage()}["extract"] == 1


class _DeletesFirst:
    """Deletes a message while its segment is being extracted."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._local = LocalExtractor()
        self._done = False

    @property
    def spec(self) -> ExtractorSpec:
        return self._local.spec

    async def extract(self, segment: Segment) -> Extraction:
        found = await self._local.extract(segment)
        if not self._done:
            self._done = True
            await self._store.namespace("acme/maria").delete(Deletion(memory_ids=(segment.messages[0].id,)))
        return found


async def test_a_deletion_wins_over_an_extraction_under_way(store: Any, clock: Any) -> None:
    await _namespace(store)
    await _append(store)
    await _flush_and_drain(store, _pipeline(store, clock, {ExtractionMode.EVENT: _DeletesFirst(store)}))
    texts = " ".join(one.text for one in await _statements(store))
    assert "moved to Lisbon" not in texts
    assert "boat" in texts


async def test_a_lost_lease_ends_the_run_without_an_outcome(store: Any, clock: Any) -> None:
    await _namespace(store)
    job = await _append(store)
    await store.namespace("acme/maria").flush("")
    lease = await store.lease_job("slow", LEASE, {JobKind.EXTRACTION})
    clock.move(LEASE + timedelta(seconds=1))
    other = await store.lease_job("quick", LEASE, {JobKind.EXTRACTION})
    assert await _pipeline(store, clock).run(lease) is None
    outcome = await _pipeline(store, clock).run(other)
    assert isinstance(outcome, JobSucceeded)
    await store.namespace(other.job.namespace).finish_job(other, outcome)
    assert (await store.namespace("acme/maria").get_job(job)).state is JobState.SUCCEEDED


async def test_asked_to_stop_it_hands_the_job_back(store: Any, clock: Any) -> None:
    await _namespace(store)
    await _append(store)
    await store.namespace("acme/maria").flush("")
    lease = await store.lease_job("test", LEASE, {JobKind.EXTRACTION})
    assert isinstance(await _pipeline(store, clock).run(lease, lambda: True), JobDeferred)


async def test_sessions_in_a_zone_resolve_times_there(store: Any, clock: Any) -> None:
    await store.create_namespace(NamespaceSpec("acme/maria", EMBEDDER.spec, ExtractionMode.EVENT, time_zone="America/Los_Angeles"))
    await _append(store, [("Maria", "I bought a house yesterday.")])
    await _flush_and_drain(store, _pipeline(store, clock))
    [event] = await _events(store)
    assert event.time is not None
    assert event.time.start == datetime(2023, 5, 16, 7, tzinfo=UTC)  # at 9 UTC on the 17th it is the 17th there, from 2 in the night


async def test_messages_that_come_while_an_idle_buffer_is_closed_are_extracted_too(
    store: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _namespace(store)
    first = await _append(store, TALK[:1])
    clock.move(IDLE + timedelta(seconds=1))
    handle = type(store.namespace("acme/maria"))
    flush = handle.flush

    async def late(memory: Any, session: str) -> Any:
        monkeypatch.setattr(handle, "flush", flush)
        await _append(store, TALK[5:6], first=5)
        return await flush(memory, session)

    monkeypatch.setattr(handle, "flush", late)
    await _drain(store, _pipeline(store, clock))
    assert (await store.namespace("acme/maria").get_job(first)).state is JobState.SUCCEEDED
    texts = " ".join(one.text for one in await _statements(store))
    assert "Lisbon" in texts
    assert "boat" in texts


@pytest.mark.parametrize(
    ("use", "speakers"),
    [(MessagesUse.USER, {"Maria"}), (MessagesUse.ASSISTANT, {"assistant"}), (MessagesUse.BOTH, {"Maria", "assistant"})],
)
async def test_only_the_messages_of_some_roles_are_extracted_and_all_are_covered_and_searchable(
    store: Any, clock: Any, use: MessagesUse, speakers: set[str]
) -> None:
    await _namespace(store)
    talk = [
        ("Maria", Role.USER, "Which port should I sail to from Lisbon?"),
        ("assistant", Role.ASSISTANT, "You should sail to Sines. Sines has a marina with 230 berths."),
        ("Maria", Role.USER, "My sister Clara lives in Sines."),
    ]
    drafts = tuple(MessageDraft(speaker, role, text, START + timedelta(minutes=n)) for n, (speaker, role, text) in enumerate(talk))
    memory = store.namespace("acme/maria")
    job_id = (await memory.append(AppendCommand("chat", drafts, IDLE))).job_id
    settings = PipelineSettings(lease=LEASE, recipe=RECIPE, use=use)
    await _flush_and_drain(store, ExtractionPipeline(store, EMBEDDER, local_extractors(), UuidSource(), clock, settings))
    assert {one.speaker for one in await _statements(store)} == speakers
    job = await memory.get_job(job_id)
    assert (job.state, job.done, job.total) == (JobState.SUCCEEDED, 3, 3)
    assert await memory.missing_vectors("chat", 10) == []
    assert len((await memory.list_messages(MessageQuery(), None, 10)).items) == 3


async def test_a_segment_of_which_nothing_is_extracted_asks_no_extractor(store: Any, clock: Any) -> None:
    await _namespace(store)
    job_id = await _append(store)
    failing = {ExtractionMode.EVENT: _Failing(RuntimeError("was asked"))}
    settings = PipelineSettings(lease=LEASE, recipe=RECIPE, use=MessagesUse.ASSISTANT)
    await _flush_and_drain(store, ExtractionPipeline(store, EMBEDDER, failing, UuidSource(), clock, settings))
    job = await store.namespace("acme/maria").get_job(job_id)
    assert (job.state, job.done) == (JobState.SUCCEEDED, len(TALK))
    assert await _statements(store) == []
