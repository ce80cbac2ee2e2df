"""Jobs: made by appends, leased, fenced, handed back, watched."""

import asyncio
from datetime import timedelta

import pytest

from graph.errors import Conflict, LeaseLost, NotFound
from graph.model import ExtractionMode, JobError, JobKind, JobState
from graph.store.port import AppendCommand, Deletion, GenerationStart, JobAttemptFailed, JobDeferred, JobQuery, JobSucceeded

MINUTE = timedelta(minutes=1)


async def test_appends_share_the_job_that_nobody_has_leased(bench):
    first, second = await bench.say("a"), await bench.say("b")
    assert first.job_id == second.job_id != ""
    job = await bench.store.namespace(bench.namespace).get_job(first.job_id)
    assert (job.state, job.total, job.done, job.session) == (JobState.QUEUED, 2, 0, "s1")
    assert job.run_after == bench.clock.now()


async def test_a_job_is_due_at_once_and_knows_until_when_its_messages_may_wait(bench):
    await bench.say("a")
    lease = await bench.lease()
    assert (lease.job.state, lease.job.attempts, lease.expires_at) == (JobState.RUNNING, 1, bench.clock.now() + MINUTE)
    assert (await bench.store.namespace(lease.job.namespace).pending(lease, 10)).idle_until == bench.clock.now() + timedelta(seconds=30)


async def test_a_job_that_waits_for_more_messages_is_due_when_one_comes(bench):
    await bench.say("a")
    lease = await bench.lease()
    await bench.store.namespace(lease.job.namespace).finish_job(
        lease, JobDeferred((await bench.store.namespace(lease.job.namespace).pending(lease, 10)).idle_until)
    )
    bench.clock.advance(20)
    assert await bench.lease() is None
    await bench.say("b")
    lease = await bench.lease()
    work = await bench.store.namespace(lease.job.namespace).pending(lease, 10)
    assert ([m.text for m in work.messages], work.idle_until) == (["a", "b"], bench.clock.now() + timedelta(seconds=30))


async def test_a_job_that_waits_for_more_messages_is_due_when_none_comes(bench):
    await bench.say("a")
    lease = await bench.lease()
    await bench.store.namespace(lease.job.namespace).finish_job(
        lease, JobDeferred((await bench.store.namespace(lease.job.namespace).pending(lease, 10)).idle_until)
    )
    bench.clock.advance(30)
    assert await bench.lease() is not None


async def test_messages_do_not_hurry_a_job_that_backs_off(bench):
    await bench.say("a")
    error = JobError("EXTRACTOR_UNAVAILABLE", "it does not answer")
    await bench.store.namespace(bench.namespace).finish_job(await bench.lease(), JobAttemptFailed(error, bench.clock.now() + MINUTE))
    await bench.say("b")
    assert await bench.lease() is None
    bench.clock.advance(60)
    assert await bench.lease() is not None


async def test_a_session_that_never_falls_silent_is_still_worked_on(bench):
    for _ in range(5):
        await bench.say("on and on")
        lease = await bench.lease()
        await bench.store.namespace(lease.job.namespace).finish_job(
            lease, JobDeferred((await bench.store.namespace(lease.job.namespace).pending(lease, 10)).idle_until)
        )
        bench.clock.advance(20)


async def test_later_appends_make_a_new_job_beside_a_leased_one(bench):
    first = await bench.say("a")
    lease = await bench.flushed_lease()
    second = await bench.say("b")
    assert second.job_id != first.job_id
    assert [m.text for m in (await bench.store.namespace(lease.job.namespace).pending(lease, 10)).messages] == ["a"]


async def test_one_sessions_jobs_never_run_at_once(bench):
    await bench.say("a")
    lease = await bench.flushed_lease()
    await bench.say("b", idle=timedelta(0))
    assert await bench.lease("w2") is None
    await bench.store.namespace(lease.job.namespace).finish_job(lease, JobDeferred(bench.clock.now() + timedelta(hours=1)))
    assert await bench.lease("w2") is not None


