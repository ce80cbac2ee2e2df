"""What extraction leads to: windows, threads and a profile, each event told of once, whatever happens on the way."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from extract.consolidate.local import LocalConsolidator
from extract.consolidate.pipeline import NoConsolidation
from extract.consolidate.port import Consolidation, SourceGroup
from extract.consolidate.writing import WritingBounds
from extract.port import ExtractorUnavailable
from graph.model import (
    ExtractionMode,
    ExtractorSpec,
    JobError,
    JobKind,
    JobState,
    SummaryLevel,
)
from graph.store.port import (
    Deletion,
    GenerationStart,
    JobAttemptFailed,
    JobDeferred,
    JobSucceeded,
    UsageEntry,
)
from tests.extract.consolidate.conftest import Consolidators, asked, honest, sentence, shown, summaries
from tests.extract.consolidate.talk import BOAT, GARDEN, LEASE, PROFILE, START, THREAD, WINDOW, Talk
from tests.extract.llm.openai_server import OpenAiServer, Reply


async def test_what_was_said_becomes_windows_threads_and_a_profile(store: Any, clock: Any) -> None:
    talk = await Talk(store, clock).create()
    await talk.say(GARDEN, "spring")
    await talk.say(BOAT, "harbour", timedelta(days=3))
    await talk.say(("My tomatoes in the garden climb the trellis now.",), "summer", timedelta(days=20))
    job = await talk.consolidate()
    assert (job.state, job.done, job.total) == (JobState.SUCCEEDED, len(await talk.events()), len(await talk.events()))
    await talk.holds()
    assert sorted(one.sessions for one in await talk.summaries(WINDOW)) == [("harbour",), ("spring",), ("summer",)]
    threads = await talk.summaries(THREAD)
    assert sorted(one.sessions for one in threads) == [("harbour",), ("spring", "summer")]
    [profile] = await talk.summaries(PROFILE)
    assert sorted(profile.member_ids) == sorted(one.id for one in threads)
    assert "Maria" in profile.title
    assert profile.sessions == ()
    vectors = await talk.memory.first_vectors([one.id for one in await talk.summaries()])
    assert set(vectors) == {one.id for one in await talk.summaries(WINDOW, THREAD)}
    [pair] = [one for one in threads if len(one.member_ids) == 2]
    middle = sum(vectors[id_].astype(float) for id_ in pair.member_ids)
    assert np.allclose(vectors[pair.id], middle / np.linalg.norm(middle), atol=1e-3)


async def test_events_are_given_time_to_be_joined_by_others_and_none_waits_for_ever(store: Any, clock: Any) -> None:
    talk = await Talk(store, clock, idle=timedelta(seconds=60), patience=timedelta(minutes=3)).create()
    await talk.say(GARDEN[:1])
    assert await talk.run() == [JobDeferred(clock.now() + timedelta(seconds=60))]
    for number in range(4):
        clock.move(timedelta(seconds=50))
        await talk.say((f"Row {number} of my garden has beans.",), at=timedelta(minutes=5 + number))
        await talk.run()
    # The oldest has waited for three minutes by now, though something was said every 50 seconds.
    assert len(await talk.summaries(WINDOW)) == 1
    await talk.holds()


async def test_what_comes_within_its_hour_joins_a_window_and_keeps_its_id(store: Any, clock: Any) -> None:
    talk = await Talk(store, clock).create()
    await talk.say(GARDEN)
    await talk.consolidate()
    [before] = await talk.summaries(WINDOW)
    [thread] = await talk.summaries(THREAD)
    await talk.say(("I bought a hose for my garden.",), at=timedelta(minutes=30))
    await talk.say(("I painted the gate of my garden green.",), at=timedelta(minutes=90))
    await talk.consolidate()
    first, second = await talk.summaries(WINDOW)
    assert first.id == before.id
    assert set(first.member_ids) > set(before.member_ids)
    assert second.said_from == START + timedelta(minutes=90)
    assert thread.id in {one.id for one in await talk.summaries(THREAD)}
    assert await talk.summaries(stale=True) == []
    await talk.holds()


async def test_a_window_may_be_a_session(store: Any, clock: Any) -> None:
    talk = await Talk(store, clock, bounds=WritingBounds(window=None)).create()
    await talk.say(GARDEN)
    await talk.say(BOAT, at=timedelta(hours=5))
    await talk.consolidate()
    [window] = await talk.summaries(WINDOW)
    assert (window.said_from, window.said_to) == (START, START + timedelta(hours=5, minutes=1))
    await talk.say(("I sold the sailing boat.",), at=timedelta(days=2))
    await talk.consolidate()
    assert [one.id for one in await talk.summaries(WINDOW)] == [window.id]
    await talk.holds()


async def test_earlier_events_help_to_understand_a_window(store: Any, clock: Any) -> None:
    talk = await Talk(store, clock, bounds=WritingBounds(seeds=2)).create()
    await talk.say(GARDEN, "spring")
    await talk.say(BOAT, "harbour", timedelta(days=3))
    await talk.say(("My tomatoes in the garden climb the trellis now.",), "summer", timedelta(days=20))
    await talk.consolidate()
    first, _, last = await talk.summaries(WINDOW)
    assert first.seeds == ()
    assert 0 < len(last.seeds) <= 2
    titles = {event.id: event for event in await talk.events()}
    assert all(titles[seed.event_id].said_at < last.said_from and -1 <= seed.similarity <= 1 for seed in last.seeds)
    assert {titles[seed.event_id].session for seed in last.seeds} == {"spring"}


async def test_a_deletion_is_told_of_nowhere_and_the_rest_is_written_anew(store: Any, clock: Any) -> None:
    talk = await Talk(store, clock).create()
    gone, _ = await talk.say(GARDEN)
    await talk.say(BOAT, "harbour", timedelta(days=3))
    await talk.consolidate()
    assert "south wall" in " ".join(one.text for one in await talk.summaries())
    await talk.memory.delete(Deletion((gone,)))
    assert "south wall" not in " ".join(one.text for one in await talk.summaries())
    assert {THREAD, PROFILE} <= {one.level for one in await talk.summaries(stale=True)}
    # What was extracted with the message in view is extracted without it, and told of again.
    await talk.run(JobKind.EXTRACTION)
    await talk.consolidate()
    assert await talk.summaries(stale=True) == []
    told = {one.level: one.text for one in await talk.summaries() if one.level is PROFILE or "s1" in one.sessions}
    assert "south wall" not in " ".join(told.values())
    assert "trellis" in told[WINDOW]
    await talk.memory.delete(Deletion(session="s1"))
    await talk.run()
    assert "trellis" not in " ".join(one.text for one in await talk.summaries())
    await talk.holds()


async def test_another_extraction_is_consolidated_anew(store: Any, clock: Any) -> None:
    talk = await Talk(store, clock).create()
    await talk.say(GARDEN)
    await talk.consolidate()
    await talk.memory.begin_generation(GenerationStart(ExtractorSpec("other", "x", ExtractionMode.EVENT)))
    assert await talk.summaries() == []
    # The service's own extractor begins a generation of its own.
    await talk.run(JobKind.EXTRACTION)
    await talk.consolidate()
    assert {one.generation for one in await talk.summaries()} == {3}
    await talk.holds()


class Watched:
    """A consolidator that does something before it answers."""

    def __init__(self, before: Any) -> None:
        self._local, self._before = LocalConsolidator(), before

    @property
    def fingerprint(self) -> str:
        return "watched"

    async def windows(self, groups: Sequence[SourceGroup]) -> Consolidation:
        return await self._before(WINDOW) or await self._local.windows(groups)

    async def threads(self, groups: Sequence[SourceGroup]) -> Consolidation:
        return await self._before(THREAD) or await self._local.threads(groups)

    async def profile(self, group: SourceGroup) -> Consolidation:
        return await self._before(PROFILE) or await self._local.profile(group)


@pytest.mark.parametrize("level", list(SummaryLevel))
async def test_a_deletion_in_the_middle_is_not_undone(store: Any, clock: Any, level: SummaryLevel) -> None:
    ids: list[str] = []

    async def delete_once(now: SummaryLevel) -> None:
        if now is level and ids:
            await store.namespace("acme/maria").delete(Deletion((ids.pop(0),)))

    talk = await Talk(store, clock, Watched(delete_once)).create()
    ids += await talk.say(GARDEN)
    del ids[1:]
    await talk.consolidate()
    assert ids == []
    assert "south wall" not in " ".join(one.text for one in await talk.summaries())
    assert await talk.summaries(stale=True) == []
    await talk.holds()


@pytest.mark.parametrize("level", list(SummaryLevel))
@pytest.mark.parametrize("kind", ["killed", "failed"])
async def test_whatever_breaks_off_is_done_again(store: Any, clock: Any, level: SummaryLevel, kind: str) -> None:
    left = [1]

    async def break_once(now: SummaryLevel) -> None:
        if now is level and left:
            left.pop()
            if kind == "failed":
                raise ExtractorUnavailable("gone")
            raise asyncio.CancelledError

    talk = await Talk(store, clock, Watched(break_once)).create()
    await talk.say(GARDEN, "spring")
    await talk.say(BOAT, "harbour", timedelta(days=3))
    await talk.memory.queue_consolidation()
    lease = await store.lease_job("test", LEASE, {JobKind.CONSOLIDATION})
    assert lease is not None
    if kind == "failed":
        outcome = await talk.consolidation.run(lease)
        assert isinstance(outcome, JobAttemptFailed)
        assert outcome.error.reason == "EXTRACTOR_UNAVAILABLE"
        await talk.memory.finish_job(lease, outcome)
    else:
        with pytest.raises(asyncio.CancelledError):
            await talk.consolidation.run(lease)
    clock.move(timedelta(minutes=6))
    await talk.run()
    await talk.holds()
    assert len(await talk.summaries(WINDOW)) == 2
    assert len(await talk.summaries(PROFILE)) == 1
    assert await talk.summaries(stale=True) == []


async def test_what_a_model_cannot_be_made_to_say_now_is_tried_again_and_the_rest_is_kept(store: Any, clock: Any) -> None:
    tries = []

    async def half(now: SummaryLevel) -> Consolidation | None:
        if now is WINDOW:
            tries.append(1)
            if len(tries) == 1:
                local = await LocalConsolidator().windows(groups)
                return replace(local, drafts=(local.drafts[0], None), usage=(UsageEntry("consolidate", "m", 1),), partial_failures=failures)
        return None

    failures = (JobError("EXTRACTOR_ANSWER_UNREADABLE", "It had nothing that can be used."),)
    groups: list[SourceGroup] = []
    watched = Watched(half)
    plain = watched.windows

    async def windows(given: Sequence[SourceGroup]) -> Consolidation:
        groups[:] = given
        return await plain(given)

    watched.windows = windows  # type: ignore[method-assign]
    talk = await Talk(store, clock, watched).create()
    await talk.say(GARDEN, "spring")
    await talk.say(BOAT, "harbour", timedelta(days=3))
    job = await talk.memory.queue_consolidation()
    await talk.run()
    assert len(await talk.summaries(WINDOW)) == 1
    found = await talk.memory.get_job(job.id)
    assert (found.state, found.partial_failures) == (JobState.QUEUED, failures)
    clock.move(timedelta(minutes=6))
    await talk.run()
    assert len(tries) == 2
    await talk.holds()
    assert [entry.calls for entry in await talk.memory.usage() if entry.step == "consolidate"] == [1]


async def test_a_language_model_writes_the_same_structure(
    store: Any, clock: Any, model: OpenAiServer, consolidator_of: Consolidators
) -> None:
    talk = await Talk(store, clock, consolidator_of()).create()
    await talk.say(GARDEN, "spring")
    await talk.say(BOAT, "harbour", timedelta(days=3))
    job = await talk.consolidate()
    assert (job.state, job.partial_failures) == (JobState.SUCCEEDED, ())
    await talk.holds()
    assert {one.level for one in await talk.summaries()} == set(SummaryLevel)
    assert all(one.sentences for one in await talk.summaries())
    [entry] = [entry for entry in await talk.memory.usage() if entry.step == "consolidate"]
    assert entry.calls == len(model.requests)


async def test_what_a_model_mixes_up_in_one_call_is_deleted_everywhere(
    store: Any, clock: Any, model: OpenAiServer, consolidator_of: Consolidators
) -> None:
    def mixed(body: Any) -> Reply:
        """Says in every sentence what all sources of the call say."""
        everything = " ".join(" ".join(one["says"]) for one in shown(body))[:700]
        return summaries(*((number, [sentence(everything, one["n"]) for one in sources]) for number, sources in asked(body).items()))

    model.answers = mixed
    talk = await Talk(store, clock, consolidator_of()).create()
    gone, _ = await talk.say(GARDEN, "spring")
    await talk.say(BOAT, "harbour", timedelta(days=3))
    await talk.consolidate()
    [harbour] = [one for one in await talk.summaries(WINDOW) if one.sessions == ("harbour",)]
    assert "south wall" in harbour.text
    await talk.memory.delete(Deletion((gone,)))
    assert "south wall" not in " ".join(one.text for one in await talk.summaries())
    await talk.run()
    assert "south wall" not in " ".join(one.text for one in await talk.summaries())
    assert all(one.sentences for one in await talk.summaries())
    await talk.holds()


async def test_a_model_that_says_far_too_much_is_told_of_and_asked_again(
    store: Any, clock: Any, model: OpenAiServer, consolidator_of: Consolidators
) -> None:
    def much(body: Any) -> Reply:
        reply = honest(body)
        return Reply(reply.content.replace("It is said:", "It is said: " + "x" * 100_000))

    model.answers = much
    talk = await Talk(store, clock, consolidator_of()).create()
    await talk.say(GARDEN)
    job = await talk.consolidate()
    assert (job.state, job.error and job.error.reason) == (JobState.QUEUED, "EXTRACTOR_UNAVAILABLE")
    assert {failure.reason for failure in job.partial_failures} == {"EXTRACTOR_ANSWER_INVALID", "EXTRACTOR_ANSWER_UNREADABLE"}
    assert await talk.summaries() == []
    model.answers = honest
    clock.move(timedelta(minutes=6))
    await talk.run()
    await talk.holds()


async def test_everything_can_be_written_anew_by_another_consolidator(store: Any, clock: Any) -> None:
    async def nothing(_: SummaryLevel) -> None:
        return None

    talk = await Talk(store, clock, Watched(nothing)).create()
    await talk.say(GARDEN, "spring")
    await talk.say(BOAT, "harbour", timedelta(days=3))
    await talk.consolidate()
    ids = {one.id for one in await talk.summaries()}
    local = Talk(store, clock)
    assert (await local.consolidate()).state is JobState.SUCCEEDED
    assert {one.consolidator for one in await local.summaries()} == {"watched"}
    await local.consolidate(anew=True)
    assert {one.consolidator for one in await local.summaries()} == {LocalConsolidator().fingerprint}
    assert {one.id for one in await local.summaries()} == ids


async def test_a_job_gives_others_their_turn(store: Any, clock: Any) -> None:
    talk = await Talk(store, clock, turn=timedelta(0), bounds=WritingBounds(at_once=1)).create()
    for number in range(3):
        await talk.say((f"Bed {number} of my garden has beans.",), f"s{number}", timedelta(days=number))
    await talk.memory.queue_consolidation()
    lease = await store.lease_job("test", LEASE, {JobKind.CONSOLIDATION})
    assert lease is not None
    assert await talk.consolidation.run(lease) == JobDeferred(clock.now())
    await talk.memory.finish_job(lease, JobDeferred(clock.now()))
    patient = Talk(store, clock)
    await patient.run()
    await patient.holds()


async def test_many_events_of_one_hour_are_several_windows(store: Any, clock: Any) -> None:
    talk = await Talk(store, clock, events=70).create()
    await talk.say([f"I planted {number} trees in valley {number}." for number in range(230)])
    await talk.consolidate()
    windows = await talk.summaries(WINDOW)
    assert len(windows) >= 3
    assert max(len(one.member_ids) for one in windows) <= 100
    await talk.holds()


def never(*, slow: timedelta = timedelta(0), clock: Any = None, calls: list[int]) -> Any:
    """A model that takes its time and never says anything that can be used."""

    async def unreadable(level: SummaryLevel) -> Consolidation | None:
        if level is not WINDOW:
            return None
        calls.append(1)
        if clock is not None:
            clock.move(slow)
        return Consolidation((None,) * sizes[-1], partial_failures=(JobError("EXTRACTOR_ANSWER_UNREADABLE", "It cannot be used."),))

    sizes: list[int] = []
    watched = Watched(unreadable)
    plain = watched.windows

    async def windows(groups: Sequence[SourceGroup]) -> Consolidation:
        sizes.append(len(groups))
        return await plain(groups)

    watched.windows = windows  # type: ignore[method-assign]
    return watched


async def test_a_model_slower_than_a_turn_is_not_asked_without_end_and_rules_say_what_it_does_not(store: Any, clock: Any) -> None:
    calls: list[int] = []
    talk = await Talk(store, clock, never(slow=timedelta(seconds=6), clock=clock, calls=calls), turn=timedelta(seconds=5)).create()
    await talk.say(GARDEN)
    await talk.memory.queue_consolidation()
    outcomes = []
    for _ in range(10):
        outcomes += await talk.run()
        clock.move(timedelta(minutes=6))
    assert len(calls) == 3
    assert [type(outcome) for outcome in outcomes[:2]] == [JobAttemptFailed, JobAttemptFailed]
    assert {one.level for one in await talk.summaries()} == set(SummaryLevel)
    await talk.holds()


async def test_what_a_full_read_leaves_holds_up_nothing_behind_it(store: Any, clock: Any) -> None:
    failing: list[int] = []

    async def first_session_fails(level: SummaryLevel) -> Consolidation | None:
        return Consolidation((None,)) if level is WINDOW and failing.pop() else None

    watched = Watched(first_session_fails)
    plain = watched.windows

    async def windows(groups: Sequence[SourceGroup]) -> Consolidation:
        [group] = groups
        failing.append(int("valley" in group.sources[0].sentences[0].text))
        return await plain(groups)

    watched.windows = windows  # type: ignore[method-assign]
    talk = await Talk(store, clock, watched, events=6, bounds=WritingBounds(at_once=1)).create()
    await talk.say([f"I planted {number} trees in valley {number}." for number in range(4)], "a")
    await talk.say([f"I bought {number} boats in port {number}." for number in range(4)], "b", timedelta(days=1))
    await talk.memory.queue_consolidation()
    lease = await store.lease_job("test", LEASE, {JobKind.CONSOLIDATION})
    assert lease is not None
    assert isinstance(await talk.consolidation.run(lease), JobDeferred)
    assert {one.sessions for one in await talk.summaries(WINDOW)} == {("b",)}
    assert {one.level for one in await talk.summaries()} == set(SummaryLevel)


async def test_threads_and_profile_do_not_wait_for_a_pause_in_the_talk(store: Any, clock: Any) -> None:
    async def somebody_goes_on_talking(level: SummaryLevel) -> None:
        if level is WINDOW:
            await talk.say(("Another bed of my garden has beans.",), "summer", timedelta(days=9))

    talk = await Talk(store, clock, Watched(somebody_goes_on_talking)).create()
    await talk.say(GARDEN, "spring")
    clock.move(timedelta(seconds=61))
    assert {type(outcome) for outcome in await talk.run()} == {JobDeferred}
    assert {one.level for one in await talk.summaries()} == set(SummaryLevel)


async def test_deletions_that_go_on_do_not_have_a_model_asked_without_end(store: Any, clock: Any) -> None:
    calls = []

    async def delete_another(level: SummaryLevel) -> None:
        calls.append(level)
        [another] = await talk.say(("A bird sang.",), f"other {len(calls)}", timedelta(days=2))
        await talk.memory.delete(Deletion((another,)))

    talk = await Talk(store, clock, Watched(delete_another)).create()
    await talk.say(GARDEN)
    await talk.memory.queue_consolidation()
    assert await talk.run() == [JobDeferred(clock.now() + timedelta(seconds=10), pause=True)]
    assert len(calls) == 3


async def test_where_nobody_consolidates_a_job_that_is_left_ends(store: Any, clock: Any) -> None:
    talk = await Talk(store, clock).create()
    await talk.say(GARDEN)
    job = await talk.memory.queue_consolidation()
    lease = await store.lease_job("test", LEASE, {JobKind.CONSOLIDATION})
    assert lease is not None
    outcome = await NoConsolidation(store, clock, LEASE).run(lease)
    assert outcome == JobSucceeded()
    await talk.memory.finish_job(lease, outcome)
    assert (await talk.memory.get_job(job.id)).state is JobState.SUCCEEDED
    assert await talk.summaries() == []
    await talk.consolidate()
    await talk.holds()


async def test_windows_that_are_put_into_threads_some_at_a_time_end_in_the_same_threads(
    store: Any, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("extract.consolidate.writing._MOST_CLUSTERED", 1)
    talk = await Talk(store, clock).create()
    await talk.say(GARDEN, "spring")
    await talk.say(BOAT, "harbour", timedelta(days=3))
    await talk.say(("My tomatoes in the garden climb the trellis now.",), "summer", timedelta(days=20))
    assert (await talk.consolidate()).state is JobState.SUCCEEDED
    assert sorted(one.sessions for one in await talk.summaries(THREAD)) == [("harbour",), ("spring", "summer")]
    assert await talk.summaries(stale=True) == []
    await talk.holds()
