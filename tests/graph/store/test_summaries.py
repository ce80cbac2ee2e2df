"""Summaries: what waits for one, how they are written, what makes them stale, and what a deletion leaves of them."""

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from graph.errors import Conflict, InvalidArgument, LeaseLost, StaleWrite
from graph.model import (
    Edge,
    EdgeKind,
    ExtractionMode,
    ExtractorSpec,
    Granularity,
    JobKind,
    JobState,
    NodeKind,
    Seed,
    Summary,
    SummaryLevel,
    SummarySentence,
    TimeRange,
    TimeSpan,
)
from graph.store.digest import RecordDigests
from graph.store.port import (
    ConsolidationWrite,
    Deletion,
    ExtractionWrite,
    GenerationStart,
    JobQuery,
    JobSucceeded,
    PassageVector,
    SummaryQuery,
    UsageEntry,
)
from tests.graph.store.conftest import EXTRACTOR, LEASE, MONDAY

WINDOW, THREAD, PROFILE = SummaryLevel
CONSOLIDATIONS = JobQuery(kinds=frozenset({JobKind.CONSOLIDATION}))


def memory_of(bench):
    return bench.store.namespace(bench.namespace)


async def consolidation_lease(bench):
    await memory_of(bench).queue_consolidation()
    lease = await bench.store.lease_job("w1", LEASE, {JobKind.CONSOLIDATION})
    assert lease is not None
    return lease


def summary(bench, level, members, work, title="A title", sessions=("s1",), **more):
    said = more.pop("said", (MONDAY, MONDAY + timedelta(minutes=5)))
    return Summary(
        id=more.pop("id", None) or bench.ids.mint("sum"),
        level=level,
        title=title,
        sentences=tuple(SummarySentence(f"About {number}.", (member,)) for number, member in enumerate(members)),
        member_ids=tuple(members),
        time=TimeSpan(*said, Granularity.INSTANT),
        said_from=said[0],
        said_to=said[1],
        recorded_at=bench.clock.now(),
        consolidated_at=bench.clock.now(),
        consolidator="test/1",
        generation=work.generation,
        sessions=sessions,
        names=("Ana",),
        **more,
    )


async def write(bench, lease, work, *summaries, **more):
    vectors = tuple(PassageVector(one.id, 0, bench.unit(*one.title.encode())) for one in summaries)
    return await memory_of(bench).commit_consolidation(
        lease, ConsolidationWrite(work.revision, work.generation, tuple(summaries), vectors=more.pop("vectors", vectors), **more)
    )


async def listed(bench, *levels, **query):
    return (await memory_of(bench).list_summaries(SummaryQuery(frozenset(levels), **query), None, 100)).items


async def pyramid(bench):
    """Two sessions of two events each, a window of each, a thread of both and the profile; what was written of each level."""
    await bench.say("one", "two")
    first = await bench.extract()
    await bench.say("three", "four", session="s2")
    second = await bench.extract("s2")
    memory, lease = memory_of(bench), await consolidation_lease(bench)
    work = await memory.consolidation_work(lease, 100)
    one = summary(bench, WINDOW, [event.id for event in first.events], work, "Window one")
    two = summary(
        bench, WINDOW, [event.id for event in second.events], work, "Window two", ("s2",), seeds=(Seed(first.events[0].id, 0.75),)
    )
    await write(bench, lease, work, one, two)
    work = await memory.consolidation_work(lease, 100)
    thread = summary(bench, THREAD, [one.id, two.id], work, "Thread", ("s1", "s2"))
    await write(bench, lease, work, thread)
    profile = summary(bench, PROFILE, [thread.id], work, "Profile", ())
    await write(bench, lease, work, profile)
    await memory.finish_job(lease, JobSucceeded())
    return first, second, one, two, thread, profile


