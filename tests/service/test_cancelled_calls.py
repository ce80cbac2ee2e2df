"""Calls that are given up at any moment: nothing stays behind, and the next caller is answered."""

import asyncio
import os
import random
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import apsw
import grpc
import pytest
from structmem.v1 import inspection_service_pb2, namespace_service_pb2, retrieval_pb2
from structmem.v1 import memory_service_pb2 as pb

from graph.store.embedded.files import open_files

TIMES = 208
AT_ONCE = 16
SESSIONS, MESSAGES = 3, 1_000
GIVEN_UP = {grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED}
# Seconds; of a call that has no end, so much is looked at.
LONGEST = 0.5
# What the client itself says where its deadline passes while it sends.
UNSENT = "Internal error from Core"
# Threads of pools, which have as many as they may have once they were busy.
POOLED = ("store", "asyncio")


class Held:
    """What the process holds on behalf of calls: the same before them and after."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def now(self) -> dict[str, Any]:
        return {
            "descriptors": self._descriptors(),
            "threads": sum(not thread.name.startswith(POOLED) for thread in threading.enumerate()),
            "tasks": sorted(getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks()),
            "snapshots": self._snapshots(),
            "files": sorted(path.name for path in (self._directory / "namespaces").iterdir() if path.suffix == ".db"),
        }

    def _descriptors(self) -> int:
        """Open files and pipes; sockets are those of the test's own channel and of the event loop."""
        kinds = []
        for descriptor in os.listdir("/proc/self/fd"):
            with suppress(OSError):
                kinds.append(os.readlink(f"/proc/self/fd/{descriptor}"))
        return sum(not kind.startswith(("socket:", "/proc")) for kind in kinds)

    def _snapshots(self) -> int:
        """How many namespaces somebody reads: while one is read, its log cannot be emptied."""
        held = 0
        for path in (self._directory / "namespaces").glob("*.db"):
            db = apsw.Connection(str(path))
            try:
                db.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
            except apsw.BusyError:
                held += 1
            finally:
                db.close()
        return held


@pytest.fixture
async def filled(tmp_path: Path, running: Callable[..., Any]) -> AsyncIterator[Any]:
    # Nobody works in the background: what is held is held by calls.
    async with running(tmp_path, workers=0, log_level="error") as service:
        for session in range(SESSIONS):
            messages = [pb.MessageInput(speaker="Ana", text=f"On day {n} Maria went to Lisbon {session} times.") for n in range(MESSAGES)]
            request = pb.AppendMessagesRequest(namespace="acme", session=f"s{session}", messages=messages, create_namespace=True)
            service.job_id = (await service.memory.AppendMessages(request)).job_id
        stream = service.memory.ExportNamespace(pb.ExportNamespaceRequest(namespace="acme"))
        service.export = [part async for part in stream]
        service.directory = tmp_path / "data"
        yield service


def exported(service: Any, **options: Any) -> Any:
    return service.memory.ExportNamespace(pb.ExportNamespaceRequest(namespace="acme"), **options)


def traversed(service: Any, **options: Any) -> Any:
    records = [record for part in service.export for record in part.batch.records]
    starts = [record.node.message.id for record in records if record.node.HasField("message")][:100]
    request = pb.TraverseEventsRequest(namespace="acme", start_ids=starts, max_hops=6, max_events=1000)
    return service.memory.TraverseEvents(request, **options)


def watched(service: Any, **options: Any) -> Any:
    return service.memory.WatchJob(pb.WatchJobRequest(namespace="acme", job_id=service.job_id), **options)


def queried(service: Any, **options: Any) -> Any:
    query = "MATCH (a:Message)-[:NEXT]->(b:Message) RETURN a.text, b.text"
    return service.inspection.RunCypher(inspection_service_pb2.RunCypherRequest(namespace="acme", query=query), **options)


def imported(service: Any, **options: Any) -> Any:
    async def requests() -> AsyncIterator[pb.ImportNamespaceRequest]:
        header, *batches, trailer = service.export
        target = pb.ImportNamespaceHeader(namespace=f"copy/{time.monotonic_ns()}", export_header=header.header)
        yield pb.ImportNamespaceRequest(header=target)
        for part in batches:
            yield pb.ImportNamespaceRequest(batch=part.batch)
        yield pb.ImportNamespaceRequest(trailer=trailer.trailer)

    return service.memory.ImportNamespace(requests(), **options)


