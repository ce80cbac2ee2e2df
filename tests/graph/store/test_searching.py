"""Candidates: filters, revisions, what searches may see."""

from datetime import timedelta

import numpy as np
import pytest

from graph.errors import InvalidArgument
from graph.model import LabelCondition, LabelFilter, MemoryFilter, NodeKind, TimeRange
from graph.store.candidates import CandidateQuery, StatisticsGroup
from graph.store.embedded.searching import entries
from graph.store.neo4j import Neo4jStore
from graph.store.port import PassageVector
from graph.store.search import SearchIndex


async def test_a_message_is_found_as_soon_as_it_is_stored(bench):
    await bench.say("the ferry to Madeira")
    assert list((await bench.found("ferry")).values()) == ["the ferry to Madeira"]
    await bench.say("another ferry")
    assert len(await bench.found("ferry")) == 2


async def test_a_vector_counts_as_soon_as_it_is_put(bench):
    (placed,) = (await bench.say("abc")).messages
    query = CandidateQuery((), bench.unit(5).astype(np.float32), MemoryFilter())
    assert len(await bench.store.namespace(bench.namespace).candidates(query)) == 0
    await bench.store.namespace(bench.namespace).put_vectors(bench.spec.fingerprint, [PassageVector(placed.id, 0, bench.unit(5))])
    found = await bench.store.namespace(bench.namespace).candidates(query)
    assert list(found.ids) == [placed.id]
    assert found.similarity[0] == pytest.approx(1, abs=1e-2)
    assert found.revision == (await bench.store.namespace(bench.namespace).settings()).revision


async def test_filters_hold(bench):
    await bench.say(bench.draft("ferry one", 0, "Ana", labels={"k": "v"}), bench.draft("ferry two", 60, "Ben"))
    await bench.extract()
    await bench.say(bench.draft("ferry three", 120, "Ben"), session="s2")

    async def found(**filters):
        return sorted((await bench.found("ferry", **filters)).values())

    assert await found(kinds=frozenset({NodeKind.FACT})) == ["Fact: ferry one", "Fact: ferry two"]
    assert await found(sessions=("s2",)) == ["ferry three"]
    assert await found(sessions=("nobody",)) == []
    assert await found(speakers=("Ana",)) == ["Fact: ferry one", "ferry one"]
    assert await found(not_sessions=("s2",)) == ["Fact: ferry one", "Fact: ferry two", "ferry one", "ferry two"]
    assert await found(not_sessions=("nobody",), speakers=("Ben",)) == ["Fact: ferry two", "ferry three", "ferry two"]
    by_text = {text: id_ for id_, text in (await bench.found("ferry")).items()}
    without = (by_text["Fact: ferry one"], by_text["ferry two"], "nonsense")
    assert await found(not_ids=without) == ["Fact: ferry two", "ferry one", "ferry three"]
    assert await found(not_ids=without, not_sessions=("s2",)) == ["Fact: ferry two", "ferry one"]
    assert await found(said=TimeRange(bench.monday + timedelta(minutes=100))) == ["ferry three"]
    assert await found(happened=TimeRange(end=bench.monday + timedelta(minutes=1))) == ["Fact: ferry one", "ferry one"]
    labelled = LabelFilter(all_of=(LabelCondition("k", ("v",)),))
    assert await found(labels=labelled) == ["Fact: ferry one", "ferry one"]
    assert await found(labels=LabelFilter(none_of=(LabelCondition("k"),)), kinds=frozenset({NodeKind.MESSAGE})) == [
        "ferry three",
        "ferry two",
    ]


async def test_statistics_count_current_passages(bench):
    await bench.say("alpha", "beta", "alpha beta")
    await bench.extract()
    found = await bench.store.namespace(bench.namespace).candidates(CandidateQuery(("alpha",), None, MemoryFilter()))
    messages, statements = found.statistics[StatisticsGroup.MESSAGES], found.statistics[StatisticsGroup.STATEMENTS]
    assert (messages.count, statements.count) == (3, 3)
    assert messages.document_frequency.tolist() == [2]


async def test_a_vector_of_another_dimension_is_refused(bench):
    with pytest.raises(InvalidArgument):
        await bench.store.namespace(bench.namespace).candidates(CandidateQuery((), np.ones(3, np.float32), MemoryFilter()))


async def test_included_ids_are_measured_whatever_the_channels_say(bench):
    ids = [m.id for m in (await bench.say("alpha", "beta")).messages]
    query = CandidateQuery(("alpha",), None, MemoryFilter(), neighbours=0, include=(ids[1], "nonsense"))
    assert set((await bench.store.namespace(bench.namespace).candidates(query)).ids) == set(ids)


async def test_namespaces_see_nothing_of_each_other(bench):
    await bench.say("ferry")
    await bench.create("other")
    bench.namespace = "other"
    assert await bench.found("ferry") == {}
    await bench.say("ferry ferry")
    found = await bench.store.namespace("other").candidates(CandidateQuery(("ferri",), None, MemoryFilter()))
    assert found.statistics[StatisticsGroup.MESSAGES].count == 1


async def test_an_index_made_in_small_chunks_finds_what_one_made_at_once_does(bench, monkeypatch):
    async def say_and_search(session):
        texts = [" ".join(f"ferry{n} quay{m}" for m in range(300 if n % 3 == 0 else 3)) + f" {session}" for n in range(12)]
        await bench.say(*texts, session=session)
        found = await bench.store.namespace(bench.namespace).candidates(CandidateQuery(("ferri", "quay2", session), None, MemoryFilter()))
        return len(found), found.statistics[StatisticsGroup.MESSAGES]

    once = [await say_and_search("s1"), await say_and_search("s2")]
    added = []
    add = SearchIndex.add
    monkeypatch.setattr(SearchIndex, "add", lambda index, batch: [added.append([len(one.passages) for one in batch]), add(index, batch)])
    monkeypatch.setattr(entries, "_CHUNK", 5)
    monkeypatch.setattr(entries, "_CHUNK_PASSAGES", 3)
    await bench.store.delete_namespace(bench.namespace)
    await bench.create()
    for whole, (count, statistics) in zip(once, [await say_and_search("s1"), await say_and_search("s2")], strict=True):
        assert count == whole[0] > 0
        assert statistics.count == whole[1].count
        assert statistics.document_frequency.tolist() == whole[1].document_frequency.tolist()
    if isinstance(bench.store, Neo4jStore):
        return  # it reads what it searches in this process from the database, in batches of its own
    chunks = [chunk for chunk in added if chunk]
    assert sum(map(len, chunks)) == 24
    assert max(map(max, chunks)) > 3
    # Each is within both bounds, or a single memory.
    assert all(len(chunk) == 1 or (len(chunk) <= 5 and sum(chunk) <= 3) for chunk in chunks)