async def test_an_event_waits_until_a_window_tells_of_it(bench):
    await bench.say("one", "two")
    extraction = await bench.extract()
    memory, lease = memory_of(bench), await consolidation_lease(bench)
    assert (lease.job.kind, lease.job.session, lease.job.total) == (JobKind.CONSOLIDATION, "", 2)
    work = await memory.consolidation_work(lease, 1)
    assert [event.id for event in work.events] == [extraction.events[0].id]
    assert work.more
    assert work.hurried
    assert not work.loose
    assert work.stale == ()
    assert work.first_recorded_at == work.last_recorded_at == bench.clock.now()
    work = await memory.consolidation_work(lease, 100)
    assert [event.id for event in work.events] == [event.id for event in extraction.events]
    assert not work.more
    one = summary(bench, WINDOW, [extraction.events[0].id], work)
    usage = UsageEntry("window", "model", 1, 2, 3, 4)
    await write(bench, lease, work, one, usage=(usage,))
    left = await memory.consolidation_work(lease, 100)
    assert [event.id for event in left.events] == [extraction.events[1].id]
    assert left.loose
    assert await listed(bench) == (one,)
    assert (await memory.get_nodes([one.id]))[one.id] == one
    assert usage in await memory.usage()
    assert (await memory.get_job(lease.job.id)).done == 1
    assert await memory.check() == []


async def test_summaries_are_nodes_with_edges(bench):
    _, second, one, two, thread, _ = await pyramid(bench)
    memory = memory_of(bench)
    edges = (await memory.get_node_edges(two.id, 99)).edges
    assert {(edge.kind, edge.source_id, edge.target_id) for edge in edges} == {
        (EdgeKind.SUMMARIZES, two.id, second.events[0].id),
        (EdgeKind.SUMMARIZES, two.id, second.events[1].id),
        (EdgeKind.SUMMARIZES, thread.id, two.id),
        (EdgeKind.SEEDED_BY, two.id, two.seeds[0].event_id),
    }
    assert {dict(edge.properties).get("similarity") for edge in edges if edge.kind is EdgeKind.SEEDED_BY} == {"0.7500"}
    assert (await memory.describe()).nodes[NodeKind.SUMMARY] == 4
    vectors = await memory.first_vectors([one.id, thread.id, second.statements[0].id, "sum_nonsense"])
    assert set(vectors) == {one.id, thread.id, second.statements[0].id}
    assert np.array_equal(vectors[one.id], bench.unit(*b"Window one"))
    assert await memory.check() == []


async def test_what_is_found_does_not_change_when_it_is_summarized(bench):
    await bench.say("one", "two")
    write_ = await bench.extract()
    before = await bench.found("one two fact event title about")
    walked = await memory_of(bench).neighbourhood([write_.events[0].id], set(EdgeKind) - {EdgeKind.SUMMARIZES}, 1, 99, 99)
    memory, lease = memory_of(bench), await consolidation_lease(bench)
    work = await memory.consolidation_work(lease, 100)
    await write(bench, lease, work, summary(bench, WINDOW, [event.id for event in write_.events], work))
    assert await bench.found("one two fact event title about") == before
    again = await memory.neighbourhood([write_.events[0].id], set(EdgeKind) - {EdgeKind.SUMMARIZES}, 1, 99, 99)
    assert (list(again.ids), list(again.degree)) == (list(walked.ids), list(walked.degree))


