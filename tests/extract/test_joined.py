"""Where an extractor joins segments, one call reads several sessions: each message is extracted once, whatever happens to one of them."""

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from extract.embed import HashingEmbedder
from extract.local import LocalExtractor
from extract.pipeline import ExtractionPipeline, PipelineSettings
from extract.port import Extraction, ExtractorUnavailable, Segment
from extract.segment import SegmentRecipe
from extract.tokens import count_tokens
from extract.worker import Worker
from graph.model import ExtractionMode, ExtractorSpec, JobKind, JobState, Lease, Role, UuidSource
from graph.store.port import (
    AppendCommand,
    Deletion,
    JobOutcome,
    JobQuery,
    MessageDraft,
    MessageQuery,
    NamespaceChange,
    NamespaceSpec,
    StatementQuery,
    UsageEntry,
)

LEASE = timedelta(seconds=30)
IDLE = timedelta(minutes=5)
NAME = "acme/maria"
START = datetime(2023, 5, 17, 9, 0, tzinfo=UTC)
EMBEDDER = HashingEmbedder(64)
BUFFER = 100


class _Joining:
    """Extracts by rules, each segment by itself; knows what each call was given, and does before it what it is told."""

    def __init__(self) -> None:
        self._local = LocalExtractor()
        self.calls: list[list[tuple[str, int]]] = []
        self.tokens: list[int] = []
        self.before: Any = None

    @property
    def spec(self) -> ExtractorSpec:
        return self._local.spec

    async def extract(self, segment: Segment) -> Extraction:
        [found] = await self.extract_many((segment,))
        return found

    async def extract_many(self, segments: Sequence[Segment]) -> list[Extraction]:
        assert len({segment.session for segment in segments}) == len(segments)
        self.calls.append([(segment.session, len(segment.messages)) for segment in segments])
        self.tokens.append(sum(count_tokens(message.text) for segment in segments for message in segment.messages))
        if self.before is not None:
            await self.before(segments)
        found = [await self._local.extract(segment) for segment in segments]
        usage = UsageEntry("extract", "m", 1, sum(len(segment.own) for segment in segments), 100, 10)
        return [Extraction(one.events, one.mentions, () if place else (usage,)) for place, one in enumerate(found)]


