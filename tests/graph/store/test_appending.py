"""Appending messages."""

from dataclasses import replace
from datetime import timedelta

import pytest

from graph.errors import DuplicateMessage, InvalidArgument, NotFound, RequestReused
from graph.model import NO_EMBEDDING, EdgeKind, EmbeddingSpec, ExtractionMode, Message, Role
from graph.store.port import MessageDraft, MessageQuery

CLIENT = EmbeddingSpec("mine", "", 8)


async def test_messages_come_back_as_they_were(bench):
    given = MessageDraft(
        "Ana", Role.ASSISTANT, "Olá 👋 \n\tworld", bench.monday, "c1", {"topic": "x"}, "a cat"
    )  # fmt: skip
    outcome = await bench.say(given)
    (placed,) = outcome.messages
    kept = (await bench.store.namespace(bench.namespace).get_nodes([placed.id]))[placed.id]
    assert kept == Message(
        placed.id, "s1", 1, "Ana", Role.ASSISTANT, "Olá 👋 \n\tworld", bench.monday, bench.clock.now(), "c1", {"topic": "x"}, "a cat"
    )  # fmt: skip


async def test_seqs_count_on_over_appends(bench):
    first, second = await bench.say("a", "b"), await bench.say("c")
    assert [m.seq for m in first.messages + second.messages] == [1, 2, 3]
    assert second.revision == first.revision + 1
    assert await bench.texts() == ["a", "b", "c"]


async def test_a_session_counts_its_messages(bench):
    await bench.say(bench.draft("later", 60), bench.draft("earlier", -60))
    session = await bench.store.namespace(bench.namespace).get_session("s1")
    assert (session.message_count, session.extracted_seq) == (2, 0)
    assert (session.first_sent_at, session.last_sent_at) == (bench.monday - timedelta(hours=1), bench.monday + timedelta(hours=1))
    assert await bench.store.namespace(bench.namespace).get_session("other") is None


async def test_next_and_in_session_bind_the_messages(bench):
    outcome = await bench.say("a", "b")
    outcome = replace(outcome, messages=outcome.messages + (await bench.say("c")).messages)
    ids = [m.id for m in outcome.messages]
    edges = (await bench.store.namespace(bench.namespace).get_node_edges(ids[1], 10)).edges
    next_edges = {(e.source_id, e.target_id) for e in edges if e.kind is EdgeKind.NEXT}
    assert next_edges == {(ids[0], ids[1]), (ids[1], ids[2])}
    assert [e.source_id for e in edges if e.kind is EdgeKind.IN_SESSION] == [ids[1]]


async def test_the_same_client_id_with_the_same_content_is_a_duplicate(bench):
    given = bench.draft("hello", client_id="c1", labels={"a": "b"})
    first = await bench.say(given)
    again = await bench.say(given, bench.draft("new", 1))
    assert [m.duplicate for m in again.messages] == [True, False]
    assert (again.messages[0].id, again.messages[0].seq) == (first.messages[0].id, 1)
    assert await bench.texts() == ["hello", "new"]


@pytest.mark.parametrize("change", [{"text": "x"}, {"speaker": "Ben"}, {"labels": {}}, {"image_caption": "x"}, {"role": Role.TOOL}])
async def test_the_same_client_id_with_other_content_stores_nothing(bench, change):
    given = bench.draft("hello", client_id="c1", labels={"a": "b"})
    await bench.say(given)
    with pytest.raises(DuplicateMessage):
        await bench.say("before", replace(given, **change))
    assert await bench.texts() == ["hello"]


async def test_a_client_id_twice_in_one_append_is_judged_the_same_way(bench):
    given = bench.draft("hello", client_id="c1")
    outcome = await bench.say(given, given)
    assert [(m.seq, m.duplicate) for m in outcome.messages] == [(1, False), (1, True)]
    with pytest.raises(DuplicateMessage):
        await bench.say(bench.draft("a", client_id="c2"), bench.draft("b", client_id="c2"))