async def test_listing_by_level_session_time_and_staleness(bench):
    _, _, one, two, thread, profile = await pyramid(bench)
    assert {item.id for item in await listed(bench)} == {one.id, two.id, thread.id, profile.id}
    assert [item.id for item in await listed(bench, THREAD)] == [thread.id]
    assert {item.id for item in await listed(bench, sessions=("s2",))} == {two.id, thread.id, profile.id}
    assert await listed(bench, sessions=("nowhere",)) == ()
    assert await listed(bench, stale=True) == ()
    late = TimeRange(MONDAY + timedelta(minutes=5), MONDAY + timedelta(days=1))
    assert await listed(bench, happened=late) == ()
    assert len(await listed(bench, happened=TimeRange(MONDAY, MONDAY + timedelta(minutes=1)))) == 4
    memory = memory_of(bench)
    page = await memory.list_summaries(SummaryQuery(), None, 3)
    rest = await memory.list_summaries(SummaryQuery(), page.next, 3)
    assert len(page.items) == 3
    assert len(rest.items) == 1
    assert rest.next is None
    assert len({item.id for item in (*page.items, *rest.items)}) == 4
    assert len((await memory.list_summaries(SummaryQuery(), None, 10, max_bytes=1)).items) == 1


async def test_a_written_summary_replaces_the_one_of_its_id(bench):
    first, _, one, two, thread, profile = await pyramid(bench)
    memory, lease = memory_of(bench), await consolidation_lease(bench)
    bench.clock.advance(30)
    work = await memory.consolidation_work(lease, 100)
    again = summary(bench, WINDOW, [first.events[0].id, first.events[1].id], work, "Anew", id=one.id)
    await write(bench, lease, work, again)
    (stored,) = [item for item in await listed(bench, WINDOW) if item.id == one.id]
    assert stored == replace(again, recorded_at=one.recorded_at)
    assert [(item.id, item.stale_since) for item in await listed(bench, stale=True)] == [
        (thread.id, bench.clock.now()),
        (profile.id, bench.clock.now()),
    ]
    work = await memory.consolidation_work(lease, 100)
    assert [item.id for item in work.stale] == [thread.id, profile.id]
    await write(bench, lease, work, replace(thread, title="Anew, too"))
    assert [item.id for item in await listed(bench, stale=True)] == [profile.id]
    await write(bench, lease, work, profile)
    assert await listed(bench, stale=True) == ()
    assert await memory.check() == []
    del two


async def test_a_member_that_a_summary_loses_waits_again(bench):
    first, _, one, _, _, _ = await pyramid(bench)
    memory, lease = memory_of(bench), await consolidation_lease(bench)
    work = await memory.consolidation_work(lease, 100)
    await write(bench, lease, work, summary(bench, WINDOW, [first.events[0].id], work, id=one.id))
    work = await memory.consolidation_work(lease, 100)
    assert [event.id for event in work.events] == [first.events[1].id]
    await write(bench, lease, work, retire_ids=(one.id,))
    work = await memory.consolidation_work(lease, 100)
    assert [event.id for event in work.events] == [event.id for event in first.events]
    assert await memory.check() == []


async def test_threads_that_become_one(bench):
    _, _, one, two, thread, profile = await pyramid(bench)
    memory, lease = memory_of(bench), await consolidation_lease(bench)
    work = await memory.consolidation_work(lease, 100)
    apart = summary(bench, THREAD, [two.id], work, "Apart", ("s2",))
    await write(bench, lease, work, replace(thread, member_ids=(one.id,), sentences=()), apart)
    assert {item.id for item in await listed(bench, stale=True)} == {profile.id}
    work = await memory.consolidation_work(lease, 100)
    await write(bench, lease, work, replace(thread, member_ids=(one.id, two.id)), retire_ids=(apart.id,))
    assert [item.id for item in await listed(bench, THREAD)] == [thread.id]
    assert apart.id not in await memory.get_nodes([apart.id])
    assert await memory.check() == []


async def test_a_late_event_makes_its_window_and_what_is_above_stale(bench):
    _, _, one, two, thread, profile = await pyramid(bench)
    await bench.say(bench.draft("in between", 0.5))
    await bench.extract()
    assert {item.id for item in await listed(bench, stale=True)} == {one.id, thread.id, profile.id}
    await bench.say(bench.draft("much later", 600), session="s2")
    await bench.extract("s2")
    assert two.id not in {item.id for item in await listed(bench, stale=True)}
    assert await memory_of(bench).check() == []


