"""A database whose texts another version of the analyser has read is brought to the present one, and nothing of it is lost meanwhile."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from graph.errors import Conflict
from graph.store import memory_rows
from graph.store.neo4j import Neo4jStore, reanalysis
from graph.store.neo4j.rows import namespace_rows
from graph.store.port import AppendCommand
from graph.text import ANALYSER_VERSION, index_claim, index_turn
from tests.graph.store.conftest import Bench, CountingIds, ManualClock, draft
from tests.neo4j_databases import Database

LONG = " ".join(f"In the year {1900 + n} the ferry number {n} went to the island with {n} sheep." for n in range(120))


@pytest.fixture
def an_older_analyser(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Texts are read as an older analyser might, which saw other words and cut them otherwise, until the returned function is called."""

    def older(text: str) -> str:
        return text[: len(text) // 2].upper() if len(text) > 100 else text.replace("boat", "vessel")

    monkeypatch.setattr(memory_rows, "index_turn", lambda speaker, text, *more: index_turn(speaker, older(text), *more))
    monkeypatch.setattr(memory_rows, "index_claim", lambda text, *more: index_claim(older(text), *more))
    monkeypatch.setattr(namespace_rows, "ANALYSER_VERSION", ANALYSER_VERSION - 1)
    return monkeypatch.undo


async def told(neo4j: Database, clock: ManualClock, ids: CountingIds, store: Neo4jStore) -> Bench:
    """Messages of one and of many passages, with their facts and vectors."""
    bench = Bench(store, clock, ids)
    await bench.create()
    await bench.say("the ferry", "the boat left on 3 May 2023", LONG, *(f"turn {n}" for n in range(5)))
    await bench.extract()
    return bench


async def opened(neo4j: Database, clock: ManualClock, ids: CountingIds) -> Neo4jStore:
    store = Neo4jStore(neo4j.address, clock=clock, ids=ids)
    await store.open()
    return store


async def done(*stores: Neo4jStore) -> None:
    async with asyncio.timeout(120):
        for store in stores:
            assert store._reanalysis is not None
            await store._reanalysis


async def test_what_an_older_analyser_read_is_read_anew(
    neo4j: Database, clock: ManualClock, ids: CountingIds, an_older_analyser, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await opened(neo4j, clock, ids)
    bench = await told(neo4j, clock, ids, old)
    assert "the boat left on 3 May 2023" not in (await bench.found("boat")).values()
    before = await old.namespace(bench.namespace).describe()
    digests = {row["id"]: row["digest"] for row in neo4j.run("MATCH (m:Message|Fact) RETURN m.id AS id, m.digest AS digest")}
    an_older_analyser()
    monkeypatch.setattr(reanalysis, "_NEXT", reanalysis._NEXT.replace(f"LIMIT {reanalysis._BATCH}", "LIMIT 3"))
    assert [finding.problem for finding in await old.namespace(bench.namespace).check()] == ["OTHER_ANALYSER"]

    stores = [await opened(neo4j, clock, ids) for _ in range(2)]  # two processes at once
    await done(*stores)
    assert await old.namespace(bench.namespace).check() == []
    for store in (old, *stores):  # the first had it all in its own index
        bench.store = store
        assert "the boat left on 3 May 2023" in (await bench.found("boat")).values()
        assert LONG in (await bench.found("sheep")).values()
    # Vectors stay where the text of their passage did; the others are a worker's to make.
    now = {row["id"]: row["digest"] for row in neo4j.run("MATCH (m:Message|Fact) RETURN m.id AS id, m.digest AS digest")}
    changed = {id_ for id_ in now if now[id_] != digests[id_]}
    assert len(changed) == 4  # the message of the boat and the long one, and their facts
    without = neo4j.run("MATCH (m:Message|Fact) WHERE m.v16 IS NULL RETURN collect(m.id) AS ids")[0]["ids"]
    assert set(without) == changed
    after = await bench.store.namespace(bench.namespace).describe()
    assert after.vectors_pending > 4
    assert after.vectors + after.vectors_pending > before.vectors
    assert (await bench.lease()).job.session == "s1"
    assert await bench.embed() == after.vectors_pending
    assert await bench.store.namespace(bench.namespace).missing_vectors("s1", 10) == []
    assert await bench.store.namespace(bench.namespace).check() == []
    assert await bench.store.check() == []
    for store in (old, *stores):
        await store.close()


async def test_what_was_broken_off_goes_on_and_memories_come_and_go_meanwhile(
    neo4j: Database, clock: ManualClock, ids: CountingIds, an_older_analyser, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await opened(neo4j, clock, ids)
    bench = await told(neo4j, clock, ids, old)
    await old.close()
    an_older_analyser()
    write, steps = reanalysis._write, 0

    async def breaks_off(tx, database, since, memories):
        nonlocal steps
        if steps == 2:
            # Another process, between the reading of the batch and its writing, and this one ends before the next.
            raise asyncio.CancelledError
        steps += 1
        await write(tx, database, since, memories)

    monkeypatch.setattr(reanalysis, "_NEXT", reanalysis._NEXT.replace(f"LIMIT {reanalysis._BATCH}", "LIMIT 3"))
    monkeypatch.setattr(reanalysis, "_write", breaks_off)
    first = bench.store = await opened(neo4j, clock, ids)
    await asyncio.wait([first._reanalysis], timeout=60)
    assert steps == 2
    assert neo4j.run("MATCH (n:Namespace) RETURN n.reanalysed_to > 0 AS some") == [{"some": True}]
    [finding] = await first.namespace(bench.namespace).check()
    assert (finding.problem, "being made anew" in finding.detail) == ("OTHER_ANALYSER", True)
    await bench.say("a boat that came meanwhile", idle=timedelta(0))
    await first.close()

    monkeypatch.setattr(reanalysis, "_write", write)
    second = bench.store = await opened(neo4j, clock, ids)
    await done(second)
    assert await second.namespace(bench.namespace).check() == []
    assert {"the boat left on 3 May 2023", "a boat that came meanwhile"} <= set((await bench.found("boat")).values())
    await second.close()
    third = await opened(neo4j, clock, ids)
    assert third._reanalysis is None
    await third.close()


async def test_what_a_newer_analyser_read_is_refused(neo4j: Database, clock: ManualClock, ids: CountingIds) -> None:
    store = await opened(neo4j, clock, ids)
    bench = Bench(store, clock, ids)
    await bench.create()
    await bench.say("Hello")
    neo4j.run("MATCH (n:Namespace) SET n.analyser = $version", version=ANALYSER_VERSION + 1)
    with pytest.raises(Conflict, match="newer version of StructMem"):
        await store.namespace(bench.namespace).append(AppendCommand("s1", (draft("Hello again"),), timedelta(0)))
    await store.close()
    with pytest.raises(Conflict, match="newer version of StructMem"):
        await opened(neo4j, clock, ids)
