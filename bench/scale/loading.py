"""Streams spooled namespaces to the server and waits until they can be searched."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
from structmem.v1 import inspection_service_pb2, memory_service_pb2, namespace_pb2, namespace_service_pb2, retrieval_pb2

from bench.connection import DEADLINE_S, MAX_MESSAGE_BYTES, Connection
from bench.report import BenchError, Step
from bench.scale.spool import requests

IMPORT_DEADLINE_S = 3600.0
_METHOD = "/structmem.v1.MemoryService/ImportNamespace"


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What is there after loading, and how long that took, the first search of each namespace included."""

    nodes: int
    edges: int
    seconds: float


async def server_generation(connection: Connection) -> namespace_pb2.Generation:
    """The generation that the server's own extractor makes: an import of another one would be extracted anew."""
    namespace = "bench/probe"
    message = memory_service_pb2.MessageInput(speaker="Ada", text="I moved to Lisbon yesterday.")
    request = memory_service_pb2.AppendMessagesRequest(namespace=namespace, session="probe", messages=[message], create_namespace=True)
    await connection.memory.AppendMessages(request, timeout=DEADLINE_S)
    await connection.flush_and_wait(namespace)
    found = await connection.namespaces.GetNamespace(namespace_service_pb2.GetNamespaceRequest(namespace=namespace), timeout=DEADLINE_S)
    await connection.namespaces.DeleteNamespace(namespace_service_pb2.DeleteNamespaceRequest(namespace=namespace), timeout=DEADLINE_S)
    return found.namespace.generation


async def load(connection: Connection, address: str, spooled: dict[str, Path], step: Step) -> LoadResult:
    """Imports the namespaces one after the other, each until its first search has been answered."""
    began = time.perf_counter()
    for name, directory in spooled.items():
        await asyncio.to_thread(_import, address, directory, step)
        request = memory_service_pb2.RetrieveRequest(
            query=retrieval_pb2.RetrievalQuery(namespaces=[name], text="ready", k=1, recipe="lexical")
        )
        await connection.memory.Retrieve(request, timeout=IMPORT_DEADLINE_S)
    seconds = time.perf_counter() - began
    nodes = edges = 0
    for name in spooled:
        described = await connection.inspection.GetGraphStats(
            inspection_service_pb2.GetGraphStatsRequest(namespace=name), timeout=IMPORT_DEADLINE_S
        )
        nodes += sum(entry.count for entry in described.nodes)
        edges += sum(entry.count for entry in described.edges)
        if described.pending_vector_count:
            raise BenchError(f"{name}: {described.pending_vector_count} vectors are missing after the import")
    return LoadResult(nodes, edges, seconds)


def _import(address: str, directory: Path, step: Step) -> None:
    # What is spooled is serialised already; the generated stub would want to do that again.
    with grpc.insecure_channel(address, options=[("grpc.max_send_message_length", MAX_MESSAGE_BYTES)]) as channel:
        call: grpc.StreamUnaryMultiCallable[bytes, memory_service_pb2.ImportNamespaceResponse] = channel.stream_unary(
            _METHOD,
            request_serializer=None,
            response_deserializer=memory_service_pb2.ImportNamespaceResponse.FromString,
        )
        call(_counted(requests(directory), step), timeout=IMPORT_DEADLINE_S)


def _counted(numbered: Iterator[tuple[int, bytes]], step: Step) -> Iterator[bytes]:
    for records, request in numbered:
        yield request
        step.advance(records)
