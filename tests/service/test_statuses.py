"""How calls end: request ids, deadlines, cancellation, and defects that tell nothing."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from structmem.v1 import memory_service_pb2 as pb
from structmem.v1 import retrieval_pb2

from graph.errors import DuplicateMessage, NamespaceCorrupt, RequestReused, StorageFull, StoreUnavailable, StructMemError

LIST = pb.ListSessionsRequest(namespace="acme")
SECRET = "SELECT text FROM nodes -- /var/lib/structmem/acme.db"


def fail_with(monkeypatch: pytest.MonkeyPatch, service: Any, method: str, error: Exception) -> None:
    async def failing(*args: Any, **kwargs: Any) -> Any:
        raise error

    monkeypatch.setattr(type(service.application.store.namespace("acme")), method, failing)


def hang(monkeypatch: pytest.MonkeyPatch, service: Any, method: str) -> asyncio.Event:
    """Makes a store call wait for ever; the event is set once it is cancelled."""
    stopped = asyncio.Event()

    async def hanging(*args: Any, **kwargs: Any) -> Any:
        try:
            await asyncio.sleep(3600)
        finally:
            stopped.set()

    monkeypatch.setattr(type(service.application.store.namespace("acme")), method, hanging)
    return stopped


@pytest.mark.parametrize(
    "error",
    [RuntimeError(SECRET), OSError(2, SECRET), KeyError(SECRET), AssertionError(SECRET), TimeoutError(SECRET), StructMemError(SECRET)],
)
async def test_a_defect_tells_an_incident_and_nothing_else(
    service: Any, refused: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    fail_with(monkeypatch, service, "settings", error)
    refusal = await refused(service.memory.ListSessions(LIST, metadata=[("x-request-id", "r-1")]))
    incident = refusal.info.metadata["incident"]
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")
    assert refusal.message == f"internal error; incident {incident}"
    assert not any(SECRET in str(value) or "nodes" in str(value) for value in refusal.metadata.values())


async def test_a_defect_in_a_stream_tells_nothing_either(
    service: Any, refused: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(monkeypatch, service, "settings", RuntimeError(SECRET))
    refusal = await refused(service.memory.ExportNamespace(pb.ExportNamespaceRequest(namespace="acme")).read())
    assert refusal.code is grpc.StatusCode.INTERNAL
    assert SECRET not in refusal.message


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreUnavailable("the store cannot answer"), grpc.StatusCode.UNAVAILABLE),
        (StorageFull("no space is left"), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (NamespaceCorrupt("the namespace acme is damaged"), grpc.StatusCode.DATA_LOSS),
        (RequestReused("the request_id was used"), grpc.StatusCode.ALREADY_EXISTS),
        (DuplicateMessage("the client_id was used"), grpc.StatusCode.ALREADY_EXISTS),
    ],
)
async def test_an_error_of_the_store_keeps_its_status_and_reason(
    service: Any, refused: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, error: Any, code: grpc.StatusCode
) -> None:
    fail_with(monkeypatch, service, "settings", error)
    refusal = await refused(service.memory.ListSessions(LIST))
    assert (refusal.code, refusal.reason, refusal.info.domain) == (code, error.reason, "structmem")
    assert refusal.message == str(error)


@pytest.mark.parametrize("error", [StoreUnavailable, StorageFull])
async def test_where_waiting_helps_the_error_says_how_long(
    service: Any, refused: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, error: type[Any]
) -> None:
    fail_with(monkeypatch, service, "settings", error("not now"))
    refusal = await refused(service.memory.ListSessions(LIST))
    assert refusal.retry is not None
    assert refusal.retry.retry_delay.ToTimedelta().total_seconds() > 0


async def test_a_request_id_comes_back(service: Any, refused: Callable[..., Any]) -> None:
    refusal = await refused(service.memory.ListSessions(LIST, metadata=[("x-request-id", "mine-42")]))
    assert refusal.metadata["x-request-id"] == "mine-42"
    call = service.inspection.GetServerInfo(_info(), metadata=[("x-request-id", "mine-43")])
    await call
    assert dict(await call.trailing_metadata())["x-request-id"] == "mine-43"


@pytest.mark.parametrize("given", [None, "", "x" * 129])
async def test_a_call_without_a_usable_request_id_gets_one(service: Any, given: str | None) -> None:
    call = service.inspection.GetServerInfo(_info(), metadata=[] if given is None else [("x-request-id", given)])
    await call
    assert dict(await call.trailing_metadata())["x-request-id"].startswith("req_")


async def test_work_stops_at_the_deadline(service: Any, refused: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = hang(monkeypatch, service, "settings")
    refusal = await refused(service.memory.ListSessions(LIST, timeout=0.1))
    assert refusal.code is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(stopped.wait(), 5)


async def test_work_stops_when_the_caller_cancels(service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped = hang(monkeypatch, service, "settings")
    call = service.memory.ListSessions(LIST)
    await asyncio.sleep(0.1)
    call.cancel()
    await asyncio.wait_for(stopped.wait(), 5)


async def test_an_unknown_method_is_unimplemented(service: Any, refused: Callable[..., Any]) -> None:
    refusal = await refused(service.channel.unary_unary("/structmem.v1.MemoryService/Forget")(b""))
    assert refusal.code is grpc.StatusCode.UNIMPLEMENTED


async def test_a_message_beyond_the_limit_is_refused(tmp_path: Any, running: Callable[..., Any], refused: Callable[..., Any]) -> None:
    async with running(tmp_path, max_receive_mb=1) as service:
        refusal = await refused(service.memory.Retrieve(pb.RetrieveRequest(query=retrieval_pb2.RetrievalQuery(text="x" * 2_000_000))))
        assert refusal.code is grpc.StatusCode.RESOURCE_EXHAUSTED


def _info() -> Any:
    from structmem.v1 import inspection_service_pb2

    return inspection_service_pb2.GetServerInfoRequest()


async def test_what_grpc_itself_refuses_carries_no_details(service: Any) -> None:
    # As docs/errors.md and the contract say: the service never sees these calls.
    longest = pb.AppendMessagesRequest(namespace="acme", session="s", messages=[pb.MessageInput(speaker="Ana", text="x" * 1_000_000)] * 17)
    for call, code in (
        (service.memory.AppendMessages(longest), grpc.StatusCode.RESOURCE_EXHAUSTED),
        (service.channel.unary_unary("/structmem.v1.MemoryService/Forget")(b""), grpc.StatusCode.UNIMPLEMENTED),
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call
        assert caught.value.code() is code
        assert "grpc-status-details-bin" not in dict(caught.value.trailing_metadata())
