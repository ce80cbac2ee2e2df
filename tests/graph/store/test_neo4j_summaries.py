"""Summaries in Neo4j: what a database from before them is given, what goes in several transactions, and what people find."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from graph.model import ExtractionMode, ExtractorSpec, JobKind
from graph.store.neo4j import Neo4jStore, deletion, generations, migrations
from graph.store.neo4j.memory import Neo4jMemory
from graph.store.port import Deletion, GenerationStart
from tests.graph.store.conftest import LEASE, Bench, CountingIds, ManualClock
from tests.graph.store.test_summaries import consolidation_lease, listed, memory_of, pyramid
from tests.neo4j_databases import Database

LATER = ExtractorSpec("rules", "v2", ExtractionMode.EVENT)
WAITING = """MATCH (e:Event) WHERE e.waits_in IS NOT NULL
    RETURN e.title AS title, e.waits_in = e.session_key AND e.waits_since = e.recorded_at AS whole"""


@pytest.fixture
async def bench(neo4j: Database, clock: ManualClock, ids: CountingIds) -> AsyncIterator[Bench]:
    store = Neo4jStore(neo4j.address, clock=clock, ids=ids)
    await store.open()
    bench = Bench(store, clock, ids)
    await bench.create()
    yield bench
    await store.close()


async def test_events_from_before_there_were_summaries_wait_for_one(bench: Bench, neo4j: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.say("old", "older")
    await bench.extract()
    await memory_of(bench).begin_generation(GenerationStart(LATER))
    await bench.extract("s1", LATER)
    await bench.say("three", session="s2")
    await bench.extract("s2", LATER)
    # As the version before left it.
    neo4j.run("MATCH (e:Event) REMOVE e.waits_in, e.waits_since")
    neo4j.run("MATCH (n:Namespace) REMOVE n.removed_revision, n.summaries_revision")
    neo4j.run("MATCH (m:Migration) WHERE m.version > 1 DELETE m")
    for name in ("summary_level", "event_waits", "event_waits_since"):
        neo4j.run(f"DROP INDEX {name}")
    monkeypatch.setattr(migrations, "_BATCH", 2)

    again = Neo4jStore(neo4j.address, clock=bench.clock, ids=bench.ids)
    await again.open()
    bench.store = again
    assert sorted((row["title"], row["whole"]) for row in neo4j.run(WAITING)) == [
        (f"Event: {text}", True) for text in ("old", "older", "three")
    ]
    assert await again.namespace(bench.namespace).check() == []
    lease = await consolidation_lease(bench)
    assert lease.job.total == 3
    assert len((await again.namespace(bench.namespace).consolidation_work(lease, 10)).events) == 3
    assert await again.namespace(bench.namespace).searched_summaries(0) is None
    await again.close()


async def test_what_a_part_of_a_long_deletion_took_is_told_of_no_more(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, one, two, thread, profile = await pyramid(bench)
    memory = memory_of(bench)
    monkeypatch.setattr(deletion, "_AT_ONCE", 1)

    async def dies(*_: Any) -> None:
        raise RuntimeError("the process dies")

    with monkeypatch.context() as patch:
        patch.setattr(deletion, "keep_receipt", dies)
        with pytest.raises(RuntimeError, match="dies"):
            await memory.delete(Deletion(session="s1"))
    stored = {summary.id: summary for summary in await listed(bench)}
    assert {id_: (summary.text, summary.stale_since) for id_, summary in stored.items()} == dict.fromkeys(
        (one.id, two.id, thread.id, profile.id), ("", bench.clock.now())
    )
    assert len(stored[one.id].member_ids) == 1
    assert await memory.check() == []
    await memory.delete(Deletion(session="s1"))
    assert {summary.id for summary in await listed(bench)} == {two.id, thread.id, profile.id}
    assert await memory.check() == []


async def test_what_is_left_after_every_part_of_a_generation_that_ends_is_whole(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await pyramid(bench)
    monkeypatch.setattr(generations, "_AT_ONCE", 1)
    monkeypatch.setattr(generations, "_BATCH", 1)
    memory, left = memory_of(bench), list[tuple[int, Any]]()
    write = Neo4jMemory.write

    async def looking(*arguments: Any) -> Any:
        """Looks at what is there after a transaction."""
        done = await write(*arguments)
        left.append((len(await listed(bench)), await memory.check()))
        return done

    monkeypatch.setattr(Neo4jMemory, "write", looking)
    await memory.begin_generation(GenerationStart(LATER))
    # Mentions are counted anew at the end.
    assert {finding.problem for _, findings in left for finding in findings} <= {"MISCOUNTED"}
    assert await memory.check() == []
    assert {count for count, _ in left} == {4, 3, 2, 1, 0}


async def test_people_find_summaries_in_words(bench: Bench, neo4j: Database) -> None:
    _, _, one, _, _, _ = await pyramid(bench)
    [row] = neo4j.run(
        """MATCH (t:Summary {level: 'THREAD'})-[:SUMMARIZES]->(s:Summary {level: 'WINDOW', title: 'Window one'})-[r:SUMMARIZES]->(e:Event)
        WITH t, s, e ORDER BY r.order
        RETURN t.sessions AS sessions, s.text AS text, s.sentences AS said, [x IN s.sentence_sources | split(x, ' ')] AS sources,
            collect(e.id) AS events, s.said_on = datetime({epochMillis: s.said_from / 1000}) AS dated"""
    )
    assert (row["sessions"], row["text"]) == (["s1", "s2"], one.text)
    assert row["said"] == [sentence.text for sentence in one.sentences]
    assert row["sources"] == [[id_] for id_ in row["events"]] == [[id_] for id_ in one.member_ids]
    assert row["dated"]


async def test_a_consolidation_of_another_process_is_not_doubled(bench: Bench, neo4j: Database) -> None:
    await pyramid(bench)
    other = Neo4jStore(neo4j.address, clock=bench.clock)
    await other.open()
    job = await memory_of(bench).queue_consolidation()
    assert (await other.namespace(bench.namespace).queue_consolidation()).id == job.id
    assert (await other.lease_job("w2", LEASE, {JobKind.CONSOLIDATION})).job.id == job.id
    assert await bench.store.lease_job("w1", LEASE, {JobKind.CONSOLIDATION}) is None
    assert (await other.namespace(bench.namespace).searched_summaries(0)).summaries
    await other.close()
