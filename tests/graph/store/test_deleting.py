"""Deletion: the closure, the receipt, and what is left."""

import pytest

from graph.errors import InvalidArgument, NotFound, RequestReused
from graph.model import EdgeKind, JobState, NodeKind
from graph.store.commands import Deletion, EntityQuery, EventQuery, StatementQuery


async def everything(bench):
    described = await bench.store.describe(bench.namespace)
    return dict(described.nodes)


async def test_with_a_message_goes_what_rests_on_it(bench):
    first, second, _ = (await bench.say("one", "two", "three")).messages
    await bench.extract()
    receipt = await bench.store.delete(bench.namespace, Deletion((second.id, "msg_nonsense")))
    assert receipt.counts == {NodeKind.MESSAGE: 1, NodeKind.FACT: 1, NodeKind.EVENT: 1}
    assert receipt.missing_ids == ("msg_nonsense",)
    assert receipt.deleted_at == bench.clock.now()
    assert receipt.revision == await bench.store.revision(bench.namespace)
    assert await bench.texts() == ["one", "three"]
    statements = await bench.store.list_statements(bench.namespace, StatementQuery(), None, 9)
    assert [s.text for s in statements.items] == ["Fact: one", "Fact: three"]
    assert "two" not in (await bench.found("two")).values()
    ana = (await bench.store.query_scope(bench.namespace, ["Ana"])).entities[0]
    assert ana.mention_count == 2
    assert await bench.store.check(bench.namespace) == []
    assert first.id in await bench.store.get_nodes(bench.namespace, [first.id])


async def test_next_is_closed_over_the_gap_and_seqs_stay(bench):
    ids = [m.id for m in (await bench.say(*"abcde")).messages]
    await bench.store.delete(bench.namespace, Deletion((ids[1], ids[2], ids[4])))
    edges = (await bench.store.get_node_edges(bench.namespace, ids[0], 9)).edges
    assert [(e.source_id, e.target_id) for e in edges if e.kind is EdgeKind.NEXT] == [(ids[0], ids[3])]
    assert (await bench.say("f")).messages[0].seq == 6
    assert (await bench.store.get_session(bench.namespace, "s1")).message_count == 3
    assert await bench.store.check(bench.namespace) == []


async def test_with_the_last_statement_goes_the_event_and_with_the_last_mention_the_entity(bench):
    await bench.say("one", "two")
    write = await bench.extract()
    first, second = write.statements
    await bench.store.delete(bench.namespace, Deletion((first.id,)))
    assert [e.title for e in (await bench.store.list_events(bench.namespace, EventQuery(), None, 9)).items] == ["Event: two"]
    assert len((await bench.store.list_entities(bench.namespace, EntityQuery(), None, 9)).items) == 1
    receipt = await bench.store.delete(bench.namespace, Deletion((write.events[1].id,)))
    assert receipt.counts == {NodeKind.EVENT: 1, NodeKind.FACT: 1, NodeKind.ENTITY: 1}
    assert second.id not in await bench.store.get_nodes(bench.namespace, [second.id])
    assert await everything(bench) == {NodeKind.SESSION: 1, NodeKind.MESSAGE: 2}
    assert await bench.store.check(bench.namespace) == []


async def test_a_session_goes_as_a_whole(bench):
    job = (await bench.say("one", session="s1")).job_id
    await bench.say("keep", session="s2")
    await bench.extract("s2")
    receipt = await bench.store.delete(bench.namespace, Deletion(session="s1"))
    assert receipt.counts == {NodeKind.MESSAGE: 1, NodeKind.SESSION: 1}
    assert await bench.store.get_session(bench.namespace, "s1") is None
    assert (await bench.store.get_job(bench.namespace, job)).state is JobState.CANCELLED
    with pytest.raises(NotFound):
        await bench.store.delete(bench.namespace, Deletion(session="s1"))
    assert (await bench.say("again")).messages[0].seq == 1
    assert await bench.store.check(bench.namespace) == []


async def test_retired_statements_go_too(bench):
    from graph.model import ExtractionMode, ExtractorSpec
    from graph.store.commands import GenerationStart

    outcome = await bench.say("one")
    old = await bench.extract()
    await bench.store.begin_generation(bench.namespace, GenerationStart(ExtractorSpec("x", "2", ExtractionMode.EVENT)))
    await bench.store.delete(bench.namespace, Deletion((outcome.messages[0].id,)))
    assert await bench.store.get_nodes(bench.namespace, [old.statements[0].id, old.events[0].id]) == {}
    assert await bench.store.check(bench.namespace) == []


async def test_a_deleted_client_id_is_free(bench):
    given = bench.draft("hello", client_id="c1")
    await bench.store.delete(bench.namespace, Deletion(((await bench.say(given)).messages[0].id,)))
    assert not (await bench.say(given)).messages[0].duplicate


async def test_a_repeated_request_gets_the_first_receipt(bench):
    ids = [m.id for m in (await bench.say("a", "b")).messages]
    first = await bench.store.delete(bench.namespace, Deletion((ids[0],), request_id="r"))
    assert await bench.store.delete(bench.namespace, Deletion((ids[0],), request_id="r")) == first
    with pytest.raises(RequestReused):
        await bench.store.delete(bench.namespace, Deletion((ids[1],), request_id="r"))
    assert await bench.texts() == ["b"]


async def test_what_is_no_memory_is_missing(bench):
    await bench.say("a")
    session = await bench.store.get_session(bench.namespace, "s1")
    revision = await bench.store.revision(bench.namespace)
    receipt = await bench.store.delete(bench.namespace, Deletion((session.id,)))
    assert (receipt.missing_ids, receipt.counts) == ((session.id,), {})
    assert await bench.store.revision(bench.namespace) == revision
    with pytest.raises(InvalidArgument):
        await bench.store.delete(bench.namespace, Deletion())
