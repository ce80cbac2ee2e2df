"""What held, and had been said, at a moment, over gRPC: listings, an event, a walk and the profile; marks of what was replaced."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from structmem.v1 import memory_service_pb2 as pb
from structmem.v1 import node_pb2, retrieval_pb2, summary_service_pb2, time_pb2

START = datetime(2025, 2, 3, 10, tzinfo=UTC)
TALK = [
    ("Ines", "The cutover is on 12 March.", START),
    ("Ines", "I planted tomatoes.", START + timedelta(days=1)),
    ("Ines", "The cutover was moved to 24 March.", START + timedelta(days=17)),
]
BEFORE_THE_MOVE = START + timedelta(days=5)


def stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def known(moment: datetime) -> retrieval_pb2.AsOf:
    return retrieval_pb2.AsOf(known=stamp(moment))


@pytest.fixture
async def talk(service: Any) -> Any:
    messages = [pb.MessageInput(speaker=speaker, text=text, sent_at=stamp(at)) for speaker, text, at in TALK]
    request = pb.AppendMessagesRequest(namespace="ines", session="s1", messages=messages, create_namespace=True)
    answer = await service.memory.AppendMessages(request)
    await service.memory.ExpediteJob(pb.ExpediteJobRequest(namespace="ines", job_id=answer.job_id))
    async for _ in service.memory.WatchJob(pb.WatchJobRequest(namespace="ines", job_id=answer.job_id), timeout=20):
        pass
    return service


async def facts(talk: Any, **asked: Any) -> dict[str, node_pb2.Statement]:
    """By a word of it, what is listed."""
    answer = await talk.memory.ListStatements(pb.ListStatementsRequest(namespace="ines", **asked))
    words = ("12 March", "24 March", "tomatoes")
    return {next(word for word in words if word in fact.text): fact for fact in answer.statements}


async def test_a_listing_marks_what_was_replaced_and_leaves_it_out_as_of_a_moment(talk: Any) -> None:
    everything = await facts(talk)
    assert everything.keys() == {"12 March", "24 March", "tomatoes"}
    mark = everything["12 March"].superseded_by
    assert (mark.node_id, mark.reason) == (everything["24 March"].id, "moved")
    assert mark.known_at == mark.valid_from == stamp(TALK[2][2])
    assert 0 < mark.confidence <= 1
    assert not any(fact.HasField("superseded_by") for word, fact in everything.items() if word != "12 March")
    assert (await facts(talk, as_of=retrieval_pb2.AsOf())).keys() == {"24 March", "tomatoes"}
    then = await facts(talk, as_of=known(BEFORE_THE_MOVE))
    assert then.keys() == {"12 March", "tomatoes"}
    # What is known only later is told by no mark, what held only until later is.
    assert not then["12 March"].HasField("superseded_by")
    held = await facts(talk, as_of=retrieval_pb2.AsOf(valid=stamp(BEFORE_THE_MOVE)))
    assert held["12 March"].superseded_by == mark


async def test_pages_hold_together_and_belong_to_their_moment(talk: Any, refused: Callable[..., Any]) -> None:
    request = pb.ListStatementsRequest(namespace="ines", as_of=known(BEFORE_THE_MOVE), page_size=1)
    first = await talk.memory.ListStatements(request)
    request.page_token = first.next_page_token
    second = await talk.memory.ListStatements(request)
    assert ["12 March" in first.statements[0].text, "tomatoes" in second.statements[0].text] == [True, True]
    assert not second.next_page_token
    request.as_of.known.FromDatetime(START)
    refusal = await refused(talk.memory.ListStatements(request))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.fields.keys() == {"page_token"}


async def test_before_the_beginning_nothing_and_after_the_end_what_holds_today(talk: Any) -> None:
    early, late = (retrieval_pb2.AsOf(valid=stamp(at), known=stamp(at)) for at in (datetime(1, 1, 1), datetime(9998, 1, 1)))
    memory = talk.memory
    for call, request, listed in (
        (memory.ListStatements, pb.ListStatementsRequest, "statements"),
        (memory.ListEvents, pb.ListEventsRequest, "events"),
        (memory.ListMessages, pb.ListMessagesRequest, "messages"),
        (talk.summaries.ListSummaries, summary_service_pb2.ListSummariesRequest, "summaries"),
    ):
        assert not getattr(await call(request(namespace="ines", as_of=early)), listed)
        now = await call(request(namespace="ines", as_of=retrieval_pb2.AsOf()))
        assert getattr(await call(request(namespace="ines", as_of=late)), listed) == getattr(now, listed)
    profile = await talk.summaries.GetProfile(summary_service_pb2.GetProfileRequest(namespace="ines", as_of=early))
    assert not profile.HasField("profile")


async def test_an_event_shows_what_of_it_held(talk: Any, refused: Callable[..., Any]) -> None:
    events = (await talk.memory.ListEvents(pb.ListEventsRequest(namespace="ines"))).events
    first = (await facts(talk))["12 March"]
    [event] = [event for event in events if first.id in event.statement_ids]
    request = pb.GetEventRequest(namespace="ines", event_id=event.id)
    assert [fact.superseded_by.reason for fact in (await talk.memory.GetEvent(request)).statements if fact.id == first.id] == ["moved"]
    request.as_of.SetInParent()
    now = await talk.memory.GetEvent(request)
    assert (now.event, first.id in [fact.id for fact in now.statements]) == (event, False)
    request.as_of.CopyFrom(known(BEFORE_THE_MOVE))
    assert first.id in [fact.id for fact in (await talk.memory.GetEvent(request)).statements]
    request.as_of.CopyFrom(known(START))
    assert (await refused(talk.memory.GetEvent(request))).code is grpc.StatusCode.NOT_FOUND


async def test_a_walk_reaches_what_had_been_said_and_held(talk: Any) -> None:
    [ines] = (await talk.memory.ListEntities(pb.ListEntitiesRequest(namespace="ines", name="Ines"))).entities

    async def reached(**asked: Any) -> set[str]:
        request = pb.TraverseEventsRequest(namespace="ines", start_ids=[ines.id], max_hops=4, **asked)
        parts = [part async for part in talk.memory.TraverseEvents(request)]
        return {one.event.id for part in parts for one in part.batch.events}

    by_word = {word: fact.event_id for word, fact in (await facts(talk)).items()}
    assert await reached() == set(by_word.values())
    assert await reached(as_of=retrieval_pb2.AsOf()) == {by_word["24 March"], by_word["tomatoes"]}
    assert await reached(as_of=known(BEFORE_THE_MOVE)) == {by_word["12 March"], by_word["tomatoes"]}
    assert await reached(as_of=known(START)) == set()
    assert await reached(as_of=known(BEFORE_THE_MOVE), max_events=1) <= {by_word["12 March"], by_word["tomatoes"]}


@pytest.mark.parametrize("axis", ["valid", "known"])
async def test_what_is_no_moment_or_no_range_is_refused_with_its_field(talk: Any, refused: Callable[..., Any], axis: str) -> None:
    as_of = retrieval_pb2.AsOf(**{axis: Timestamp(seconds=10**15)})
    backwards = time_pb2.TimeRange(start=stamp(BEFORE_THE_MOVE), end=stamp(START))
    for call, request in (
        (talk.memory.ListStatements, pb.ListStatementsRequest(namespace="ines", as_of=as_of, said=backwards)),
        (talk.memory.ListEvents, pb.ListEventsRequest(namespace="ines", as_of=as_of, happened=backwards)),
        (talk.memory.ListMessages, pb.ListMessagesRequest(namespace="ines", as_of=as_of, said=backwards)),
        (talk.summaries.ListSummaries, summary_service_pb2.ListSummariesRequest(namespace="ines", as_of=as_of, happened=backwards)),
    ):
        refusal = await refused(call(request))
        assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
        told = refusal.fields
        assert told[f"as_of.{axis}"] == "must be between the years 1 and 9998"
        assert told["said" if "said" in told else "happened"] == "must not end before it starts"
        assert len(told) == 2
