"""Neo4j goes away under a running service: it is stopped and started, or killed in the middle of commits, while messages stream in.

What was acknowledged is there, once; what was not is refused as UNAVAILABLE, with the time after which to try again.
"""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from structmem.v1 import memory_service_pb2, namespace_service_pb2

from bench.connection import Connection
from bench.server import ServerProcess
from tests.neo4j_databases import REQUIRED
from tests.neo4j_server import Missing, Neo4jServer, ServerOptions

# A group of its own: the server that it kills is its own, too.
pytestmark = [pytest.mark.timeout(600), pytest.mark.xdist_group("neo4j outages")]
WRITERS = 4


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Neo4jServer]:
    """A Neo4j of these tests alone: nobody else's may be killed."""
    try:
        server = Neo4jServer(tmp_path_factory.mktemp("outages"), ServerOptions(heap="384m", page_cache="64m", quick_start=True))
    except Missing as error:
        (pytest.fail if REQUIRED else pytest.skip)(f"left out what needs a Neo4j of its own: {error}")
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def service(server: Neo4jServer, tmp_path: Path) -> AsyncIterator[Connection]:
    settings = {"store": "neo4j", "neo4j_uri": server.uri, "embedder": "hashing", "idle_s": 0.2, "lease_s": 5, "log_level": "error"}
    process = ServerProcess(tmp_path, settings)
    try:
        await asyncio.to_thread(server.start)
        await process.start()
        async with Connection(process.address) as connection:
            yield connection
        await process.stop()
    finally:
        process.kill()


@dataclass
class Writer:
    """Appends messages one after the other to a session of its own, until it is told to stop; a refused one it sends again, or gives up.

    Attributes:
        acknowledged, given_up: texts that the service took, and those of which it said that it could not.
        refused: how often it said so.
    """

    to: Connection
    session: str
    again: bool
    acknowledged: list[str] = field(default_factory=list)
    given_up: list[str] = field(default_factory=list)
    refused: int = 0

    async def write(self, stop: asyncio.Event) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            await self._append(f"{self.session} says {number}", f"{self.session}-{number}" if self.again else "")

    async def _append(self, text: str, request_id: str) -> None:
        while True:
            request = memory_service_pb2.AppendMessagesRequest(
                namespace="ana",
                session=self.session,
                messages=[memory_service_pb2.MessageInput(speaker="Ana", text=text)],
                request_id=request_id,
            )
            try:
                await self.to.memory.AppendMessages(request, timeout=60)
            except grpc.aio.AioRpcError as error:
                pause = retry_after(error)
                self.refused += 1
                if not self.again:
                    self.given_up.append(text)
                    return
                await asyncio.sleep(pause)
            else:
                self.acknowledged.append(text)
                return


def retry_after(error: grpc.aio.AioRpcError) -> float:
    """The seconds after which to try again; every refusal has to say them."""
    assert error.code() is grpc.StatusCode.UNAVAILABLE, error
    status = status_pb2.Status.FromString(dict(error.trailing_metadata())["grpc-status-details-bin"])
    info = error_details_pb2.RetryInfo()
    assert any(detail.Unpack(info) for detail in status.details), status
    return info.retry_delay.ToTimedelta().total_seconds()


async def stream(service: Connection, again: bool, disturb: Callable[[], Awaitable[None]]) -> list[Writer]:
    """Writes from all sides while `disturb` runs, and until every writer has written after it."""
    await service.namespaces.CreateNamespace(namespace_service_pb2.CreateNamespaceRequest(namespace="ana"), timeout=60)
    writers = [Writer(service, f"writer {number}", again) for number in range(WRITERS)]
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for writer in writers:
            group.create_task(writer.write(stop))
        await asyncio.sleep(1)
        await disturb()
        before = [len(writer.acknowledged) for writer in writers]
        async with asyncio.timeout(120):
            while any(len(writer.acknowledged) == count for writer, count in zip(writers, before, strict=True)):  # noqa: ASYNC110 - a server's
                await asyncio.sleep(0.05)
        stop.set()
    return writers


async def stored(service: Connection) -> Counter[str]:
    """How often each text is there; deletes the namespace afterwards, for the next test."""
    texts: Counter[str] = Counter()
    token = ""
    while True:
        request = memory_service_pb2.ListMessagesRequest(namespace="ana", page_size=500, page_token=token)
        page = await service.memory.ListMessages(request, timeout=60)
        texts.update(message.text for message in page.messages)
        token = page.next_page_token
        if not token:
            break
    await service.namespaces.DeleteNamespace(namespace_service_pb2.DeleteNamespaceRequest(namespace="ana"), timeout=60)
    return texts


async def test_stopped_and_started_while_messages_stream_in(server: Neo4jServer, service: Connection) -> None:
    async def disturb() -> None:
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(12)  # longer than the store itself waits: some are refused
        await asyncio.to_thread(server.start)

    writers = await stream(service, True, disturb)
    texts = await stored(service)

    assert texts == Counter(text for writer in writers for text in writer.acknowledged)
    assert sum(writer.refused for writer in writers) > 0


async def test_killed_in_the_middle_of_commits_with_requests_sent_again(server: Neo4jServer, service: Connection) -> None:
    moments = random.Random(7)

    async def disturb() -> None:
        for _ in range(2):
            await asyncio.sleep(moments.uniform(0, 0.5))
            server.kill()
            await asyncio.to_thread(server.start)

    writers = await stream(service, True, disturb)
    texts = await stored(service)

    # Each was sent until it was taken: everything is there, and nothing twice.
    assert texts == Counter(text for writer in writers for text in writer.acknowledged)


async def test_killed_in_the_middle_of_commits_without_request_ids(server: Neo4jServer, service: Connection) -> None:
    async def disturb() -> None:
        server.kill()
        await asyncio.sleep(12)
        await asyncio.to_thread(server.start)

    writers = await stream(service, False, disturb)
    texts = await stored(service)

    acknowledged = Counter(text for writer in writers for text in writer.acknowledged)
    refused = {text for writer in writers for text in writer.given_up}
    assert not acknowledged - texts, "acknowledged, and not there"
    assert set(texts.values()) == {1}
    # Of a commit whose outcome nobody learnt the message may be there; no other one is.
    assert set(texts) - set(acknowledged) <= refused
