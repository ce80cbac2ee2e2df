"""A real server on a free port with a real store in a temporary directory."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.rpc import error_details_pb2, status_pb2
from structmem.v1 import (
    answer_service_pb2_grpc,
    inspection_service_pb2_grpc,
    memory_service_pb2_grpc,
    namespace_service_pb2_grpc,
    summary_service_pb2_grpc,
)
from structmem.v1.error_reason_pb2 import ErrorReason

from service.app import Application, build
from service.configuration import load_settings
from service.logs import configure_logs
from service.settings import Settings


class Service:
    """A running service and stubs to call it."""

    def __init__(self, application: Application, channel: grpc.aio.Channel) -> None:
        self.application = application
        self.channel = channel
        self.memory = memory_service_pb2_grpc.MemoryServiceStub(channel)
        self.namespaces = namespace_service_pb2_grpc.NamespaceServiceStub(channel)
        self.inspection = inspection_service_pb2_grpc.InspectionServiceStub(channel)
        self.summaries = summary_service_pb2_grpc.SummaryServiceStub(channel)
        self.answers = answer_service_pb2_grpc.AnswerServiceStub(channel)


def _settings_for(directory: Path, **changes: Any) -> Settings:
    values = {
        "data_dir": directory / "data",
        "listen": "127.0.0.1:0",
        "embedder": "hashing",
        "idle_s": 0.2,
        "shutdown_grace_s": 5.0,
        "log_level": "error",
    }
    return load_settings(values | changes)


@asynccontextmanager
async def _running(directory: Path, **changes: Any) -> AsyncIterator[Service]:
    settings = _settings_for(directory, **changes)
    configure_logs(settings)
    application = build(settings)
    address = await application.start()
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            yield Service(application, channel)
    finally:
        await application.stop()


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Service]:
    async with _running(tmp_path) as service:
        yield service


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_service(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Service]:
    """One service for a module whose tests leave it as they found it; they need `pytest.mark.asyncio(loop_scope="module")`."""
    async with _running(tmp_path_factory.mktemp("shared")) as service:
        yield service


class Refusal:
    """An error as a client sees it, with its details decoded."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        self.code = error.code()
        self.message = error.details() or ""
        self.metadata = {**dict(error.initial_metadata()), **dict(error.trailing_metadata())}
        self.info = error_details_pb2.ErrorInfo()
        self.reason = ""
        self.retry: error_details_pb2.RetryInfo | None = None
        self.fields: dict[str, str] = {}
        raw = self.metadata.get("grpc-status-details-bin")
        if raw is None:
            return
        status = status_pb2.Status.FromString(raw)
        assert (status.code, status.message) == (self.code.value[0], self.message)
        for detail in status.details:
            bad = error_details_pb2.BadRequest()
            retry = error_details_pb2.RetryInfo()
            if detail.Unpack(bad):
                self.fields = {violation.field: violation.description for violation in bad.field_violations}
            elif detail.Unpack(retry):
                self.retry = retry
            else:
                assert detail.Unpack(self.info)
                assert self.info.reason in ErrorReason.keys()  # noqa: SIM118 - an enum wrapper is no mapping
                self.reason = self.info.reason.removeprefix("ERROR_REASON_")


async def _refused(call: Awaitable[Any]) -> Refusal:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return Refusal(raised.value)


async def _eventually(condition: Callable[[], Awaitable[bool]], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - the condition is another process's or the store's
            await asyncio.sleep(0.02)


@pytest.fixture
def settings_for() -> Callable[..., Settings]:
    """Settings of a test's service: `settings_for(directory, **changes)`."""
    return _settings_for


@pytest.fixture
def running() -> Callable[..., AbstractAsyncContextManager[Service]]:
    """`async with running(directory, **changes) as service`."""
    return _running


@pytest.fixture
def refused() -> Callable[[Awaitable[Any]], Awaitable[Refusal]]:
    """`await refused(call)`: the error that the call ends with."""
    return _refused


@pytest.fixture
def eventually() -> Callable[..., Awaitable[None]]:
    """`await eventually(condition)`: returns when the condition holds."""
    return _eventually