class _Jobs:
    """Hands out the namespace's due jobs as a worker does. `dead`: it died, and says nothing any more."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.dead = False
        self.held: list[Lease] = []

    async def lease(self) -> Lease | None:
        lease: Lease | None = await self._store.lease_job("test", LEASE, {JobKind.EXTRACTION}, NAME)
        if lease is not None:
            self.held.append(lease)
        return lease

    async def finish(self, lease: Lease, outcome: JobOutcome) -> None:
        if not self.dead:
            await self._store.namespace(NAME).finish_job(lease, outcome)


def _pipeline(store: Any, clock: Any, extractor: Any, **changes: Any) -> ExtractionPipeline:
    settings = PipelineSettings(lease=LEASE, recipe=SegmentRecipe(most_tokens=BUFFER), buffer_tokens=BUFFER, **changes)
    return ExtractionPipeline(store, EMBEDDER, {ExtractionMode.EVENT: extractor}, UuidSource(), clock, settings)


async def _drain(store: Any, pipeline: ExtractionPipeline) -> None:
    """Runs every job that is due, as a worker would."""
    jobs = _Jobs(store)
    for _ in range(200):
        lease = await jobs.lease()
        if lease is None:
            return
        outcome = await pipeline.run(lease, others=jobs)
        if outcome is not None:  # nothing joins any more
            await jobs.finish(lease, outcome)
    raise AssertionError("jobs never end")


async def _say(store: Any, session: str, lines: int, first: int = 0) -> str:
    """Appends messages of about ten tokens, of each of which one fact is extracted."""
    drafts = tuple(
        MessageDraft(
            "Maria", Role.USER, f"I bought {first + number + 2} red boats in {session} yesterday.", START + timedelta(minutes=number)
        )
        for number in range(lines)
    )
    return str((await store.namespace(NAME).append(AppendCommand(session, drafts, IDLE))).job_id)


async def _open(store: Any) -> None:
    await store.create_namespace(NamespaceSpec(NAME, EMBEDDER.spec, ExtractionMode.EVENT))


async def _covered(store: Any) -> Counter[str]:
    """How often each message is the evidence of a fact; 0 of those that are of none."""
    messages = (await store.namespace(NAME).list_messages(MessageQuery(), None, 1_000)).items
    found = Counter({message.id: 0 for message in messages})
    for statement in (await store.namespace(NAME).list_statements(StatementQuery(), None, 1_000)).items:
        found.update(statement.evidence_ids)
    return found


async def _open_jobs(store: Any) -> list[JobState]:
    query = JobQuery(frozenset({JobState.QUEUED, JobState.RUNNING, JobState.FAILED}))
    return [job.state for job in (await store.namespace(NAME).list_jobs(query, None, 100)).items]


async def test_flushed_sessions_share_calls_and_each_message_is_extracted_once(store: Any, clock: Any) -> None:
    await _open(store)
    jobs = [await _say(store, f"s{number}", 3) for number in range(12)]
    await store.namespace(NAME).flush("")
    extractor = _Joining()
    await _drain(store, _pipeline(store, clock, extractor))
    assert set((await _covered(store)).values()) == {1}
    assert [(await store.namespace(NAME).get_job(job)).state for job in jobs] == [JobState.SUCCEEDED] * 12
    assert len(extractor.calls) <= 5
    assert all(tokens <= BUFFER * 4 / 3 for tokens in extractor.tokens)
    [usage] = [entry for entry in await store.namespace(NAME).usage() if entry.step == "extract"]
    assert (usage.calls, usage.items, usage.prompt_tokens) == (len(extractor.calls), 36, 100 * len(extractor.calls))


async def test_a_session_longer_than_the_buffer_shares_what_is_left_of_it(store: Any, clock: Any) -> None:
    await _open(store)
    await _say(store, "long", 30)
    await _say(store, "short", 2)
    await store.namespace(NAME).flush("")
    extractor = _Joining()
    await _drain(store, _pipeline(store, clock, extractor))
    assert set((await _covered(store)).values()) == {1}
    assert len(extractor.calls) <= 4
    assert sum(count for call in extractor.calls for session, count in call if session == "long") == 30


async def test_segments_wait_for_a_full_buffer_but_no_longer_than_their_session_is_idle(store: Any, clock: Any) -> None:
    await _open(store)
    extractor = _Joining()
    pipeline = _pipeline(store, clock, extractor)
    for number in range(3):
        await _say(store, f"s{number}", 2)
        await _drain(store, pipeline)
    assert extractor.calls == []
    assert (await store.namespace(NAME).describe()).vectors_pending == 0
    clock.move(IDLE + timedelta(seconds=1))
    await _drain(store, pipeline)
    assert extractor.calls == [[("s0", 2), ("s1", 2), ("s2", 2)]]
    assert set((await _covered(store)).values()) == {1}
    assert await _open_jobs(store) == []


async def test_a_full_buffer_waits_for_nothing(store: Any, clock: Any) -> None:
    await _open(store)
    extractor = _Joining()
    await _say(store, "s", 16)
    await _drain(store, _pipeline(store, clock, extractor))
    [[(session, lines)]] = extractor.calls
    assert session == "s"
    assert 0 < lines < 16


async def test_with_a_buffer_of_nothing_each_segment_is_a_call_whatever_is_due(store: Any, clock: Any) -> None:
    await _open(store)
    for number in range(4):
        await _say(store, f"s{number}", 3)
    await store.namespace(NAME).flush("")
    extractor = _Joining()
    settings = PipelineSettings(lease=LEASE, recipe=SegmentRecipe(most_tokens=BUFFER), buffer_tokens=1)
    await _drain(store, ExtractionPipeline(store, EMBEDDER, {ExtractionMode.EVENT: extractor}, UuidSource(), clock, settings))
    assert sorted(extractor.calls) == [[(f"s{number}", 3)] for number in range(4)]


async def test_a_job_that_is_hurried_takes_along_what_is_due_and_leaves_the_rest(store: Any, clock: Any) -> None:
    await _open(store)
    extractor = _Joining()
    pipeline = _pipeline(store, clock, extractor)
    waiting, hurried = await _say(store, "waits", 2), await _say(store, "hurried", 2)
    await _drain(store, pipeline)
    await store.namespace(NAME).expedite_job(hurried)
    await _drain(store, pipeline)
    assert extractor.calls == [[("hurried", 2)]]
    assert (await store.namespace(NAME).get_job(hurried)).state is JobState.SUCCEEDED
    assert (await store.namespace(NAME).get_job(waiting)).state is JobState.QUEUED


async def test_what_a_call_read_is_not_written_of_any_session_once_a_message_of_one_was_deleted(store: Any, clock: Any) -> None:
    await _open(store)
    for session in ("one", "two"):
        await _say(store, session, 2)
    await store.namespace(NAME).flush("")
    extractor = _Joining()

    async def delete(segments: Sequence[Segment]) -> None:
        extractor.before = None
        [two] = [segment for segment in segments if segment.session == "two"]
        await store.namespace(NAME).delete(Deletion(memory_ids=(two.messages[0].id,)))

    extractor.before = delete
    await _drain(store, _pipeline(store, clock, extractor))
    assert [sorted(call) for call in extractor.calls] == [[("one", 2), ("two", 2)], [("one", 2), ("two", 1)]]
    assert list((await _covered(store)).values()) == [1, 1, 1]
    [usage] = [entry for entry in await store.namespace(NAME).usage() if entry.step == "extract"]
    assert usage.calls == 2


async def test_a_job_cancelled_meanwhile_loses_nothing_of_the_others(store: Any, clock: Any) -> None:
    await _open(store)
    first, second = await _say(store, "one", 2), await _say(store, "two", 2)
    await store.namespace(NAME).flush("")
    extractor = _Joining()

    async def cancel(_: Any) -> None:
        await store.namespace(NAME).cancel_job(first)

    extractor.before = cancel
    await _drain(store, _pipeline(store, clock, extractor))
    assert len(extractor.calls) == 1
    assert [(await store.namespace(NAME).get_job(job)).state for job in (first, second)] == [JobState.CANCELED, JobState.SUCCEEDED]
    assert sorted((await _covered(store)).values()) == [0, 0, 1, 1]
    [usage] = [entry for entry in await store.namespace(NAME).usage() if entry.step == "extract"]
    assert usage.calls == 1


async def test_a_model_that_is_away_makes_each_job_back_off_and_loses_nothing(store: Any, clock: Any) -> None:
    await _open(store)
    jobs = [await _say(store, session, 2) for session in ("one", "two", "three")]
    await store.namespace(NAME).flush("")
    extractor = _Joining()

    async def away(_: Any) -> None:
        raise ExtractorUnavailable("connection")

    extractor.before = away
    await _drain(store, _pipeline(store, clock, extractor))
    for job in jobs:
        failed = await store.namespace(NAME).get_job(job)
        assert (failed.state, failed.attempts, failed.error.reason) == (JobState.QUEUED, 1, "EXTRACTOR_UNAVAILABLE")
    extractor.before = None
    clock.move(timedelta(minutes=1))
    await _drain(store, _pipeline(store, clock, extractor))
    assert set((await _covered(store)).values()) == {1}
    assert await _open_jobs(store) == []


async def test_what_fails_on_one_session_fails_no_other(store: Any, clock: Any) -> None:
    await _open(store)
    jobs = [await _say(store, session, 2) for session in ("one", "bad", "three")]
    await store.namespace(NAME).flush("")
    extractor = _Joining()

    async def fail(segments: Sequence[Segment]) -> None:
        if any(segment.session == "bad" for segment in segments):
            raise RuntimeError("secret /path")

    extractor.before = fail
    await _drain(store, _pipeline(store, clock, extractor))
    found = [await store.namespace(NAME).get_job(job) for job in jobs]
    assert [job.state for job in found] == [JobState.SUCCEEDED, JobState.QUEUED, JobState.SUCCEEDED]
    assert found[1].error.reason == "EXTRACTION_FAILED"
    assert sorted((await _covered(store)).values()) == [0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize("seed", range(6))
async def test_killed_anywhere_each_message_is_extracted_once(store: Any, clock: Any, seed: int) -> None:
    chance = random.Random(seed)
    await _open(store)
    for number in range(6):
        await _say(store, f"s{number}", 4)
    await store.namespace(NAME).flush("")
    pipeline = _pipeline(store, clock, _Joining())
    for _ in range(10):
        jobs = _Jobs(store)
        lease = await jobs.lease()
        if lease is None:
            break
        run = asyncio.create_task(pipeline.run(lease, others=jobs))
        await asyncio.wait({run}, timeout=chance.random() * 0.05)
        jobs.dead = True
        run.cancel()
        await asyncio.gather(run, return_exceptions=True)
        clock.move(LEASE + timedelta(seconds=1))  # its leases pass
    await _drain(store, pipeline)
    assert set((await _covered(store)).values()) == {1}
    assert await _open_jobs(store) == []


async def test_extraction_switched_off_meanwhile_ends_the_turn_and_loses_nothing(store: Any, clock: Any) -> None:
    await _open(store)
    for number in range(6):
        await _say(store, f"s{number}", 6)
    await store.namespace(NAME).flush("")
    extractor = _Joining()

    async def off(_: Any) -> None:
        await store.namespace(NAME).update(NamespaceChange(extraction_mode=ExtractionMode.OFF))

    extractor.before = off
    await _drain(store, _pipeline(store, clock, extractor))
    assert len(extractor.calls) == 1
    assert await _open_jobs(store) == []
    extractor.before = None
    await store.namespace(NAME).update(NamespaceChange(extraction_mode=ExtractionMode.EVENT))
    await _say(store, "s9", 1)
    await store.namespace(NAME).flush("")
    await _drain(store, _pipeline(store, clock, extractor))
    assert (await _covered(store)).most_common(1)[0][1] == 1


async def test_a_turn_ends_after_the_call_that_outlasts_it(store: Any, clock: Any) -> None:
    await _open(store)
    for number in range(12):
        await _say(store, f"s{number}", 4)
    await store.namespace(NAME).flush("")
    extractor = _Joining()

    async def slow(_: Any) -> None:
        clock.move(timedelta(seconds=6))

    extractor.before = slow
    jobs = _Jobs(store)
    lease = await jobs.lease()
    await _pipeline(store, clock, extractor, turn=timedelta(seconds=5)).run(lease, others=jobs)
    assert len(extractor.calls) == 1
    assert JobState.RUNNING not in await _open_jobs(store)
    assert len(await _open_jobs(store)) == 12 - len({session for session, _ in extractor.calls[0]})


async def test_workers_join_the_sessions_of_one_namespace_and_stop_in_between(store: Any) -> None:
    await _open(store)

    class Now:
        def now(self) -> datetime:
            return datetime.now(UTC)

    jobs = [await _say(store, f"s{number}", 3) for number in range(12)]
    await store.namespace(NAME).flush("")
    extractor = _Joining()
    worker = Worker(store, {JobKind.EXTRACTION: _pipeline(store, Now(), extractor)}, Now(), lease=LEASE)
    running = asyncio.create_task(worker.run())
    async with asyncio.timeout(60):
        for job in jobs:
            found = await store.namespace(NAME).get_job(job)
            while found.state is not JobState.SUCCEEDED:
                found = await store.namespace(NAME).wait_for_job_change(job, found.updated_at, timedelta(seconds=1))
    await worker.stop(timedelta(seconds=5))
    await asyncio.wait_for(running, 10)
    assert set((await _covered(store)).values()) == {1}
    assert len(extractor.calls) <= 7


async def test_two_workers_that_find_two_sessions_at_once_make_one_call(store: Any, clock: Any) -> None:
    await _open(store)
    jobs = [await _say(store, session, 2) for session in ("one", "two")]
    await store.namespace(NAME).flush("")
    extractor, handed_out = _Joining(), _Jobs(store)
    pipeline = _pipeline(store, clock, extractor)
    leases = [await handed_out.lease(), await handed_out.lease()]
    await asyncio.gather(*(pipeline.run(lease, others=_Jobs(store)) for lease in leases if lease is not None))
    assert [sorted(call) for call in extractor.calls] == [[("one", 2), ("two", 2)]]
    assert [(await store.namespace(NAME).get_job(job)).state for job in jobs] == [JobState.SUCCEEDED] * 2
    assert set((await _covered(store)).values()) == {1}