@pytest.mark.parametrize("replaced", ["statement", "message"])
async def test_what_was_replaced_makes_its_window_and_what_is_above_stale(bench, replaced):
    first, _, one, _, thread, profile = await pyramid(bench)
    await bench.say("five", session="s3")
    memory, lease = memory_of(bench), await bench.flushed_lease("s3")
    work = await memory.pending(lease, 99)
    fact = bench.fact("Fact: five", list(work.messages))
    event = bench.event("Event: five", [fact], list(work.messages))
    older = first.statements[0].id if replaced == "statement" else first.statements[0].evidence_ids[0]
    edges = (Edge(EdgeKind.SUPERSEDES, fact.id, older, properties={"reason": "moved"}),)
    write = ExtractionWrite(work.generation, work.watermark, work.messages[-1].seq, (fact,), (event,), edges=edges)
    await memory.commit_extraction(lease, write)
    assert {each.id for each in await listed(bench, stale=True)} == {one.id, thread.id, profile.id}
    assert await consolidation_lease(bench) is not None


async def test_a_deletion_takes_the_words_of_all_that_rests_on_it(bench):
    first, _, one, two, thread, profile = await pyramid(bench)
    memory = memory_of(bench)
    await memory.delete(Deletion((first.events[0].evidence_ids[0],)))
    stored = {item.id: item for item in await listed(bench)}
    # The second window has the deleted event for a seed.
    assert set(stored) == {one.id, two.id, thread.id, profile.id}
    for item in stored.values():
        assert (item.title, item.sentences, item.names, item.stale_since) == ("", (), (), bench.clock.now())
    assert stored[one.id].member_ids == (first.events[1].id,)
    assert stored[two.id].seeds == ()
    assert await memory.first_vectors(list(stored)) == {}
    found = await memory.searched_summaries(0)
    assert found is not None
    assert found.summaries == ()
    jobs = (await memory.list_jobs(CONSOLIDATIONS, None, 10)).items
    assert next(job.state for job in jobs) is JobState.QUEUED
    assert await memory.check() == []


async def test_a_deleted_statement_takes_the_words_too(bench):
    await bench.say("one")
    memory = memory_of(bench)
    generation = await memory.begin_generation(GenerationStart(EXTRACTOR))
    lease = await bench.flushed_lease("s1")
    await bench.embed()
    work = await memory.pending(lease, 9)
    facts = [bench.fact(text, list(work.messages)) for text in ("a", "b")]
    event = bench.event("Both", facts, list(work.messages))
    await memory.commit_extraction(lease, ExtractionWrite(generation, 0, 1, tuple(facts), (event,)))
    lease = await consolidation_lease(bench)
    told = await memory.consolidation_work(lease, 9)
    await write(bench, lease, told, summary(bench, WINDOW, [event.id], told))
    await memory.delete(Deletion((facts[0].id,)))
    (left,) = await listed(bench)
    assert left.text == ""
    assert left.member_ids == (event.id,)
    assert left.stale_since is not None


async def test_with_its_last_event_a_window_goes_and_with_its_last_window_a_thread(bench):
    _, second, one, two, thread, profile = await pyramid(bench)
    memory = memory_of(bench)
    receipt = await memory.delete(Deletion(session="s2"))
    assert receipt.counts[NodeKind.SUMMARY] == 1
    assert {item.id: item.member_ids for item in await listed(bench)} == {
        one.id: one.member_ids,
        thread.id: (one.id,),
        profile.id: (thread.id,),
    }
    receipt = await memory.delete(Deletion(session="s1"))
    assert receipt.counts[NodeKind.SUMMARY] == 3
    assert await listed(bench) == ()
    assert await memory.check() == []
    del second, two