async def test_the_job_due_longest_comes_first_of_all_namespaces(bench):
    await bench.create("other")
    bench.namespace = "other"
    await bench.say("early")
    bench.clock.advance(1)
    bench.namespace = "acme/ana"
    await bench.say("late")
    assert (await bench.lease()).job.namespace == "other"
    assert (await bench.lease()).job.namespace == "acme/ana"
    assert await bench.lease() is None


async def test_a_passed_lease_is_fenced_out(bench):
    await bench.say("a")
    old = await bench.flushed_lease()
    bench.clock.advance(61)
    for attempt in (
        bench.store.namespace(old.job.namespace).renew(old, MINUTE),
        bench.store.namespace(old.job.namespace).pending(old, 1),
        bench.store.namespace(old.job.namespace).finish_job(old, JobSucceeded()),
    ):
        with pytest.raises(LeaseLost):
            await attempt
    new = await bench.lease("w2")
    assert new.job.id == old.job.id
    assert new.epoch > old.epoch
    assert new.job.attempts == 2


async def test_a_renewed_lease_lasts(bench):
    await bench.say("a")
    lease = await bench.flushed_lease()
    bench.clock.advance(50)
    lease = await bench.store.namespace(lease.job.namespace).renew(lease, MINUTE)
    bench.clock.advance(50)
    assert await bench.lease("w2") is None
    await bench.store.namespace(lease.job.namespace).pending(lease, 1)


async def test_a_job_with_messages_left_stays_queued(bench):
    await bench.say("a")
    lease = await bench.flushed_lease()
    job = await bench.store.namespace(lease.job.namespace).finish_job(lease, JobSucceeded())
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)


async def test_an_extracted_session_ends_its_job(bench):
    outcome = await bench.say("a", "b")
    await bench.extract()
    job = await bench.store.namespace(bench.namespace).get_job(outcome.job_id)
    assert (job.state, job.done, job.total) == (JobState.SUCCEEDED, 2, 2)
    assert (await bench.say(bench.draft("c"))).job_id != outcome.job_id


async def test_being_handed_back_is_no_attempt(bench):
    await bench.say("a")
    job = await bench.store.namespace(bench.namespace).finish_job(await bench.flushed_lease(), JobDeferred(bench.clock.now()))
    assert (job.state, job.attempts) == (JobState.QUEUED, 0)
    assert (await bench.lease()).job.id == job.id


async def test_a_failed_attempt_is_tried_again_and_then_rests(bench):
    await bench.say("a")
    error = JobError("EXTRACTOR_UNAVAILABLE", "it does not answer")
    job = await bench.store.namespace(bench.namespace).finish_job(
        await bench.flushed_lease(), JobAttemptFailed(error, bench.clock.now() + MINUTE)
    )
    assert (job.state, job.error, job.attempts) == (JobState.QUEUED, error, 1)
    assert await bench.lease() is None
    bench.clock.advance(60)
    job = await bench.store.namespace(bench.namespace).finish_job(await bench.lease(), JobAttemptFailed(error, None))
    assert (job.state, job.error, job.attempts) == (JobState.FAILED, error, 2)
    assert await bench.lease() is None


async def test_a_failed_job_can_be_tried_again(bench):
    await bench.say("a")
    job = await bench.store.namespace(bench.namespace).finish_job(await bench.flushed_lease(), JobAttemptFailed(JobError("X", "x"), None))
    again = await bench.store.namespace(bench.namespace).retry_job(job.id)
    assert (again.state, again.attempts) == (JobState.QUEUED, 0)
    assert (await bench.lease()).job.id == job.id
    with pytest.raises(Conflict):
        await bench.store.namespace(bench.namespace).retry_job(job.id)


async def test_a_cancelled_job_loses_its_lease(bench):
    await bench.say("a")
    lease = await bench.flushed_lease()
    job = await bench.store.namespace(bench.namespace).cancel_job(lease.job.id)
    assert job.state is JobState.CANCELED
    with pytest.raises(LeaseLost):
        await bench.store.namespace(lease.job.namespace).finish_job(lease, JobSucceeded())
    with pytest.raises(Conflict):
        await bench.store.namespace(bench.namespace).cancel_job(lease.job.id)
    assert await bench.texts() == ["a"]


