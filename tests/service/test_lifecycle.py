"""Start, readiness, shutdown; one owner of a directory; the service without a process of its own."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from structmem.v1 import job_pb2, memory_service_pb2_grpc, namespace_service_pb2
from structmem.v1 import memory_service_pb2 as pb

from graph.errors import StoreBusy, StoreUnavailable
from service.app import build
from service.errors import InvalidSettings
from service.in_process import in_process
from service.server import SERVICES
from service.settings import ADDRESS_FILE

APPEND = pb.AppendMessagesRequest(
    namespace="acme", session="s", messages=[pb.MessageInput(speaker="Ana", text="Hello there.")], create_namespace=True
)


async def test_health_says_serving_for_each_service_and_all(service: Any, refused: Callable[..., Any]) -> None:
    stub: Any = health_pb2_grpc.HealthStub(service.channel)  # type: ignore[no-untyped-call]
    for name in ("", *SERVICES):
        assert (await stub.Check(health_pb2.HealthCheckRequest(service=name))).status == health_pb2.HealthCheckResponse.SERVING
    assert (await refused(stub.Check(health_pb2.HealthCheckRequest(service="other")))).code is grpc.StatusCode.NOT_FOUND


async def test_health_follows_the_store(
    tmp_path: Path, running: Callable[..., Any], eventually: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path, health_probe_s=0.05) as service:
        stub: Any = health_pb2_grpc.HealthStub(service.channel)  # type: ignore[no-untyped-call]

        async def serving() -> bool:
            return bool((await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING)

        async def not_serving() -> bool:
            return not await serving()

        def failing() -> None:
            raise StoreUnavailable("the disk does not answer")

        with monkeypatch.context() as patch:
            patch.setattr(service.application.store._engine.catalog, "probe", failing)
            await eventually(not_serving)
        await eventually(serving)


@pytest.mark.parametrize("harm", [Path.unlink, lambda file: file.write_bytes(b"")], ids=["absent", "empty"])
async def test_a_namespace_without_its_file_stops_no_other(
    tmp_path: Path, running: Callable[..., Any], refused: Callable[..., Any], harm: Callable[[Path], object]
) -> None:
    async with running(tmp_path, workers=0) as service:
        jobs = {}
        for name in ("broken", "sound"):
            request = pb.AppendMessagesRequest(namespace=name, session="s", messages=APPEND.messages, create_namespace=True)
            jobs[name] = (await service.memory.AppendMessages(request)).job_id
            if name == "broken":
                (file,) = (tmp_path / "data" / "namespaces").glob("*.db")
    harm(file)
    async with running(tmp_path, health_probe_s=0.05) as service:
        await service.memory.ExpediteJob(pb.ExpediteJobRequest(namespace="sound", job_id=jobs["sound"]))
        watch = pb.WatchJobRequest(namespace="sound", job_id=jobs["sound"])
        states = [update.job.state async for update in service.memory.WatchJob(watch, timeout=20)]
        assert states[-1] == job_pb2.JOB_STATE_SUCCEEDED
        listed = await service.namespaces.ListNamespaces(namespace_service_pb2.ListNamespacesRequest())
        assert [namespace.name for namespace in listed.namespaces] == ["broken", "sound"]
        refusal = await refused(service.memory.ListMessages(pb.ListMessagesRequest(namespace="broken")))
        assert (refusal.code, refusal.info.metadata["namespace"]) == (grpc.StatusCode.DATA_LOSS, "broken")
        assert "broken" in refusal.message
        await asyncio.sleep(0.2)  # some looks at the store's health
        stub: Any = health_pb2_grpc.HealthStub(service.channel)  # type: ignore[no-untyped-call]
        assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING


async def test_while_it_runs_the_address_can_be_found(tmp_path: Path, running: Callable[..., Any]) -> None:
    async with running(tmp_path, ready_file=tmp_path / "ready") as service:
        address = service.application.address
        assert (tmp_path / "ready").read_text().strip() == address
        assert (tmp_path / "data" / ADDRESS_FILE).read_text().strip() == address
        assert not address.endswith(":0")
    assert not (tmp_path / "ready").exists()
    assert not (tmp_path / "data" / ADDRESS_FILE).exists()


async def test_a_second_service_on_the_directory_is_kept_out(
    tmp_path: Path, running: Callable[..., Any], settings_for: Callable[..., Any]
) -> None:
    async with running(tmp_path) as service:
        second = build(settings_for(tmp_path))
        with pytest.raises(StoreBusy) as raised:
            await second.start()
        assert str(tmp_path) not in str(raised.value)
        await service.memory.AppendMessages(APPEND)
    async with running(tmp_path) as service:
        assert len((await service.memory.ListMessages(pb.ListMessagesRequest(namespace="acme"))).messages) == 1


async def test_an_address_that_is_taken_is_refused_and_the_directory_let_go(
    tmp_path: Path, running: Callable[..., Any], settings_for: Callable[..., Any]
) -> None:
    async with running(tmp_path / "one") as service:
        other = build(settings_for(tmp_path / "two", listen=service.application.address))
        with pytest.raises(InvalidSettings, match=f"listen on {service.application.address}: another process listens there"):
            await other.start()
    async with running(tmp_path / "two"):
        pass


async def test_what_was_opened_is_closed_when_a_later_step_fails(tmp_path: Path, settings_for: Callable[..., Any]) -> None:
    first = build(settings_for(tmp_path, ready_file=tmp_path / "no such directory" / "ready"))
    with pytest.raises(InvalidSettings, match="ready_file"):
        await first.start()
    assert not (tmp_path / "data" / ADDRESS_FILE).exists()
    second = build(settings_for(tmp_path, listen=first.address))
    assert await second.start() == first.address, "the port is free again, and so is the directory"
    await second.stop()


@pytest.mark.parametrize("listen", ["unix:{}/none/socket", "unix:{}/taken", "name.invalid:1", "203.0.113.1:0"])
async def test_an_address_that_cannot_be_listened_on_is_named_in_one_line(
    tmp_path: Path, settings_for: Callable[..., Any], capfd: pytest.CaptureFixture[str], listen: str
) -> None:
    address = listen.format(tmp_path)
    grant = '[[token]]\nname = "ana"\ntoken = "a-token-0123456789"\n[[token.grant]]\nnamespaces = ["**"]\nrights = ["read"]\n'
    (tmp_path / "tokens.toml").write_text(grant)
    with socket.socket(socket.AF_UNIX) as taken:
        taken.bind(str(tmp_path / "taken"))
        taken.listen()
        with pytest.raises(InvalidSettings) as raised:
            await build(settings_for(tmp_path, listen=address, token_file=tmp_path / "tokens.toml")).start()
    assert f"cannot listen on {address}: " in str(raised.value)
    assert capfd.readouterr().err == ""


async def test_tls_files_that_are_not_there_are_refused(tmp_path: Path, settings_for: Callable[..., Any]) -> None:
    application = build(settings_for(tmp_path, tls_cert=tmp_path / "c.pem", tls_key=tmp_path / "k.pem"))
    with pytest.raises(InvalidSettings, match="tls_cert"):
        await application.start()


async def test_the_service_runs_in_process_without_a_port(tmp_path: Path, settings_for: Callable[..., Any]) -> None:
    async with in_process(settings_for(tmp_path)) as target:
        assert target.startswith("unix:")
        assert os.stat(Path(target.removeprefix("unix:")).parent).st_mode & 0o077 == 0
        async with grpc.aio.insecure_channel(target) as channel:
            answer = await memory_service_pb2_grpc.MemoryServiceStub(channel).AppendMessages(APPEND)
            assert answer.messages[0].seq == 1
    assert not os.path.exists(target.removeprefix("unix:"))  # noqa: ASYNC240 - a test may block


async def rest_of(stream: Any) -> None:
    async for _ in stream:
        pass


async def test_stopping_ends_a_watch_and_hands_work_back(tmp_path: Path, running: Callable[..., Any], refused: Callable[..., Any]) -> None:
    async with running(tmp_path, idle_s=3600) as service:
        answer = await service.memory.AppendMessages(APPEND)
        watch = service.memory.WatchJob(pb.WatchJobRequest(namespace="acme", job_id=answer.job_id))
        await anext(aiter(watch))
        stopping = asyncio.create_task(service.application.stop())
        refusal = await refused(rest_of(watch))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "SHUTTING_DOWN")
        await asyncio.wait_for(stopping, 10)
    async with running(tmp_path) as service:
        await service.memory.ExpediteJob(pb.ExpediteJobRequest(namespace="acme", job_id=answer.job_id))
        request = pb.WatchJobRequest(namespace="acme", job_id=answer.job_id)
        states = [update.job.state async for update in service.memory.WatchJob(request, timeout=20)]
        assert states[-1] == job_pb2.JOB_STATE_SUCCEEDED


async def test_a_call_under_way_finishes_before_the_end(
    tmp_path: Path, running: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(tmp_path) as service:
        handle = type(service.application.store.namespace("acme"))
        original, entered = handle.append, asyncio.Event()

        async def slow(*args: Any) -> Any:
            entered.set()
            await asyncio.sleep(0.3)
            return await original(*args)

        monkeypatch.setattr(handle, "append", slow)
        call = service.memory.AppendMessages(APPEND)
        task = asyncio.ensure_future(call)
        await entered.wait()
        await service.application.stop()
        assert (await task).messages[0].seq == 1


RUN = """
import sys
from service.app import serve
from service.configuration import load_settings
flags = {"data_dir": sys.argv[1], "listen": "127.0.0.1:0", "embedder": "hashing", "log_format": "json", "ready_file": sys.argv[2]}
serve(load_settings(flags))
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_the_process_in_order(tmp_path: Path, eventually: Callable[..., Any], number: signal.Signals) -> None:
    ready = tmp_path / "ready"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", RUN, str(tmp_path / "data"), str(ready), stderr=asyncio.subprocess.PIPE
    )

    async def is_ready() -> bool:
        return ready.exists()

    await eventually(is_ready, 30)
    async with grpc.aio.insecure_channel(ready.read_text().strip()) as channel:
        await memory_service_pb2_grpc.MemoryServiceStub(channel).AppendMessages(APPEND)
    process.send_signal(number)
    _, log = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    assert b'"stopped"' in log
    assert b"Hello there" not in log
    assert b'"AppendMessages"' in log
    assert not ready.exists()