async def test_what_was_deleted_meanwhile_is_not_written(bench):
    await bench.say("one", "two")
    extraction = await bench.extract()
    memory, lease = memory_of(bench), await consolidation_lease(bench)
    work = await memory.consolidation_work(lease, 9)
    await bench.say("three")
    await memory.delete(Deletion((extraction.statements[0].evidence_ids[0],)))
    with pytest.raises(StaleWrite):
        await write(bench, lease, work, summary(bench, WINDOW, [extraction.events[1].id], work))
    assert await listed(bench) == ()
    work = await memory.consolidation_work(lease, 9)
    await write(bench, lease, work, summary(bench, WINDOW, [extraction.events[1].id], work))
    with pytest.raises(StaleWrite):
        await write(bench, lease, work, summary(bench, WINDOW, [extraction.events[1].id], work))
    with pytest.raises(StaleWrite):
        await write(bench, lease, work, summary(bench, WINDOW, [bench.ids.mint("evt")], work))
    assert len(await listed(bench)) == 1


async def test_another_generation_leaves_no_summary(bench):
    _, _, one, _, _, _ = await pyramid(bench)
    memory, lease = memory_of(bench), await consolidation_lease(bench)
    work = await memory.consolidation_work(lease, 9)
    await memory.begin_generation(GenerationStart(ExtractorSpec("other", "v2", ExtractionMode.EVENT)))
    assert await listed(bench) == ()
    with pytest.raises(StaleWrite):
        await write(bench, lease, work, one)
    assert (await memory.consolidation_work(lease, 9)).events == ()
    assert await memory.check() == []
    await bench.extract("s1", ExtractorSpec("other", "v2", ExtractionMode.EVENT))
    work = await memory.consolidation_work(lease, 9)
    assert len(work.events) == 2
    assert work.generation == 2
    assert await memory.check() == []


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"member_ids": ()}, "no members"),
        ({"sentences": (SummarySentence("Free.", ()),)}, "none of its members"),
        ({"sentences": (SummarySentence("Strange.", ("evt_01hqstranger00000000000000",)),)}, "none of its members"),
        ({"sentences": (SummarySentence("x" * 2_001, ("{event}",)),)}, "2000 characters"),
        ({"title": "x" * 301}, "300 characters"),
        ({"sessions": ()}, "of one session"),
        ({"level": THREAD}, "level below"),
    ],
)
async def test_what_may_not_be_written(bench, change, told):
    await bench.say("one")
    extraction = await bench.extract()
    memory, lease = memory_of(bench), await consolidation_lease(bench)
    work = await memory.consolidation_work(lease, 9)
    event = extraction.events[0].id
    if "sentences" in change:
        sentences = tuple(
            replace(it, source_ids=tuple(event if id_ == "{event}" else id_ for id_ in it.source_ids)) for it in change["sentences"]
        )
        change = {"sentences": sentences}
    with pytest.raises(InvalidArgument, match=told):
        await write(bench, lease, work, replace(summary(bench, WINDOW, [event], work), **change), vectors=())
    assert await listed(bench) == ()


async def test_a_job_is_made_once_and_two_never_run_at_once(bench):
    await bench.say("one")
    memory = memory_of(bench)
    generation = await memory.begin_generation(GenerationStart(EXTRACTOR))
    lease = await bench.flushed_lease("s1")
    work = await memory.pending(lease, 9)
    fact = bench.fact("a", list(work.messages))
    event = bench.event("Both", [fact], list(work.messages))
    await memory.commit_extraction(lease, ExtractionWrite(generation, 0, 1, (fact,), (event,), consolidate=True))
    job = await memory.queue_consolidation()
    assert [it.id for it in (await memory.list_jobs(CONSOLIDATIONS, None, 9)).items] == [job.id]
    running = await bench.store.lease_job("w1", LEASE, {JobKind.CONSOLIDATION})
    assert running is not None
    assert running.job.id == job.id
    second = await memory.queue_consolidation()
    assert second.id != job.id
    assert await bench.store.lease_job("w2", LEASE, {JobKind.CONSOLIDATION}) is None
    await memory.finish_job(running, JobSucceeded())
    assert (await bench.store.lease_job("w2", LEASE, {JobKind.CONSOLIDATION})).job.id == second.id
    with pytest.raises(LeaseLost):
        await memory.consolidation_work(running, 9)
    await memory.cancel_job(second.id)
    with pytest.raises(Conflict):
        await memory.cancel_job(second.id)
    assert (await memory.retry_job(second.id)).state is JobState.QUEUED