async def test_a_flush_makes_the_job_due_and_marks_the_boundary(bench):
    outcome = await bench.say("a", "b")
    assert await bench.store.namespace(bench.namespace).flush("s1") == (outcome.job_id,)
    lease = await bench.lease()
    work = await bench.store.namespace(lease.job.namespace).pending(lease, 10)
    assert work.flush_marks == {2}
    assert work.idle_until <= bench.clock.now()


async def test_a_flush_reaches_a_job_that_is_leased(bench):
    await bench.say("a")
    lease = await bench.lease()
    assert await bench.store.namespace(bench.namespace).flush("s1") == (lease.job.id,)
    job = await bench.store.namespace(lease.job.namespace).finish_job(lease, JobDeferred(bench.clock.now() + timedelta(hours=1)))
    assert job.run_after <= bench.clock.now()


async def test_a_flush_of_nothing_names_no_job(bench):
    await bench.say("a")
    await bench.extract()
    assert await bench.store.namespace(bench.namespace).flush("") == ()
    with pytest.raises(NotFound):
        await bench.store.namespace(bench.namespace).flush("nobody")


async def test_a_flush_of_all_sessions_names_every_job(bench):
    jobs = {(await bench.say("a", session=name)).job_id for name in ("s1", "s2", "s3")}
    assert set(await bench.store.namespace(bench.namespace).flush("")) == jobs


async def test_expediting_a_job_flushes_its_session(bench):
    outcome = await bench.say("a")
    job = await bench.store.namespace(bench.namespace).expedite_job(outcome.job_id)
    assert job.run_after <= bench.clock.now()
    assert await bench.lease() is not None


async def test_pending_shows_what_follows_the_watermark(bench):
    await bench.say(*(f"old {i}" for i in range(8)))
    await bench.extract()
    await bench.say("x", "y", "z")
    lease = await bench.flushed_lease()
    await bench.embed()
    work = await bench.store.namespace(lease.job.namespace).pending(lease, 2)
    assert [m.text for m in work.messages] == ["x", "y"]
    assert work.more
    assert work.watermark == 8
    assert [m.seq for m in work.context] == sorted(m.seq for m in work.context)
    assert work.context[-1].text == "old 7"
    assert set(work.vectors) == {m.id for m in (*work.context, *work.messages)}
    assert work.vectors[work.messages[0].id].tolist() == bench.unit(*b"x").tolist()


async def test_listed_jobs_come_newest_first_in_pages(bench):
    jobs = [(await bench.say("a", session=f"s{i}")).job_id for i in range(5)]
    await bench.store.namespace(bench.namespace).cancel_job(jobs[0])
    page = await bench.store.namespace(bench.namespace).list_jobs(JobQuery(), None, 3)
    rest = await bench.store.namespace(bench.namespace).list_jobs(JobQuery(), page.next, 3)
    assert [job.id for job in page.items + rest.items] == jobs[::-1]
    assert rest.next is None
    queued = await bench.store.namespace(bench.namespace).list_jobs(
        JobQuery(frozenset({JobState.CANCELED}), frozenset({JobKind.EXTRACTION})), None, 9
    )
    assert [job.id for job in queued.items] == jobs[:1]


async def test_finished_jobs_are_forgotten_after_seven_days(bench):
    old = (await bench.say("a")).job_id
    await bench.extract()
    bench.clock.advance(7 * 24 * 3600 + 1)
    await bench.say("b")
    await bench.extract()
    with pytest.raises(NotFound):
        await bench.store.namespace(bench.namespace).get_job(old)


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELED])
async def test_a_failed_or_cancelled_job_is_kept_until_it_is_retried_or_its_namespace_goes(bench, state):
    await bench.say("a")
    lease = await bench.flushed_lease()
    if state is JobState.FAILED:
        job = await bench.store.namespace(lease.job.namespace).finish_job(lease, JobAttemptFailed(JobError("X", "x"), None))
    else:
        job = await bench.store.namespace(bench.namespace).cancel_job(lease.job.id)
    bench.clock.advance(366 * 24 * 3600)
    await bench.say("b", session="s2")
    await bench.extract("s2")
    kept = await bench.store.namespace(bench.namespace).get_job(job.id)
    assert (kept.state, kept.error) == (state, job.error)
    assert (await bench.store.namespace(bench.namespace).retry_job(job.id)).state is JobState.QUEUED
    await bench.extract("s1")
    bench.clock.advance(7 * 24 * 3600 + 1)
    await bench.say("c", session="s2")
    await bench.extract("s2")
    with pytest.raises(NotFound):
        await bench.store.namespace(bench.namespace).get_job(job.id)
    await bench.store.delete_namespace(bench.namespace)
    await bench.create()
    assert (await bench.store.namespace(bench.namespace).list_jobs(JobQuery(), None, 9)).items == ()


