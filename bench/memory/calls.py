"""The calls that move long messages."""

import asyncio
import random
from collections.abc import AsyncIterable, AsyncIterator
from contextlib import suppress

import grpc
from structmem.v1 import memory_service_pb2 as pb
from structmem.v1 import retrieval_pb2

from bench.connection import DEADLINE_S, Connection
from bench.memory.texts import Texts

NAMESPACE, COPY = "bench/long", "bench/copy"
_BATCH_BYTES = 10_000_000
# Deadlines of calls that are given up, in seconds, and how many such calls are under way at once.
_SHORTEST, _LONGEST = 0.001, 0.030
_GIVEN_UP_AT_ONCE = 16
# A reader that takes its time between two parts of an export.
_SLOW_S = 0.2


async def write(connection: Connection, texts: Texts, messages: int, characters: int) -> None:
    """Appends the messages, a session for each batch."""
    batch = max(1, min(1_000, _BATCH_BYTES // characters // (3 if texts.is_wide else 1)))
    for start in range(0, messages, batch):
        inputs = [pb.MessageInput(speaker=f"Speaker {n % 7}", text=texts.text(n)) for n in range(start, min(messages, start + batch))]
        request = pb.AppendMessagesRequest(namespace=NAMESPACE, session=f"session {start}", messages=inputs, create_namespace=True)
        await connection.memory.AppendMessages(request, timeout=DEADLINE_S)


async def list_messages(connection: Connection, page: int) -> None:
    """Lists all messages."""
    request = _listing(page)
    while True:
        answer = await connection.memory.ListMessages(request, timeout=DEADLINE_S)
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token


async def retrieve(connection: Connection, k: int) -> None:
    """Asks for memories."""
    await connection.memory.Retrieve(pb.RetrieveRequest(query=_query(k)), timeout=DEADLINE_S)


async def context(connection: Connection) -> None:
    """Asks for a context."""
    await connection.memory.BuildContext(pb.BuildContextRequest(query=_query(0), token_budget=50_000), timeout=DEADLINE_S)


async def give_up(connection: Connection, calls: int, page: int) -> None:
    """Begins so many calls and gives each up soon: half of them retrieve, half of them list."""
    chance = random.Random(7)
    deadlines = iter([chance.uniform(_SHORTEST, _LONGEST) for _ in range(calls)])

    async def callers() -> None:
        for number, deadline in enumerate(deadlines):
            with suppress(grpc.aio.AioRpcError):
                if number % 2:
                    await connection.memory.ListMessages(_listing(page), timeout=deadline)
                else:
                    await connection.memory.Retrieve(pb.RetrieveRequest(query=_query(page)), timeout=deadline)

    await asyncio.gather(*(callers() for _ in range(_GIVEN_UP_AT_ONCE)))


async def exported(connection: Connection) -> list[pb.ExportNamespaceResponse]:
    """The parts of an export."""
    return [part async for part in _export(connection)]


async def read_export(connection: Connection, *, slowly: bool) -> None:
    """Reads an export and keeps nothing."""
    async for _ in _export(connection):
        await asyncio.sleep(_SLOW_S if slowly else 0)


async def import_copy(connection: Connection, parts: list[pb.ExportNamespaceResponse], name: str) -> None:
    """Imports what was exported under another name."""

    async def requests() -> AsyncIterator[pb.ImportNamespaceRequest]:
        yield pb.ImportNamespaceRequest(header=pb.ImportNamespaceHeader(namespace=name, export_header=parts[0].header))
        for part in parts[1:-1]:
            yield pb.ImportNamespaceRequest(batch=part.batch)
        yield pb.ImportNamespaceRequest(trailer=parts[-1].trailer)

    await connection.memory.ImportNamespace(requests(), timeout=DEADLINE_S)


def _export(connection: Connection) -> AsyncIterable[pb.ExportNamespaceResponse]:
    return connection.memory.ExportNamespace(pb.ExportNamespaceRequest(namespace=NAMESPACE), timeout=DEADLINE_S)


def _listing(page: int) -> pb.ListMessagesRequest:
    return pb.ListMessagesRequest(namespace=NAMESPACE, page_size=page)


def _query(k: int) -> retrieval_pb2.RetrievalQuery:
    return retrieval_pb2.RetrievalQuery(namespaces=[NAMESPACE], text="What does Speaker 3 say of number 17?", k=k)
