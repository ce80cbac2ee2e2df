"""Several stores on one database, as the processes of a service use it: nothing is lost, done twice or seen half."""

import asyncio
from datetime import timedelta
from functools import partial

import pytest
from neo4j.exceptions import ServiceUnavailable

from graph.errors import AlreadyExists, LeaseLost, NotFound, RequestReused, StaleWrite
from graph.model import ExtractionMode, ExtractorSpec, JobKind, JobState, NodeKind, UuidSource
from graph.store.neo4j import deletion, generations
from graph.store.neo4j.driver import database
from graph.store.port import (
    AppendCommand,
    Deletion,
    EventQuery,
    ExtractionWrite,
    GenerationStart,
    JobSucceeded,
    MessageQuery,
    NamespaceSpec,
    StatementQuery,
    UsageEntry,
)

SECOND = timedelta(seconds=1)


@pytest.fixture
async def stores(request, bench, open_store):
    """Two stores on the database of the bench, which mint ids of their own."""
    if request.node.callspec.params["make_store"] != "neo4j":
        pytest.skip("only one process may open this store")
    bench.ids.mint = UuidSource().mint
    return bench.store, await open_store()


async def test_no_append_of_many_at_once_is_lost(bench, stores):
    async def appender(number):
        store = stores[number % 2]
        for count in range(6):
            drafts = tuple(bench.draft(f"{number} says {count} {part}", count) for part in range(2))
            await store.namespace(bench.namespace).append(AppendCommand(f"s{number % 3}", drafts, SECOND))

    before = (await bench.store.namespace(bench.namespace).settings()).revision
    await asyncio.gather(*(appender(number) for number in range(8)))
    assert (await stores[1].namespace(bench.namespace).settings()).revision == before + 48
    for session in ("s0", "s1", "s2"):
        listed = (await bench.store.namespace(bench.namespace).list_messages(MessageQuery(sessions=(session,)), None, 1_000)).items
        assert [message.seq for message in listed] == list(range(1, len(listed) + 1))
        assert (await bench.store.namespace(bench.namespace).get_session(session)).message_count == len(listed)
    described = await bench.store.namespace(bench.namespace).describe()
    assert sum(described.nodes.values()) == 96 + 3
    assert len(await bench.found("says")) == 96
    assert await bench.store.namespace(bench.namespace).check() == []


async def test_a_search_in_one_store_sees_what_the_other_wrote(bench, stores):
    for number in range(3):
        await bench.say(f"ferry {number}")
        other = bench.store, stores[1]
        bench.store = stores[1]
        assert len(await bench.found("ferry")) == number + 1
        bench.store = other[0]
    (first,) = (await bench.say("ferry gone")).messages
    await stores[1].namespace(bench.namespace).delete(Deletion((first.id,)))
    assert sorted((await bench.found("ferry")).values()) == ["ferry 0", "ferry 1", "ferry 2"]


async def test_of_many_workers_each_gets_a_job_of_its_own(bench, stores):
    jobs = {(await bench.say("a", session=f"s{number}")).job_id for number in range(12)}

    async def worker(number):
        taken = []
        while (lease := await stores[number % 2].lease_job(f"w{number}", timedelta(minutes=1), {JobKind.EXTRACTION})) is not None:
            taken.append(lease)
        return taken

    leases = [lease for some in await asyncio.gather(*(worker(number) for number in range(6))) for lease in some]
    assert sorted(lease.job.id for lease in leases) == sorted(jobs)
    assert len({lease.epoch for lease in leases}) == len(leases)


async def test_a_lease_that_passed_is_taken_over_and_the_first_holder_is_fenced_out(bench, stores):
    await bench.say("a")
    old = await bench.flushed_lease()
    assert await stores[1].lease_job("w2", timedelta(minutes=1), {JobKind.EXTRACTION}) is None
    bench.clock.advance(61)
    new = await stores[1].lease_job("w2", timedelta(minutes=1), {JobKind.EXTRACTION})
    assert (new.job.id, new.job.attempts) == (old.job.id, 2)
    with pytest.raises(LeaseLost):
        await stores[0].namespace(old.job.namespace).finish_job(old, JobSucceeded())
    with pytest.raises(LeaseLost):
        await stores[0].namespace(old.job.namespace).pending(old, 1)
    assert (await stores[1].namespace(new.job.namespace).pending(new, 1)).messages[0].text == "a"


