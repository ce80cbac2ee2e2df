"""A disk that fails under a running service: the caller hears what happened and when to come back, and nothing is half there."""

import asyncio
import importlib.util
import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from structmem.v1 import inspection_service_pb2, job_pb2, node_pb2, retrieval_pb2
from structmem.v1 import memory_service_pb2 as pb

from graph.store.embedded import EmbeddedStore
from graph.store.port import Clock
from service.settings import Settings

_path = Path(__file__).parents[1] / "graph" / "store" / "faulty_vfs.py"
_spec = importlib.util.spec_from_file_location("faulty_vfs", _path)
assert _spec is not None
assert _spec.loader is not None
faulty_vfs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(faulty_vfs)

FAULTS = [
    ("ENOSPC", grpc.StatusCode.RESOURCE_EXHAUSTED, "STORAGE_FULL"),
    ("EIO", grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE"),
    ("sync", grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE"),
    ("EROFS", grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE"),
]


@pytest.fixture
def disk() -> Iterator[Any]:
    layer = faulty_vfs.FaultyVfs(f"faulty-{secrets.token_hex(4)}")
    yield layer
    layer.unregister()


@pytest.fixture
async def faulty(
    request: Any, tmp_path: Path, disk: Any, running: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Any]:
    """A service whose disk can fail, with one message stored. Nothing is extracted until a flush, unless the test gives other settings.

    The worker embeds before that, so a fault may meet it; a job whose failure cannot even be noted is handed back when the disk is well.
    """

    def on_that_disk(settings: Settings, clock: Clock) -> EmbeddedStore:
        return EmbeddedStore(settings.data_dir, clock=clock, vfs=disk.name)

    monkeypatch.setattr("service.app.make_store", on_that_disk)
    async with running(tmp_path, **{"lease_s": 3600, "idle_s": 3600, **getattr(request, "param", {})}) as service:
        await service.memory.AppendMessages(append("before", create_namespace=True))
        try:
            yield service
        finally:
            disk.fault, disk.fail_reads = None, False


def append(text: str, **fields: Any) -> pb.AppendMessagesRequest:
    message = pb.MessageInput(speaker="Ana", text=text, client_id=text, sent_at=Timestamp(seconds=1_709_663_400))
    return pb.AppendMessagesRequest(namespace="acme", session="talk", messages=[message], **fields)


async def texts(service: Any) -> list[str]:
    return [message.text for message in (await service.memory.ListMessages(pb.ListMessagesRequest(namespace="acme"))).messages]


@pytest.mark.parametrize(("fault", "code", "reason"), FAULTS, ids=[fault for fault, _, _ in FAULTS])
async def test_a_message_that_cannot_be_written_is_refused_and_goes_in_later(
    faulty: Any, disk: Any, refused: Callable[..., Any], tmp_path: Path, fault: str, code: grpc.StatusCode, reason: str
) -> None:
    request = append("My sister Maria moved to Lisbon last May.", request_id="r1")
    disk.fault = fault
    for _ in range(2):
        refusal = await refused(faulty.memory.AppendMessages(request))
        assert (refusal.code, refusal.reason) == (code, reason)
        assert refusal.retry is not None
        assert refusal.retry.retry_delay.ToTimedelta().total_seconds() > 0
        assert not any(word in refusal.message for word in (str(tmp_path), "injected", ".db", "INSERT"))
        assert await texts(faulty) == ["before"]
    disk.fault = None
    assert await texts(faulty) == ["before"]

    answer = await faulty.memory.AppendMessages(request)
    assert [(message.seq, message.duplicate) for message in answer.messages] == [(2, False)]
    await faulty.memory.ExpediteJob(pb.ExpediteJobRequest(namespace="acme", job_id=answer.job_id))
    watch = pb.WatchJobRequest(namespace="acme", job_id=answer.job_id)
    states = [update.job.state async for update in faulty.memory.WatchJob(watch, timeout=20)]
    assert states[-1] == job_pb2.JOB_STATE_SUCCEEDED
    assert await texts(faulty) == ["before", request.messages[0].text]
    found = await faulty.memory.Retrieve(
        pb.RetrieveRequest(
            query=retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="Maria Lisbon", at_least=[answer.consistency_token])
        )
    )
    assert found.hits
    assert await faulty.application.store.namespace("acme").check() == []


@pytest.mark.parametrize(("fault", "code", "reason"), FAULTS[:2], ids=[fault for fault, _, _ in FAULTS[:2]])
async def test_a_deletion_that_cannot_be_written_deletes_nothing(
    faulty: Any, disk: Any, refused: Callable[..., Any], fault: str, code: grpc.StatusCode, reason: str
) -> None:
    request = pb.DeleteMemoriesRequest(namespace="acme", session="talk", request_id="d1")
    disk.fault = fault
    refusal = await refused(faulty.memory.DeleteMemories(request))
    assert (refusal.code, refusal.reason) == (code, reason)
    assert refusal.retry is not None
    assert await texts(faulty) == ["before"]
    disk.fault = None
    receipt = (await faulty.memory.DeleteMemories(request)).receipt
    assert {count.kind: count.count for count in receipt.counts}[node_pb2.NODE_KIND_MESSAGE] == 1
    assert await texts(faulty) == []


async def test_an_unreadable_disk_is_told_and_passes(faulty: Any, disk: Any, refused: Callable[..., Any]) -> None:
    request = append("after")
    disk.fail_reads, disk.fault = True, "EIO"
    refusal = await refused(faulty.memory.AppendMessages(request))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "STORE_UNAVAILABLE")
    disk.fail_reads, disk.fault = False, None
    await faulty.memory.AppendMessages(request)
    assert await texts(faulty) == ["before", "after"]


@pytest.mark.parametrize("faulty", [{"idle_s": 0.4}], indirect=True, ids=["busy"])
@pytest.mark.parametrize("fault", ["ENOSPC", "EIO"])
async def test_extraction_waits_for_the_disk_and_then_ends_once(faulty: Any, disk: Any, eventually: Callable[..., Any], fault: str) -> None:
    answer = await faulty.memory.AppendMessages(append("My sister Maria moved to Lisbon last May."))
    disk.fault = fault
    # The session's idle time passes while nothing can be written.
    await asyncio.sleep(0.8)
    described = await faulty.inspection.GetGraphStats(inspection_service_pb2.GetGraphStatsRequest(namespace="acme"))
    assert not any(count.kind == node_pb2.NODE_KIND_EVENT and count.count for count in described.nodes)
    disk.fault = None

    async def extracted() -> bool:
        job = (await faulty.memory.GetJob(pb.GetJobRequest(namespace="acme", job_id=answer.job_id))).job
        assert job.state != job_pb2.JOB_STATE_FAILED
        return bool(job.state == job_pb2.JOB_STATE_SUCCEEDED)

    await eventually(extracted, 30)
    facts = [fact.text for fact in (await faulty.memory.ListStatements(pb.ListStatementsRequest(namespace="acme"))).statements]
    assert any("Maria" in fact for fact in facts)
    assert len(facts) == len(set(facts))
    assert await faulty.application.store.namespace("acme").check() == []
