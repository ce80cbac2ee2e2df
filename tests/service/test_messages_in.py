"""Messages in over gRPC: appended once, in order, with their times; flushed, watched, imported."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from structmem.v1 import inspection_service_pb2, job_pb2, namespace_service_pb2, node_pb2
from structmem.v1 import memory_service_pb2 as pb

from service.handlers import messages as messages_module


def message(text: str, speaker: str = "Ana", **fields: Any) -> pb.MessageInput:
    return pb.MessageInput(speaker=speaker, text=text, **fields)


def append(*texts: str | pb.MessageInput, session: str = "talk", **fields: Any) -> pb.AppendMessagesRequest:
    messages = [message(text) if isinstance(text, str) else text for text in texts]
    rest: dict[str, Any] = {"namespace": "acme", "create_namespace": True} | fields
    return pb.AppendMessagesRequest(session=session, messages=messages, **rest)


async def listed(service: Any, **fields: Any) -> list[Any]:
    return list((await service.memory.ListMessages(pb.ListMessagesRequest(namespace="acme", **fields))).messages)


def when(stored: Any) -> datetime:
    return stored.sent_at.ToDatetime(tzinfo=UTC)  # type: ignore[no-any-return]


async def test_messages_come_back_verbatim_and_in_order(service: Any) -> None:
    texts = ["Привет, Мария 👋🏽", "naïve  spaces\tand\nlines ", "بالعربية", '"quotes" AND NEAR(x) * -'.ljust(30), "x" * 1_000_000]
    answer = await service.memory.AppendMessages(append(*texts))
    assert [m.seq for m in answer.messages] == [1, 2, 3, 4, 5]
    assert answer.job_id.startswith("job_")
    stored = await listed(service, sessions=["talk"])
    assert [m.text for m in stored] == texts
    assert [m.id for m in stored] == [m.id for m in answer.messages]
    assert stored[0].role == node_pb2.ROLE_USER


async def test_whoever_comes_while_another_call_makes_the_namespace_is_stored_too(service: Any) -> None:
    for number in range(5):
        requests = [append(f"hello {i}", session=f"s{i}", namespace=f"new-{number}") for i in range(12)]
        answers = await asyncio.gather(*map(service.memory.AppendMessages, requests))
        assert [len(answer.messages) for answer in answers] == [1] * 12


async def test_all_that_a_message_carries_is_kept(service: Any) -> None:
    given = message("Look!", role=node_pb2.ROLE_ASSISTANT, client_id="c1", labels={"topic": "holiday", "e": ""}, image_caption="a red boat")
    given.sent_at.FromDatetime(datetime(2024, 3, 5, 18, 30, 0, 123456, tzinfo=UTC))
    await service.memory.AppendMessages(append(given))
    [stored] = await listed(service)
    assert (stored.role, stored.client_id, dict(stored.labels), stored.image_caption) == (
        node_pb2.ROLE_ASSISTANT,
        "c1",
        {"topic": "holiday", "e": ""},
        "a red boat",
    )
    assert when(stored) == datetime(2024, 3, 5, 18, 30, 0, 123456, tzinfo=UTC)


async def test_a_local_time_takes_the_zone_of_request_session_or_namespace(service: Any) -> None:
    local = "2024-07-01T12:00:00"
    await service.namespaces.CreateNamespace(namespace_service_pb2.CreateNamespaceRequest(namespace="acme", time_zone="Asia/Tokyo"))
    await service.memory.AppendMessages(append(message("a", sent_at_local=local), session="tokyo"))
    await service.memory.AppendMessages(append(message("b", sent_at_local=local), session="lisbon", time_zone="Europe/Lisbon"))
    await service.memory.AppendMessages(append(message("c", sent_at_local=local), session="lisbon"))
    await service.memory.AppendMessages(append(message("d", sent_at_local=local + "-05:00"), session="lisbon"))
    hours = {m.text: when(m).hour for m in await listed(service)}
    assert hours == {"a": 3, "b": 11, "c": 11, "d": 17}


async def test_a_session_keeps_its_zone(service: Any, refused: Callable[..., Any]) -> None:
    await service.memory.AppendMessages(append("a", time_zone="Europe/Lisbon"))
    refusal = await refused(service.memory.AppendMessages(append("b", time_zone="Asia/Tokyo")))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert len(await listed(service)) == 1


async def test_the_same_message_again_changes_nothing(service: Any, refused: Callable[..., Any]) -> None:
    first = await service.memory.AppendMessages(append(message("Hi", client_id="1"), message("Ho", client_id="2")))
    again = await service.memory.AppendMessages(append(message("Ho", client_id="2"), message("New", client_id="3")))
    assert (again.messages[0].id, again.messages[0].duplicate) == (first.messages[1].id, True)
    assert not again.messages[1].duplicate
    refusal = await refused(service.memory.AppendMessages(append("before", message("Other", client_id="1"))))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ALREADY_EXISTS, "MESSAGE_ID_REUSED")
    assert [m.text for m in await listed(service)] == ["Hi", "Ho", "New"]


async def test_a_repeated_request_gets_the_first_answer(service: Any, refused: Callable[..., Any]) -> None:
    first = await service.memory.AppendMessages(append("Hi", request_id="r1"))
    await asyncio.sleep(0.01)
    again = await service.memory.AppendMessages(append("Hi", request_id="r1"))
    assert again.messages == first.messages
    assert again.consistency_token == first.consistency_token
    refusal = await refused(service.memory.AppendMessages(append("Ho", request_id="r1")))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert len(await listed(service)) == 1


async def test_a_request_id_belongs_to_one_method(service: Any, refused: Callable[..., Any]) -> None:
    await service.memory.AppendMessages(append("Hi", request_id="r1"))
    refusal = await refused(service.memory.DeleteMemories(pb.DeleteMemoriesRequest(namespace="acme", session="talk", request_id="r1")))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ALREADY_EXISTS, "REQUEST_ID_REUSED")
    assert [m.text for m in await listed(service)] == ["Hi"]


async def test_a_watched_job_ends_without_waiting_for_more(tmp_path: Any, running: Callable[..., Any]) -> None:
    async with running(tmp_path, idle_s=3600) as service:
        answer = await service.memory.AppendMessages(append("My sister Maria moved to Lisbon last May."))
        await service.memory.ExpediteJob(pb.ExpediteJobRequest(namespace="acme", job_id=answer.job_id))
        request = pb.WatchJobRequest(namespace="acme", job_id=answer.job_id)
        states = [update.job.state async for update in service.memory.WatchJob(request, timeout=20)]
        assert states[-1] == job_pb2.JOB_STATE_SUCCEEDED
        job = (await service.memory.GetJob(pb.GetJobRequest(namespace="acme", job_id=answer.job_id))).job
        assert (job.state, job.session, job.completed_units, job.total_units) == (job_pb2.JOB_STATE_SUCCEEDED, "talk", 1, 1)
        usage = await service.inspection.GetUsage(inspection_service_pb2.GetUsageRequest(namespace="acme"))
        assert "embed" in {entry.step for entry in usage.entries}
        described = await service.inspection.GetGraphStats(inspection_service_pb2.GetGraphStatsRequest(namespace="acme"))
        assert {count.kind: count.count for count in described.nodes}[node_pb2.NODE_KIND_MESSAGE] == 1
        assert described.pending_vector_count == 0


async def test_an_answer_names_the_first_jobs_and_counts_all(tmp_path: Any, running: Callable[..., Any], monkeypatch: Any) -> None:
    monkeypatch.setattr(messages_module, "MAX_JOB_IDS", 2)
    batches = [pb.ImportMessagesBatch(session=f"s{n}", messages=[pb.MessageInput(speaker="Ana", text=f"number {n}")]) for n in range(5)]
    parts = [pb.ImportMessagesRequest(header=pb.ImportMessagesHeader(namespace="acme", create_namespace=True))]
    async with running(tmp_path, idle_s=3600) as service:
        imported = await service.memory.ImportMessages(iter([*parts, *(pb.ImportMessagesRequest(batch=batch) for batch in batches)]))
        assert (len(imported.job_ids), imported.job_count) == (2, 5)
        flushed = await service.memory.FlushSession(pb.FlushSessionRequest(namespace="acme"))
        assert (len(flushed.job_ids), flushed.job_count) == (2, 5)
        listed = await service.memory.ListJobs(pb.ListJobsRequest(namespace="acme", at_least=[flushed.consistency_token]))
        assert {*imported.job_ids, *flushed.job_ids} <= {job.id for job in listed.jobs}
        assert len(listed.jobs) == 5


async def test_a_flush_makes_a_half_full_buffer_due(tmp_path: Any, running: Callable[..., Any]) -> None:
    async with running(tmp_path, idle_s=3600) as service:
        await service.memory.AppendMessages(append("one"))
        await service.memory.AppendMessages(append("two", session="other"))
        flushed = await service.memory.FlushSession(pb.FlushSessionRequest(namespace="acme"))
        assert len(flushed.job_ids) == 2
        for job_id in flushed.job_ids:
            updates = [u async for u in service.memory.WatchJob(pb.WatchJobRequest(namespace="acme", job_id=job_id), timeout=20)]
            assert updates[-1].job.state == job_pb2.JOB_STATE_SUCCEEDED
        assert not (await service.memory.FlushSession(pb.FlushSessionRequest(namespace="acme"))).job_ids


async def test_a_flush_of_an_unknown_session_is_not_found(service: Any, refused: Callable[..., Any]) -> None:
    await service.memory.AppendMessages(append("one"))
    refusal = await refused(service.memory.FlushSession(pb.FlushSessionRequest(namespace="acme", session="nope")))
    assert refusal.code is grpc.StatusCode.NOT_FOUND


async def test_jobs_are_listed_cancelled_and_retried(tmp_path: Any, running: Callable[..., Any], refused: Callable[..., Any]) -> None:
    async with running(tmp_path, workers=0) as service:
        jobs = [(await service.memory.AppendMessages(append("x", session=f"s{i}"))).job_id for i in range(5)]
        first = await service.memory.ListJobs(pb.ListJobsRequest(namespace="acme", page_size=3))
        rest = await service.memory.ListJobs(pb.ListJobsRequest(namespace="acme", page_token=first.next_page_token))
        assert [job.id for job in [*first.jobs, *rest.jobs]] == list(reversed(jobs))
        named = {"namespace": "acme", "job_id": jobs[0]}
        watch = service.memory.WatchJob(pb.WatchJobRequest(**named), timeout=20)
        assert (await watch.read()).job.state == job_pb2.JOB_STATE_QUEUED
        assert (await service.memory.CancelJob(pb.CancelJobRequest(**named))).job.state == job_pb2.JOB_STATE_CANCELED
        assert (await watch.read()).job.state == job_pb2.JOB_STATE_CANCELED
        assert await watch.read() is grpc.aio.EOF
        refusal = await refused(service.memory.CancelJob(pb.CancelJobRequest(**named)))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "CONFLICT")
        cancelled = pb.ListJobsRequest(namespace="acme", states=[job_pb2.JOB_STATE_CANCELED])
        assert [job.id for job in (await service.memory.ListJobs(cancelled)).jobs] == [jobs[0]]
        assert (await service.memory.RetryJob(pb.RetryJobRequest(**named))).job.state == job_pb2.JOB_STATE_QUEUED


def header(**fields: Any) -> pb.ImportMessagesRequest:
    return pb.ImportMessagesRequest(header=pb.ImportMessagesHeader(namespace="acme", create_namespace=True, **fields))


def batch(session: str, *messages: pb.MessageInput) -> pb.ImportMessagesRequest:
    return pb.ImportMessagesRequest(batch=pb.ImportMessagesBatch(session=session, messages=messages))


async def stream(*requests: Any) -> AsyncIterator[Any]:
    for request in requests:
        yield request


async def test_an_import_stores_each_batch_and_can_be_sent_again(service: Any) -> None:
    batches = [batch(f"s{i % 3}", *(message(f"m{i}.{j}", client_id=f"{i}.{j}") for j in range(20))) for i in range(12)]
    answer = await service.memory.ImportMessages(stream(header(), *batches))
    assert (answer.stored_count, answer.duplicate_count, answer.session_count) == (240, 0, 3)
    assert answer.job_ids
    again = await service.memory.ImportMessages(stream(header(), *batches))
    assert (again.stored_count, again.duplicate_count, again.session_count) == (0, 240, 3)
    sessions = (await service.memory.ListSessions(pb.ListSessionsRequest(namespace="acme"))).sessions
    assert [(session.name, session.message_count) for session in sessions] == [("s0", 80), ("s1", 80), ("s2", 80)]


async def test_a_broken_import_keeps_the_batches_before(service: Any, refused: Callable[..., Any]) -> None:
    requests = stream(header(), batch("s", message("kept")), batch("s", message("fine"), message("")), batch("s", message("late")))
    refusal = await refused(service.memory.ImportMessages(requests))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert "batch.messages[1].text" in refusal.fields
    assert refusal.info.metadata["batch"] == "1"
    assert [m.text for m in await listed(service)] == ["kept"]


async def test_every_error_of_an_import_tells_its_batch(service: Any, refused: Callable[..., Any]) -> None:
    requests = stream(header(), batch("s", message("one", client_id="a")), batch("s", message("another", client_id="a")))
    refusal = await refused(service.memory.ImportMessages(requests))
    assert (refusal.code, refusal.info.metadata["batch"]) == (grpc.StatusCode.ALREADY_EXISTS, "1")


@pytest.mark.parametrize(
    "requests", [[], [batch("s", message("x"))], [header()], [header(), header()], [header(), pb.ImportMessagesRequest()]]
)
async def test_an_import_out_of_order_is_refused(service: Any, refused: Callable[..., Any], requests: list[Any]) -> None:
    refusal = await refused(service.memory.ImportMessages(stream(*requests)))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert "part" in refusal.fields