async def test_searches_read_summaries_again_only_when_they_changed(bench):
    _, _, one, _, _, _ = await pyramid(bench)
    memory = memory_of(bench)
    found = await memory.searched_summaries(0)
    assert found is not None
    assert len(found.summaries) == 4
    assert {item.id for item in found.summaries} == set(found.vectors)
    assert {item.text for item in found.summaries} >= {one.text}
    assert await memory.searched_summaries(found.revision) is None
    await bench.say("more")
    assert await memory.searched_summaries(found.revision) is None


async def test_summaries_move_with_their_namespace(bench, open_store):
    await pyramid(bench)
    await bench.say("five", session="s3")
    await bench.extract("s3")
    records = [batch async for batch in memory_of(bench).export()]
    other = await open_store("other")

    async def batches():
        for batch in records:
            yield batch

    settings = await memory_of(bench).settings()
    await other.import_namespace(replace(settings, name="acme/copy"), batches())
    copy = other.namespace("acme/copy")
    assert await copy.check() == []
    before, after = RecordDigests(), RecordDigests()
    for batch in records:
        before.add(batch)
    async for batch in copy.export():
        after.add(batch)
    assert before.digest(settings).parts == after.digest(settings).parts
    assert before.digest(settings).parts["summaries"].count == 4
    found = await copy.searched_summaries(0)
    assert found is not None
    assert {summary.id for summary in found.summaries} == found.vectors.keys() == {summary.id for summary in await listed(bench)}
    [job] = (await copy.list_jobs(CONSOLIDATIONS, None, 9)).items
    assert (job.state, job.total) == (JobState.QUEUED, 1)
    lease = await other.lease_job("w1", LEASE, {JobKind.CONSOLIDATION})
    assert lease is not None
    assert lease.job.id == job.id
    assert [event.title for event in (await copy.consolidation_work(lease, 9)).events] == ["Event: five"]


async def test_a_window_that_says_nothing_belongs_in_no_thread(bench):
    await bench.say("one")
    extraction = await bench.extract()
    memory, lease = memory_of(bench), await consolidation_lease(bench)
    work = await memory.consolidation_work(lease, 9)
    silent = replace(summary(bench, WINDOW, [extraction.events[0].id], work), title="", sentences=())
    await write(bench, lease, work, silent, vectors=())
    work = await memory.consolidation_work(lease, 9)
    assert work.events == ()
    assert not work.loose
    found = await memory.searched_summaries(0)
    assert found is not None
    assert found.summaries == ()
    await write(bench, lease, work, replace(silent, sentences=(SummarySentence("Now it does.", silent.member_ids),)), vectors=())
    assert (await memory.consolidation_work(lease, 9)).loose


async def test_all_summaries_can_be_asked_for_anew(bench):
    _, _, one, two, thread, profile = await pyramid(bench)
    memory = memory_of(bench)
    await memory.queue_consolidation()
    assert await listed(bench, stale=True) == ()
    await memory.queue_consolidation(anew=True)
    assert {item.id for item in await listed(bench, stale=True)} == {one.id, two.id, thread.id, profile.id}
    assert await memory.check() == []