def sent(service: Any, **options: Any) -> Any:
    async def requests() -> AsyncIterator[pb.ImportMessagesRequest]:
        yield pb.ImportMessagesRequest(header=pb.ImportMessagesHeader(namespace="acme"))
        for n in range(10):
            messages = [pb.MessageInput(speaker="Ana", text=f"{n} {m}") for m in range(20)]
            yield pb.ImportMessagesRequest(batch=pb.ImportMessagesBatch(session="sent", messages=messages))

    return service.memory.ImportMessages(requests(), **options)


def retrieved(service: Any, **options: Any) -> Any:
    query = retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="Who went to Lisbon?", k=100)
    return service.memory.Retrieve(pb.RetrieveRequest(query=query, explain=True), **options)


def listed(service: Any, **options: Any) -> Any:
    return service.memory.ListMessages(pb.ListMessagesRequest(namespace="acme", page_size=500), **options)


def appended(service: Any, **options: Any) -> Any:
    messages = [pb.MessageInput(speaker="Ana", text=f"Message {m}") for m in range(200)]
    return service.memory.AppendMessages(pb.AppendMessagesRequest(namespace="acme", session="more", messages=messages), **options)


async def to_its_end(call: Any) -> None:
    if isinstance(call, AsyncIterator) or hasattr(call, "__aiter__"):
        async for _ in call:
            pass
    else:
        await call


async def given_up(service: Any, begin: Callable[..., Any], chance: random.Random, longest: float) -> None:
    """Begins a call and gives it up at some moment: its caller cancels, its deadline passes, or both at once."""
    delay = chance.uniform(0, longest)
    how = chance.choice(("cancel", "deadline", "both"))
    call = begin(service) if how == "cancel" else begin(service, timeout=delay)
    running = asyncio.ensure_future(to_its_end(call))
    if how != "deadline":
        await asyncio.sleep(delay)
        call.cancel()
    await asyncio.wait([running])
    error = None if running.cancelled() else running.exception()
    assert error is None or (isinstance(error, grpc.aio.AioRpcError) and (error.code() in GIVEN_UP or error.details() == UNSENT)), error


async def whole(service: Any, begin: Callable[..., Any]) -> float:
    """Runs a call to its end, or for a while where it has none, and returns how long it took, in seconds."""
    began = time.perf_counter()
    with suppress(grpc.aio.AioRpcError):
        await to_its_end(begin(service, timeout=LONGEST))
    await forget_copies(service)
    return time.perf_counter() - began


async def settled(held: Held) -> dict[str, Any]:
    """What is held when nothing goes on any more: two looks in a row see the same."""
    before = held.now()
    for _ in range(100):
        await asyncio.sleep(0.2)
        now = held.now()
        if now == before and not now["snapshots"]:
            break
        before = now
    return before


def assert_as_before(after: dict[str, Any], before: dict[str, Any]) -> None:
    # A connection to a namespace opens when it is needed, and SQLite keeps a few descriptors aside for the next one.
    assert after["descriptors"] <= before["descriptors"] + 8
    assert after | {"descriptors": 0} == before | {"descriptors": 0}


async def forget_copies(service: Any) -> None:
    """Some imports were quicker than whoever gave them up."""
    copies = await service.namespaces.ListNamespaces(namespace_service_pb2.ListNamespacesRequest(prefix="copy"))
    for namespace in copies.namespaces:
        await service.namespaces.DeleteNamespace(namespace_service_pb2.DeleteNamespaceRequest(namespace=namespace.name))