async def test_waiting_for_work_ends_when_there_is_some(bench):
    waiting = asyncio.create_task(bench.store.wait_for_work(timedelta(seconds=20)))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await bench.say("a", idle=timedelta(0))
    await asyncio.wait_for(waiting, 5)
    assert await bench.lease() is not None


async def test_waiting_for_work_ends_at_its_timeout(bench):
    await asyncio.wait_for(bench.store.wait_for_work(timedelta(milliseconds=20)), 5)


async def test_waiting_for_a_job_ends_with_its_next_change(bench):
    job = await bench.store.namespace(bench.namespace).get_job((await bench.say("a")).job_id)
    waiting = asyncio.create_task(bench.store.namespace(bench.namespace).wait_for_job_change(job.id, job.updated_at, timedelta(seconds=20)))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await bench.flushed_lease()
    changed = await asyncio.wait_for(waiting, 5)
    assert changed.updated_at > job.updated_at
    same = await bench.store.namespace(bench.namespace).wait_for_job_change(job.id, bench.clock.now() + MINUTE, timedelta(milliseconds=10))
    assert same.id == job.id


@pytest.mark.embedded
async def test_a_change_wakes_only_those_who_watch_that_job(bench, monkeypatch):
    jobs = [
        await bench.store.namespace(bench.namespace).get_job((await bench.say("a", session=f"s{number}")).job_id) for number in range(50)
    ]
    handle = type(bench.store.namespace(bench.namespace))
    reads, real = [], handle.get_job

    async def counted(self, job_id):
        reads.append(job_id)
        return await real(self, job_id)

    monkeypatch.setattr(handle, "get_job", counted)
    watches = [
        asyncio.create_task(bench.store.namespace(bench.namespace).wait_for_job_change(job.id, job.updated_at, timedelta(seconds=20)))
        for job in jobs
    ]
    await asyncio.sleep(0.5)  # each has read its job and waits
    assert len(reads) == len(jobs)
    reads.clear()
    lease = await bench.lease()
    [watched] = [index for index, job in enumerate(jobs) if job.id == lease.job.id]
    assert (await asyncio.wait_for(watches.pop(watched), 5)).state is JobState.RUNNING
    await bench.store.namespace(lease.job.namespace).renew(lease, MINUTE)
    await asyncio.sleep(0.05)
    assert reads == [lease.job.id]
    assert not any(watch.done() for watch in watches)
    await bench.store.delete_namespace(bench.namespace)
    for watch in watches:
        with pytest.raises(NotFound):
            await asyncio.wait_for(watch, 5)


@pytest.mark.parametrize("change", ["cancel", "retry", "flush", "more messages", "delete the session", "fail"])
async def test_whatever_changes_a_job_wakes_its_watcher(bench, change):
    job = await bench.store.namespace(bench.namespace).get_job((await bench.say("a")).job_id)
    if change == "retry":
        job = await bench.store.namespace(bench.namespace).cancel_job(job.id)
    lease = await bench.flushed_lease() if change == "fail" else None
    job = await bench.store.namespace(bench.namespace).get_job(job.id)
    watch = asyncio.create_task(bench.store.namespace(bench.namespace).wait_for_job_change(job.id, job.updated_at, timedelta(seconds=20)))
    await asyncio.sleep(0.05)
    match change:
        case "cancel":
            await bench.store.namespace(bench.namespace).cancel_job(job.id)
        case "retry":
            await bench.store.namespace(bench.namespace).retry_job(job.id)
        case "flush":
            await bench.store.namespace(bench.namespace).flush("s1")
        case "more messages":
            await bench.say("b")
        case "delete the session":
            await bench.store.namespace(bench.namespace).delete(Deletion(session="s1"))
        case "fail":
            await bench.store.namespace(lease.job.namespace).finish_job(lease, JobAttemptFailed(JobError("X", "x"), None))
    assert (await asyncio.wait_for(watch, 5)).updated_at > job.updated_at