async def test_an_assumed_time_is_no_content(bench):
    given = bench.draft("hello", client_id="c1", sent_at_assumed=True)
    later = replace(given, sent_at=given.sent_at + timedelta(seconds=9))
    first = await bench.say(given, request_id="r")
    assert await bench.say(later, request_id="r") == first
    assert (await bench.say(later)).messages[0].duplicate
    with pytest.raises(DuplicateMessage):
        await bench.say(replace(later, sent_at_assumed=False))


async def test_a_client_id_belongs_to_its_session(bench):
    await bench.say(bench.draft("a", client_id="c1"))
    outcome = await bench.say(bench.draft("b", client_id="c1"), session="s2")
    assert not outcome.messages[0].duplicate


async def test_a_repeated_request_gets_the_first_answer_for_24_hours(bench):
    first = await bench.say("a", request_id="r1")
    bench.clock.advance(24 * 3600 - 1)
    assert await bench.say("a", request_id="r1") == first
    with pytest.raises(RequestReused):
        await bench.say("b", request_id="r1")
    bench.clock.advance(2)
    assert (await bench.say("b", request_id="r1")).messages[0].seq == 2


async def test_a_session_keeps_its_time_zone(bench):
    await bench.say("a", time_zone="Europe/Lisbon")
    await bench.say("b")
    await bench.say("c", time_zone="Europe/Lisbon")
    with pytest.raises(InvalidArgument, match="time_zone"):
        await bench.say("d", time_zone="Asia/Tokyo")
    assert await bench.texts() == ["a", "b", "c"]


async def test_a_session_takes_the_zone_of_its_namespace_when_it_names_none(bench):
    bench.namespace = "zoned"
    await bench.create(time_zone="Asia/Tokyo")
    await bench.say("a")
    assert (await bench.store.namespace("zoned").get_session("s1")).time_zone == "Asia/Tokyo"


async def test_sessions_may_come_in_any_order_of_time(bench):
    await bench.say(bench.draft("late", 10_000), session="b")
    await bench.say(bench.draft("early", 0), session="a")
    await bench.say(bench.draft("much later", 60 * 24 * 365 * 5), session="b")
    page = await bench.store.namespace(bench.namespace).list_messages(MessageQuery(), None, 10)
    assert [m.text for m in page.items] == ["early", "late", "much later"]


async def test_an_unknown_namespace_is_not_found(bench):
    bench.namespace = "nobody"
    with pytest.raises(NotFound):
        await bench.say("a")


async def test_client_vectors_come_with_the_messages(bench):
    bench.namespace = "own"
    await bench.create(spec=CLIENT)
    await bench.say(bench.draft("near", embedding=bench.unit(1)), bench.draft("bare"))
    described = await bench.store.namespace("own").describe()
    assert (described.vectors, described.vectors_pending) == (1, 0)
    assert await bench.store.namespace("own").missing_vectors("s1", 10) == []
    assert "near" in (await bench.found("", bench.unit(1).astype("f4"))).values()


async def test_a_vector_of_another_dimension_is_refused(bench):
    bench.namespace = "own"
    await bench.create(spec=CLIENT)
    with pytest.raises(InvalidArgument, match=r"messages\[1\].embedding"):
        await bench.say("fine", bench.draft("bad", embedding=bench.unit(1)[:5]))
    assert await bench.texts() == []


async def test_a_namespace_of_the_services_model_takes_no_client_vectors(bench):
    with pytest.raises(InvalidArgument, match="embedding"):
        await bench.say(bench.draft("a", embedding=bench.unit(1)))


async def test_nothing_to_do_makes_no_job(bench):
    bench.namespace = "off"
    await bench.create(spec=NO_EMBEDDING, mode=ExtractionMode.OFF)
    assert (await bench.say("a")).job_id == ""
    assert await bench.store.namespace("off").flush("") == ()