async def windows_of_two_calls(bench):
    """Three windows of a session each, the first two of one call; a thread of each, the last two of one call; the profile."""
    events = []
    for name in ("s1", "s2", "s3"):
        await bench.say(f"of {name}", session=name)
        events.append((await bench.extract(name)).events[0])
    memory, lease = memory_of(bench), await consolidation_lease(bench)
    work = await memory.consolidation_work(lease, 9)
    calls = [("call_a",), ("call_a",), ()]
    windows = [
        summary(bench, WINDOW, [event.id], work, f"Window of {event.session}", (event.session,), calls=marks)
        for event, marks in zip(events, calls, strict=True)
    ]
    await write(bench, lease, work, *windows)
    calls = [(), ("call_b",), ("call_b",)]
    threads = [
        summary(bench, THREAD, [window.id], work, f"Thread of {window.title}", window.sessions, calls=marks)
        for window, marks in zip(windows, calls, strict=True)
    ]
    await write(bench, lease, work, *threads)
    profile = summary(bench, PROFILE, [thread.id for thread in threads], work, "Profile", ())
    await write(bench, lease, work, profile)
    return lease, events, windows, threads, profile


async def silent(bench):
    return {item.id for item in await listed(bench) if not (item.title or item.sentences or item.names)}


async def test_a_deletion_takes_the_words_of_what_the_same_call_wrote(bench):
    _, events, windows, threads, profile = await windows_of_two_calls(bench)
    assert (await memory_of(bench).get_nodes([windows[0].id]))[windows[0].id].calls == ("call_a",)
    await memory_of(bench).delete(Deletion((events[0].evidence_ids[0],)))
    # The first window goes with its event. The third is of another call; its thread was written together with that of the second.
    assert await silent(bench) == {windows[1].id, threads[1].id, threads[2].id, profile.id}
    assert {item.id for item in await listed(bench, stale=False)} == {windows[2].id}
    assert await memory_of(bench).check() == []


async def test_what_was_written_with_a_summary_is_found_when_that_is_written_anew(bench):
    lease, events, windows, threads, profile = await windows_of_two_calls(bench)
    memory = memory_of(bench)
    work = await memory.consolidation_work(lease, 9)
    await write(bench, lease, work, replace(windows[0], title="Anew", calls=("call_c",)))
    assert (await memory.get_nodes([windows[0].id]))[windows[0].id].calls == ("call_a", "call_c")
    await write(bench, lease, work, replace(windows[1], title="Anew", calls=()))
    # Nothing that stands is of that call beside it any more.
    await write(bench, lease, work, replace(windows[0], title="Anew", calls=("call_c",)), replace(windows[1], calls=()))
    assert {(await memory.get_nodes([one.id]))[one.id].calls for one in windows} == {("call_c",), ()}
    # A thread that takes up another one's windows takes over its marks.
    grown = replace(threads[0], member_ids=(windows[0].id, windows[1].id))
    await write(bench, lease, work, grown, retire_ids=(threads[1].id,))
    assert (await memory.get_nodes([grown.id]))[grown.id].calls == ("call_b",)
    await memory.delete(Deletion((events[1].evidence_ids[0],)))
    assert await silent(bench) == {threads[0].id, threads[2].id, profile.id}


async def test_marks_of_calls_move_with_a_namespace(bench, open_store):
    _, events, windows, _, _ = await windows_of_two_calls(bench)
    copy = await imported(bench, open_store)
    assert [item.calls for item in (await copy.list_summaries(SummaryQuery(frozenset({WINDOW})), None, 9)).items] == [
        one.calls for one in windows
    ]
    await copy.delete(Deletion((events[0].evidence_ids[0],)))
    assert (await copy.get_nodes([windows[1].id]))[windows[1].id].sentences == ()


async def test_the_name_of_a_deleted_session_stands_in_no_summary(bench):
    _, _, one, two, thread, profile = await pyramid(bench)
    memory = memory_of(bench)
    await memory.delete(Deletion(session="s2"))
    left = {item.id: item.sessions for item in await listed(bench)}
    assert left == {one.id: ("s1",), thread.id: (), profile.id: ()}
    assert [item.id for item in await listed(bench, sessions=("s1",))] == [one.id, thread.id, profile.id]
    del two