async def test_an_unknown_job_is_not_found(bench):
    with pytest.raises(NotFound):
        await bench.store.namespace(bench.namespace).get_job("job_01h455vb4pex5vsknk084sn02q")


async def test_without_extraction_a_job_embeds(bench):
    bench.namespace = "off"
    await bench.create(mode=ExtractionMode.OFF)
    outcome = await bench.say("a")
    lease = await bench.flushed_lease()
    assert (await bench.store.namespace(lease.job.namespace).finish_job(lease, JobSucceeded())).state is JobState.QUEUED
    lease = await bench.lease()
    assert await bench.embed() == 1
    assert (await bench.store.namespace(lease.job.namespace).finish_job(lease, JobSucceeded())).state is JobState.SUCCEEDED
    assert lease.job.id == outcome.job_id


async def test_open_jobs_are_found_again_after_a_restart(bench, open_store):
    job = (await bench.say("a", idle=timedelta(0))).job_id
    await bench.store.close()
    bench.store = await open_store()
    assert (await bench.lease()).job.id == job


@pytest.mark.usefixtures("owned_by_one_process")
async def test_leases_end_with_the_process_that_held_them(bench, open_store):
    await bench.say("a")
    old = await bench.lease(duration=timedelta(hours=1))
    await bench.store.close()
    bench.store = await open_store()
    new = await bench.lease("w2", timedelta(hours=1))
    assert (new.job.id, new.job.attempts) == (old.job.id, 2)
    with pytest.raises(LeaseLost):
        await bench.store.namespace(old.job.namespace).finish_job(old, JobSucceeded())
    assert await bench.lease("w3") is None, "what this process leases stays leased"


@pytest.mark.usefixtures("owned_by_one_process")
async def test_messages_that_come_first_after_a_restart_do_not_hide_old_leases(bench, open_store):
    await bench.say("a")
    old = await bench.lease(duration=timedelta(hours=1))
    await bench.store.close()
    bench.store = await open_store()
    await bench.say("b", session="s2")
    assert old.job.id in {(await bench.lease()).job.id, (await bench.lease()).job.id}


async def test_a_generation_that_is_current_changes_nothing(bench):
    start = GenerationStart(bench.extractor)
    assert await bench.store.namespace(bench.namespace).begin_generation(start) == 1
    revision = (await bench.store.namespace(bench.namespace).settings()).revision
    assert await bench.store.namespace(bench.namespace).begin_generation(start) == 1
    assert (await bench.store.namespace(bench.namespace).settings()).revision == revision


async def test_a_job_whose_session_was_deleted_cannot_be_retried(bench):
    await bench.say("a")
    lease = await bench.flushed_lease()
    job = await bench.store.namespace(lease.job.namespace).finish_job(lease, JobAttemptFailed(JobError("X", "x"), None))
    await bench.store.namespace(bench.namespace).delete(Deletion(session="s1"))
    with pytest.raises(Conflict, match="session of the job was deleted"):
        await bench.store.namespace(bench.namespace).retry_job(job.id)


async def test_a_worker_may_ask_for_the_work_of_one_namespace(bench):
    await bench.create("acme/anabel")
    other = bench.store.namespace("acme/anabel")
    await other.append(AppendCommand("s0", (bench.draft("Good morning."),), timedelta(seconds=30)))
    await bench.say("Hello there.", session="s1")
    await bench.say("Hello again.", session="s2")
    leased = []
    while (lease := await bench.store.lease_job("w1", MINUTE, {JobKind.EXTRACTION}, bench.namespace)) is not None:
        leased.append((lease.job.namespace, lease.job.session))
    assert leased == [(bench.namespace, "s1"), (bench.namespace, "s2")]
    assert await bench.store.lease_job("w1", MINUTE, {JobKind.EXTRACTION}, "acme/nobody") is None
    lease = await bench.lease()
    assert (lease.job.namespace, lease.job.session) == ("acme/anabel", "s0")