@pytest.mark.parametrize(
    "begin", [exported, traversed, watched, queried, imported, sent, retrieved, listed, appended], ids=lambda f: f.__name__
)
async def test_of_calls_that_were_given_up_nothing_stays(filled: Any, begin: Callable[..., Any], capfd: Any) -> None:
    chance = random.Random(begin.__name__)
    held = Held(filled.directory)
    # Together for the first time, they bring up what then stays: threads of pools, the process of the engine.
    await asyncio.gather(*(whole(filled, begin) for _ in range(AT_ONCE)))
    longest = min(await whole(filled, begin), 0.3)
    before = await settled(held)
    for _ in range(TIMES // AT_ONCE):
        await asyncio.gather(*(given_up(filled, begin, chance, 2 * longest) for _ in range(AT_ONCE)))
        await forget_copies(filled)
    await whole(filled, begin)
    # On a slow machine an import may come to its end after whoever gave it up has looked for copies.
    await settled(held)
    await forget_copies(filled)
    assert_as_before(await settled(held), before)
    assert "Traceback" not in capfd.readouterr().err
    request = pb.AppendMessagesRequest(namespace="acme", session="after", messages=[pb.MessageInput(speaker="Ana", text="Still here.")])
    assert (await filled.memory.AppendMessages(request, timeout=10)).messages


async def test_whoever_holds_exports_open_leaves_descriptors_to_others(filled: Any) -> None:
    # More than what is under way between the two ends: no export is at its end before it is read.
    messages = [pb.MessageInput(speaker="Ana", text=f"{n} " * 49_000) for n in range(100, 125)]
    await filled.memory.AppendMessages(pb.AppendMessagesRequest(namespace="acme", session="long", messages=messages))
    held = Held(filled.directory)
    before = await settled(held)
    streams = [exported(filled) for _ in range(40)]
    reasons: list[str] = []
    for stream in streams:
        try:
            await anext(aiter(stream))
        except grpc.aio.AioRpcError as error:
            reasons.append(error.details() or "")
    assert 1 <= len(reasons) <= 20
    assert all("exports" in reason for reason in reasons)
    for stream in streams:
        stream.cancel()
    assert_as_before(await settled(held), before)
    await to_its_end(exported(filled))


async def test_readers_that_stand_still_do_not_keep_others_from_exporting(
    tmp_path: Path,
    running: Callable[..., Any],
    refused: Callable[..., Any],
    eventually: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # So few that all can be held before the first has stood still for too long, on any machine.
    monkeypatch.setattr(open_files, "_MOST_SNAPSHOTS", 4)
    async with running(tmp_path, workers=0, log_level="error", stream_stall_s=10.0) as service:
        # More than what is under way between the two ends: no export is at its end before it is read.
        messages = [pb.MessageInput(speaker="Ana", text=f"{n} " * 49_000) for n in range(100, 170)]
        request = pb.AppendMessagesRequest(namespace="acme", session="long", messages=messages, create_namespace=True)
        await service.memory.AppendMessages(request)
        held = Held(tmp_path / "data")
        before = await settled(held)

        async def answered() -> bool:
            with suppress(grpc.aio.AioRpcError):
                await to_its_end(exported(service))
                return True
            return False

        streams = [exported(service) for _ in range(6)]
        parts = await asyncio.gather(*map(begin, streams))
        begun = [stream for stream, part in zip(streams, parts, strict=True) if not isinstance(part, grpc.aio.AioRpcError)]
        assert len(begun) == 4
        assert not await answered()
        # Nobody reads on, and nobody cancels.
        await eventually(answered, 60)
        # Of those that are read on now, some were ended, and the others come to their end.
        ends = [await end_of(stream) for stream in begun]
        told = [await refused(raised(error)) for error in ends if error]
        assert told
        assert {(one.code, one.reason) for one in told} == {(grpc.StatusCode.DEADLINE_EXCEEDED, "STREAM_STALLED")}
        for stream in begun:
            stream.cancel()
        assert_as_before(await settled(held), before)


async def end_of(stream: Any) -> grpc.aio.AioRpcError | None:
    """The error that a stream that is read on ends with, if any. It is told once."""
    try:
        await to_its_end(stream)
    except grpc.aio.AioRpcError as error:
        return error
    return None


async def raised(error: Exception) -> None:
    raise error


async def begin(stream: Any) -> Any:
    """The first part of a stream, or the error in its place."""
    try:
        return await anext(aiter(stream))
    except grpc.aio.AioRpcError as error:
        return error