async def test_leases_end_by_the_servers_clock(bench, stores, make_store, tmp_path):
    store = make_store(tmp_path / "data", None, UuidSource())
    await store.open()
    try:
        await store.create_namespace(NamespaceSpec("real", bench.spec, (await store.namespace(bench.namespace).settings()).extraction_mode))
        job = (await store.namespace("real").append(AppendCommand("s", (bench.draft("a"),), SECOND))).job_id
        old = await store.lease_job("w1", timedelta(milliseconds=300), {JobKind.EXTRACTION})
        assert old.job.id == job
        assert await store.lease_job("w2", SECOND, {JobKind.EXTRACTION}) is None
        await asyncio.sleep(0.35)
        new = await store.lease_job("w2", timedelta(minutes=1), {JobKind.EXTRACTION})
        assert (new.job.id, new.epoch) == (job, old.epoch + 1)
        with pytest.raises(LeaseLost):
            await store.namespace(old.job.namespace).renew(old, SECOND)
    finally:
        await store.close()


async def test_a_request_that_comes_to_both_at_once_is_done_once(bench, stores):
    command = AppendCommand("s1", (bench.draft("once"),), SECOND, request_id="r")
    answers = await asyncio.gather(*(stores[number % 2].namespace(bench.namespace).append(command) for number in range(6)))
    assert len(set(answers)) == 1
    assert await bench.texts() == ["once"]
    with pytest.raises(RequestReused):
        await stores[1].namespace(bench.namespace).append(AppendCommand("s1", (bench.draft("other"),), SECOND, request_id="r"))


async def test_a_name_is_given_once(bench, stores):
    spec = NamespaceSpec("new", bench.spec, (await bench.store.namespace(bench.namespace).settings()).extraction_mode)
    made = await asyncio.gather(*(stores[number % 2].create_namespace(spec) for number in range(4)), return_exceptions=True)
    assert sorted(isinstance(one, AlreadyExists) for one in made) == [False, True, True, True]
    kept = await stores[1].namespace("new").settings()
    assert [one.uid for one in made if not isinstance(one, AlreadyExists)] == [kept.uid]


async def test_a_deletion_that_broke_off_is_finished_by_whoever_needs_the_name(bench, stores, monkeypatch):
    await bench.say("secret")

    async def broken(*_):
        raise asyncio.CancelledError

    with monkeypatch.context() as patch:
        patch.setattr("graph.store.neo4j.namespaces.sweep_namespace", broken)
        with pytest.raises(asyncio.CancelledError):
            await stores[0].delete_namespace(bench.namespace)
    for store in stores:
        with pytest.raises(NotFound):
            await store.namespace(bench.namespace).settings()
        with pytest.raises(NotFound):
            await store.namespace(bench.namespace).append(AppendCommand("s1", (bench.draft("late"),), SECOND))
    assert await stores[1].lease_job("w", SECOND, {JobKind.EXTRACTION}) is None
    bench.store = stores[1]
    await bench.create()
    assert await bench.texts() == []
    assert await bench.found("secret") == {}


async def test_a_watcher_sees_what_another_process_does_to_its_job(bench, stores):
    job = await stores[0].namespace(bench.namespace).get_job((await bench.say("a")).job_id)
    watch = asyncio.create_task(stores[1].namespace(bench.namespace).wait_for_job_change(job.id, job.updated_at, timedelta(seconds=20)))
    await asyncio.sleep(0.1)
    await stores[0].namespace(bench.namespace).cancel_job(job.id)
    assert (await asyncio.wait_for(watch, 10)).state is JobState.CANCELED


async def test_a_worker_wakes_for_what_another_process_appends(bench, stores):
    waiting = asyncio.create_task(stores[1].wait_for_work(timedelta(seconds=20)))
    await asyncio.sleep(0.1)
    assert not waiting.done()
    await bench.say("a")
    await asyncio.wait_for(waiting, 10)


