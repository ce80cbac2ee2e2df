"""Deletion: the closure, the receipt, and what is left."""

import pytest

from graph.errors import InvalidArgument, NotFound, RequestReused
from graph.model import EdgeKind, JobState, NodeKind
from graph.store.port import Deletion, EntityQuery, EventQuery, StatementQuery


async def everything(bench):
    described = await bench.store.namespace(bench.namespace).describe()
    return dict(described.nodes)


async def test_with_a_message_goes_what_rests_on_it(bench):
    first, second, _ = (await bench.say("one", "two", "three")).messages
    await bench.extract()
    receipt = await bench.store.namespace(bench.namespace).delete(Deletion((second.id, "msg_nonsense")))
    assert receipt.counts == {NodeKind.MESSAGE: 1, NodeKind.FACT: 1, NodeKind.EVENT: 1}
    assert receipt.missing_ids == ("msg_nonsense",)
    assert receipt.deleted_at == bench.clock.now()
    assert receipt.revision == (await bench.store.namespace(bench.namespace).settings()).revision
    assert await bench.texts() == ["one", "three"]
    statements = await bench.store.namespace(bench.namespace).list_statements(StatementQuery(), None, 9)
    assert [s.text for s in statements.items] == ["Fact: one", "Fact: three"]
    assert "two" not in (await bench.found("two")).values()
    ana = (await bench.store.namespace(bench.namespace).query_scope(["Ana"])).entities[0]
    assert ana.mention_count == 2
    assert await bench.store.namespace(bench.namespace).check() == []
    assert first.id in await bench.store.namespace(bench.namespace).get_nodes([first.id])


async def test_next_is_closed_over_the_gap_and_seqs_stay(bench):
    ids = [m.id for m in (await bench.say(*"abcde")).messages]
    await bench.store.namespace(bench.namespace).delete(Deletion((ids[1], ids[2], ids[4])))
    edges = (await bench.store.namespace(bench.namespace).get_node_edges(ids[0], 9)).edges
    assert [(e.source_id, e.target_id) for e in edges if e.kind is EdgeKind.NEXT] == [(ids[0], ids[3])]
    assert (await bench.say("f")).messages[0].seq == 6
    assert (await bench.store.namespace(bench.namespace).get_session("s1")).message_count == 3
    assert await bench.store.namespace(bench.namespace).check() == []


async def test_with_the_last_statement_goes_the_event_and_with_the_last_mention_the_entity(bench):
    await bench.say("one", "two")
    write = await bench.extract()
    first, second = write.statements
    await bench.store.namespace(bench.namespace).delete(Deletion((first.id,)))
    assert [e.title for e in (await bench.store.namespace(bench.namespace).list_events(EventQuery(), None, 9)).items] == ["Event: two"]
    assert len((await bench.store.namespace(bench.namespace).list_entities(EntityQuery(), None, 9)).items) == 1
    receipt = await bench.store.namespace(bench.namespace).delete(Deletion((write.events[1].id,)))
    assert receipt.counts == {NodeKind.EVENT: 1, NodeKind.FACT: 1, NodeKind.ENTITY: 1}
    assert second.id not in await bench.store.namespace(bench.namespace).get_nodes([second.id])
    assert await everything(bench) == {NodeKind.SESSION: 1, NodeKind.MESSAGE: 2}
    assert await bench.store.namespace(bench.namespace).check() == []


async def test_a_session_goes_as_a_whole(bench):
    job = (await bench.say("one", session="s1")).job_id
    await bench.say("keep", session="s2")
    await bench.extract("s2")
    receipt = await bench.store.namespace(bench.namespace).delete(Deletion(session="s1"))
    assert receipt.counts == {NodeKind.MESSAGE: 1, NodeKind.SESSION: 1}
    assert await bench.store.namespace(bench.namespace).get_session("s1") is None
    assert (await bench.store.namespace(bench.namespace).get_job(job)).state is JobState.CANCELED
    with pytest.raises(NotFound):
        await bench.store.namespace(bench.namespace).delete(Deletion(session="s1"))
    assert (await bench.say("again")).messages[0].seq == 1
    assert await bench.store.namespace(bench.namespace).check() == []


async def test_retired_statements_go_too(bench):
    from graph.model import ExtractionMode, ExtractorSpec
    from graph.store.port import GenerationStart

    outcome = await bench.say("one")
    old = await bench.extract()
    await bench.store.namespace(bench.namespace).begin_generation(GenerationStart(ExtractorSpec("x", "2", ExtractionMode.EVENT)))
    await bench.store.namespace(bench.namespace).delete(Deletion((outcome.messages[0].id,)))
    assert await bench.store.namespace(bench.namespace).get_nodes([old.statements[0].id, old.events[0].id]) == {}
    assert await bench.store.namespace(bench.namespace).check() == []


async def test_a_deleted_client_id_is_free(bench):
    given = bench.draft("hello", client_id="c1")
    await bench.store.namespace(bench.namespace).delete(Deletion(((await bench.say(given)).messages[0].id,)))
    assert not (await bench.say(given)).messages[0].duplicate


async def test_a_repeated_request_gets_the_first_receipt(bench):
    ids = [m.id for m in (await bench.say("a", "b")).messages]
    first = await bench.store.namespace(bench.namespace).delete(Deletion((ids[0],), request_id="r"))
    assert await bench.store.namespace(bench.namespace).delete(Deletion((ids[0],), request_id="r")) == first
    with pytest.raises(RequestReused):
        await bench.store.namespace(bench.namespace).delete(Deletion((ids[1],), request_id="r"))
    assert await bench.texts() == ["b"]


async def test_what_is_no_memory_is_missing(bench):
    await bench.say("a")
    session = await bench.store.namespace(bench.namespace).get_session("s1")
    revision = (await bench.store.namespace(bench.namespace).settings()).revision
    receipt = await bench.store.namespace(bench.namespace).delete(Deletion((session.id,)))
    assert (receipt.missing_ids, receipt.counts) == ((session.id,), {})
    assert (await bench.store.namespace(bench.namespace).settings()).revision == revision
    with pytest.raises(InvalidArgument):
        await bench.store.namespace(bench.namespace).delete(Deletion())
