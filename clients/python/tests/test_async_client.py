"""The asyncio client, where it differs from the blocking one: its transport."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import structmem
from structmem import AsyncClient, NewMessage
from structmem.v1 import exchange_pb2, job_pb2, node_pb2
from structmem.v1 import memory_service_pb2 as mpb


@pytest.fixture
async def aio(script: Any) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(script.target, timeout=10) as client:
        yield client


async def test_a_write_is_tried_again_and_answers(script: Any, aio: AsyncClient) -> None:
    def answer(request: mpb.AppendMessagesRequest, context: grpc.ServicerContext) -> mpb.AppendMessagesResponse:
        if len(script.requests) == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        return mpb.AppendMessagesResponse(consistency_token="t", messages=[mpb.AppendedMessage(id="msg_1", seq=1)])

    script.answers["AppendMessages"] = answer
    done = await aio.append("alice", "s", [NewMessage("Maria", "hello")])
    assert done.consistency_token == "t"
    first, second = script.requests
    assert first == second


async def test_errors_are_those_of_the_blocking_client(script: Any, aio: AsyncClient) -> None:
    script.answers["GetJob"] = lambda request, context: context.abort(grpc.StatusCode.NOT_FOUND, "no such job")
    with pytest.raises(structmem.NotFoundError, match="no such job"):
        await aio.get_job("alice", "job_1")


async def test_a_decision_about_two_entities(script: Any, aio: AsyncClient) -> None:
    script.answers["DecideEntityLink"] = lambda request, context: mpb.DecideEntityLinkResponse(consistency_token="t")
    decided = await aio.decide_entity_link("alice", "ent_1", "ent_2", structmem.LinkVerdict.UNDECIDED)
    assert (decided.edges, decided.consistency_token) == ((), "t")
    assert script.requests[0].verdict == mpb.LINK_VERDICT_UNDECIDED


async def test_listings_and_streams_are_async_iterators(script: Any, aio: AsyncClient) -> None:
    script.answers["ListSessions"] = lambda request, context: mpb.ListSessionsResponse(
        sessions=[node_pb2.Session(name=f"after {request.page_token}")], next_page_token="" if request.page_token else "x"
    )
    script.answers["TraverseEvents"] = lambda request, context: iter(
        mpb.TraverseEventsResponse(batch=mpb.TraversedEventBatch(events=[mpb.TraversedEvent(event=node_pb2.Event(id=f"evt_{n}"), hops=n)]))
        for n in (0, 1)
    )
    assert [session.name async for session in aio.list_sessions("alice")] == ["after ", "after x"]
    assert [found.hops async for found in aio.traverse_events("alice", ["ent_1"])] == [0, 1]


async def test_waiting_follows_a_job(script: Any, aio: AsyncClient) -> None:
    done = mpb.WatchJobResponse(job=job_pb2.Job(id="job_1", state=job_pb2.JOB_STATE_SUCCEEDED))
    script.answers["WatchJob"] = lambda request, context: iter([done])
    script.answers["ExpediteJob"] = lambda request, context: mpb.ExpediteJobResponse()
    (job,) = await aio.wait_for(structmem.Flushed("alice", ("job_1",)))
    assert job.state.ended


async def test_an_import_streams_and_reports_an_early_refusal(script: Any, aio: AsyncClient) -> None:
    received: list[Any] = []

    def store(requests: Any, context: grpc.ServicerContext) -> mpb.ImportMessagesResponse:
        received.extend(requests)
        return mpb.ImportMessagesResponse(stored_count=300)

    messages = [("s", NewMessage("Maria", f"message {n}")) for n in range(300)]
    script.answers["ImportMessages"] = store
    assert (await aio.import_messages("alice", messages)).stored_count == 300
    assert [len(request.batch.messages) for request in received] == [0, 200, 100]
    script.answers["ImportMessages"] = lambda requests, context: context.abort(grpc.StatusCode.NOT_FOUND, "no such namespace")
    with pytest.raises(structmem.NotFoundError, match="no such namespace"):
        await aio.import_messages("alice", messages * 20)


async def test_a_refusal_amid_a_large_upload_is_told_as_the_service_told_it(script: Any, aio: AsyncClient) -> None:
    def refuse(requests: Any, context: grpc.ServicerContext) -> None:
        next(requests)
        context.abort(grpc.StatusCode.ABORTED, "the namespace is being deleted")

    script.answers["ImportMessages"] = refuse
    large = [("s", NewMessage("Maria", "x" * 64_000)) for _ in range(200)]
    for _ in range(20):  # grpc.aio would lose the status now and then
        with pytest.raises(structmem.ConflictError, match="is being deleted"):
            await aio.import_messages("alice", large)


async def test_an_upload_that_is_given_up_ends(script: Any, aio: AsyncClient) -> None:
    ended = threading.Event()

    def stand_still(requests: Any, context: grpc.ServicerContext) -> mpb.ImportMessagesResponse:
        context.add_callback(ended.set)
        ended.wait(30)
        return mpb.ImportMessagesResponse()

    script.answers["ImportMessages"] = stand_still
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(aio.import_messages("alice", [("s", NewMessage("Maria", "hi"))]), 0.3)
    assert await asyncio.to_thread(ended.wait, 10)


async def test_what_breaks_in_the_callers_iterator_comes_out(script: Any, aio: AsyncClient, caplog: pytest.LogCaptureFixture) -> None:
    script.answers["ImportMessages"] = lambda requests, context: (list(requests), mpb.ImportMessagesResponse())[1]

    def messages() -> Any:
        yield "s", NewMessage("Maria", "fine")
        raise LookupError("the file ended early")

    with caplog.at_level("DEBUG"), pytest.raises(LookupError, match="ended early"):
        await aio.import_messages("alice", messages())
    assert "Traceback" not in caplog.text


async def test_exports_are_written_whole(script: Any, aio: AsyncClient, tmp_path: Path) -> None:
    header = mpb.ExportNamespaceResponse(header=exchange_pb2.ExportHeader(format_version=1))
    trailer = mpb.ExportNamespaceResponse(trailer=exchange_pb2.ExportTrailer(record_count=0))
    script.answers["ExportNamespace"] = lambda request, context: iter([header, trailer])
    assert await aio.export_namespace("alice", tmp_path / "alice.jsonl") == 0
    assert len((tmp_path / "alice.jsonl").read_text().splitlines()) == 2