@pytest.mark.parametrize("committed", [True, False])
async def test_a_commit_of_which_nobody_knows_is_neither_lost_nor_repeated(bench, stores, monkeypatch, committed):
    """The connection breaks while the server commits, in one case just before it does, in the other just after."""
    lost = []
    commit = database._commit

    async def breaking(tx, held):
        if lost:
            return await commit(tx, held)
        lost.append(held)
        if committed:
            await commit(tx, held)
        raise ServiceUnavailable("the connection broke")

    async def written(write):
        lost.clear()
        with monkeypatch.context() as patch:
            patch.setattr(database, "_commit", breaking)
            answer = await write()
        assert lost
        return answer

    revision = (await bench.store.namespace(bench.namespace).settings()).revision
    outcome = await written(lambda: bench.say("once"))
    assert outcome.revision == revision + 1 == (await bench.store.namespace(bench.namespace).settings()).revision
    assert await bench.texts() == ["once"]
    lease = await written(bench.lease)
    assert (lease.job.id, lease.job.attempts) == (outcome.job_id, 1)
    await written(lambda: bench.store.namespace(bench.namespace).add_usage([UsageEntry("embed", "m", 1)]))
    assert await bench.store.namespace(bench.namespace).usage() == [UsageEntry("embed", "m", 1)]
    receipt = await written(lambda: bench.store.namespace(bench.namespace).delete(Deletion((outcome.messages[0].id,))))
    assert (receipt.missing_ids, receipt.revision) == ((), revision + 2)
    assert await bench.store.namespace(bench.namespace).check() == []


async def test_usage_is_counted_once_though_another_process_wrote_before_it_could_be_asked_for(bench, stores, monkeypatch):
    commit, broken = database._commit, []

    async def breaking(tx, held):
        await commit(tx, held)
        if not broken:
            broken.append(held)
            await stores[1].namespace(bench.namespace).add_usage([UsageEntry("embed", "m", 2)])
            raise ServiceUnavailable("the connection broke")

    monkeypatch.setattr(database, "_commit", breaking)
    await stores[0].namespace(bench.namespace).add_usage([UsageEntry("embed", "m", 1, items=3), UsageEntry("embed", "m", 1, items=4)])
    assert broken
    assert await stores[0].namespace(bench.namespace).usage() == [UsageEntry("embed", "m", 4, items=7)]


LATER = ExtractorSpec("rules", "v2", ExtractionMode.EVENT)


@pytest.fixture
def in_parts(monkeypatch):
    """Two nodes are more than one transaction retires."""
    monkeypatch.setattr(generations, "_AT_ONCE", 2)
    monkeypatch.setattr(generations, "_BATCH", 1)


async def nothing_is_current(bench):
    assert (await bench.store.namespace(bench.namespace).list_statements(StatementQuery(), None, 10)).items == ()
    assert (await bench.store.namespace(bench.namespace).list_events(EventQuery(), None, 10)).items == ()
    assert {name for name in (await bench.found("fact one two three")).values() if "Fact" in name} == set()
    retired = (await bench.store.namespace(bench.namespace).list_statements(StatementQuery(include_retired=True), None, 10)).items
    return len(retired) == 6 and all(statement.retired_at for statement in retired)


@pytest.mark.usefixtures("in_parts")
async def test_a_large_generation_is_retired_in_several_transactions(bench, stores):
    for session in ("s1", "s2"):
        await bench.say("one", "two", "three", session=session)
        await bench.extract(session)
    before = (await bench.store.namespace(bench.namespace).settings()).revision
    assert await bench.store.namespace(bench.namespace).begin_generation(GenerationStart(LATER)) == 2
    assert (await bench.store.namespace(bench.namespace).settings()).revision > before + 4
    assert await nothing_is_current(bench)
    assert len((await bench.extract("s2", LATER)).statements) == 3
    assert await bench.store.namespace(bench.namespace).begin_generation(GenerationStart(LATER)) == 2
    assert await bench.store.namespace(bench.namespace).check() == []


@pytest.fixture
async def half_retired(bench, stores, in_parts, monkeypatch):
    """Two extracted sessions, of which a process that died has retired a part."""
    for session in ("s1", "s2"):
        await bench.say("one", "two", "three", session=session)
        await bench.extract(session)
    retire, retired = generations._retire, []

    async def dies(tx, label, keys):
        if len(retired) == 3:
            raise RuntimeError("the process dies")
        retired.extend(keys)
        await retire(tx, label, keys)

    with monkeypatch.context() as patch:
        patch.setattr(generations, "_retire", dies)
        with pytest.raises(RuntimeError, match="dies"):
            await bench.store.namespace(bench.namespace).begin_generation(GenerationStart(LATER))
    # Of the part that broke off nothing is there.
    assert len((await bench.store.namespace(bench.namespace).list_statements(StatementQuery(), None, 10)).items) == 4