async def test_progress_counts_what_is_written_anew(bench):
    _, _, one, two, thread, profile = await pyramid(bench)
    memory = memory_of(bench)
    await memory.queue_consolidation(anew=True)
    lease = await consolidation_lease(bench)
    work = await memory.consolidation_work(lease, 9)
    await write(bench, lease, work, one, two)
    await write(bench, lease, work, thread)
    job = await memory.get_job(lease.job.id)
    assert (job.done, job.total) == (3, 3)
    await write(bench, lease, work, profile)
    await memory.finish_job(lease, JobSucceeded())
    job = await memory.get_job(lease.job.id)
    assert (job.done, job.total, job.state) == (4, 4, JobState.SUCCEEDED)


async def test_members_are_of_the_level_below_and_there_is_one_profile(bench):
    _, _, one, two, thread, profile = await pyramid(bench)
    memory, lease = memory_of(bench), await consolidation_lease(bench)
    work = await memory.consolidation_work(lease, 9)
    apart = summary(bench, THREAD, [two.id], work, "Apart", ("s2",))
    for wrong in (
        replace(profile, member_ids=(two.id,), sentences=()),
        replace(apart, member_ids=(thread.id,), sentences=()),
    ):
        retired = (thread.id,) if wrong.level is PROFILE else (profile.id,)
        with pytest.raises(InvalidArgument, match="level below"):
            await write(bench, lease, work, wrong, retire_ids=retired, vectors=())
    await write(bench, lease, work, replace(thread, member_ids=(one.id,), sentences=()), apart)
    with pytest.raises(InvalidArgument, match="second profile"):
        await write(bench, lease, work, summary(bench, PROFILE, [apart.id], work, "Another", ()))
    another = summary(bench, PROFILE, [thread.id, apart.id], work, "Another", ())
    await write(bench, lease, work, another, retire_ids=(profile.id,))
    assert [item.id for item in await listed(bench, PROFILE)] == [another.id]
    assert await memory.check() == []


async def imported(bench, open_store, change=lambda record: record):
    """A copy of the namespace in another store, of records that were changed on the way."""
    records = [[change(record) for record in batch] async for batch in memory_of(bench).export()]
    other = await open_store("other")

    async def batches():
        for batch in records:
            yield batch

    await other.import_namespace(replace(await memory_of(bench).settings(), name="acme/copy"), batches())
    return other.namespace("acme/copy")


async def test_stale_summaries_of_an_import_get_a_job(bench, open_store):
    await pyramid(bench)
    await memory_of(bench).queue_consolidation(anew=True)
    copy = await imported(bench, open_store)
    [job] = (await copy.list_jobs(CONSOLIDATIONS, None, 9)).items
    assert (job.state, job.total) == (JobState.QUEUED, 0)


async def test_an_import_in_which_all_is_summarized_gets_no_job(bench, open_store):
    await pyramid(bench)
    copy = await imported(bench, open_store)
    assert (await copy.list_jobs(CONSOLIDATIONS, None, 9)).items == ()


async def test_an_import_with_two_profiles_is_refused(bench, open_store):
    await pyramid(bench)

    def promoted(record):
        return replace(record, level=PROFILE) if isinstance(record, Summary) and record.level is THREAD else record

    with pytest.raises(InvalidArgument, match="second profile"):
        await imported(bench, open_store, promoted)


async def test_a_check_finds_members_of_another_level(bench, open_store):
    await pyramid(bench)

    def lowered(record):
        return replace(record, level=THREAD) if isinstance(record, Summary) and record.level is PROFILE else record

    copy = await imported(bench, open_store, lowered)
    [finding] = await copy.check()
    assert (finding.problem, finding.detail) == ("ORPHAN", "the summary has a member that is not of the level below")