@pytest.mark.usefixtures("half_retired")
async def test_what_one_process_left_half_retired_another_finishes(bench, stores):
    # Whoever works on a session's job, for whichever extractor, finds a generation that is not its own.
    lease = await stores[1].lease_job("w", SECOND, {JobKind.EXTRACTION})
    assert lease is not None
    left = (await stores[1].namespace(bench.namespace).settings()).generation
    assert (left.number, left.extractor) == (1, generations.ENDING)
    work = await stores[1].namespace(lease.job.namespace).pending(lease, 10)
    late = ExtractionWrite(generation=1, expected_watermark=0, watermark=3)
    assert (work.generation, work.watermark) == (1, 0)
    with pytest.raises(StaleWrite):
        await stores[1].namespace(lease.job.namespace).commit_extraction(lease, late)
    assert await stores[1].namespace(bench.namespace).begin_generation(GenerationStart(bench.extractor)) == 2
    assert await nothing_is_current(bench)
    assert await bench.store.namespace(bench.namespace).check() == []


@pytest.mark.usefixtures("half_retired")
async def test_whoever_comes_late_with_a_part_retires_nothing_of_the_next_generation(bench, stores, monkeypatch):
    """Two processes want different extractors: what the one begins meanwhile the other ends as a whole, or not at all."""
    part, ended = generations._retire_part, []

    async def overtaken(tx, ids, start, progress):
        if start.extractor == LATER and progress.stage == 2 and not ended:
            ended.append(progress)
            raise LeaseLost("stands still")  # any error that ends this call; the next one goes on from there
        return await part(tx, ids, start, progress)

    monkeypatch.setattr(generations, "_retire_part", overtaken)
    with pytest.raises(LeaseLost):
        await bench.store.namespace(bench.namespace).begin_generation(GenerationStart(LATER))
    await bench.extract("s1")
    database_of = bench.store._database
    monkeypatch.setattr(generations, "_AT_ONCE", 100)
    assert await database_of.write(bench.namespace, partial(part, ids=bench.ids, start=GenerationStart(LATER), progress=ended[0])) is None
    assert len((await bench.store.namespace(bench.namespace).list_statements(StatementQuery(), None, 10)).items) == 3
    assert await bench.store.namespace(bench.namespace).check() == []


async def test_a_long_session_is_deleted_in_several_transactions(bench, stores, monkeypatch):
    monkeypatch.setattr(deletion, "_AT_ONCE", 2)
    keep = deletion.keep_receipt

    async def dies(*arguments):
        raise RuntimeError("the process dies")

    for session, texts in (("s1", ("one", "two", "three", "four", "five")), ("s2", ("six",))):
        await bench.say(*texts, session=session)
        await bench.extract(session)
    asked = Deletion(session="s1", request_id="r")
    monkeypatch.setattr(deletion, "keep_receipt", dies)
    with pytest.raises(RuntimeError, match="dies"):
        await bench.store.namespace(bench.namespace).delete(asked)
    # What is left is whole: two parts went, each with its facts and events.
    assert await bench.texts() == ["five"]
    assert (await bench.store.namespace(bench.namespace).get_session("s1")).message_count == 1
    assert await bench.store.namespace(bench.namespace).check() == []

    monkeypatch.setattr(deletion, "keep_receipt", keep)
    await bench.say("seven", "eight")
    before = (await bench.store.namespace(bench.namespace).settings()).revision
    receipt = await stores[1].namespace(bench.namespace).delete(asked)
    # The receipt lists what went before as well.
    assert receipt.counts == {NodeKind.SESSION: 1, NodeKind.MESSAGE: 7, NodeKind.FACT: 5, NodeKind.EVENT: 5}
    assert receipt.revision == before + 2 == (await bench.store.namespace(bench.namespace).settings()).revision
    assert await bench.store.namespace(bench.namespace).delete(asked) == receipt
    assert set((await bench.found("fact one five six")).values()) == {"six", "Fact: six"}
    assert await bench.store.namespace(bench.namespace).check() == []
