"""Asks a loaded server: how long answers take, by recipe, and how long it takes to acknowledge an append."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle

from structmem.v1 import memory_service_pb2, retrieval_pb2, vector_pb2

from bench.connection import DEADLINE_S, Connection
from bench.report import Step
from bench.scale.conversations import Probe

K = 10


@dataclass
class Latencies:
    """How long each answer took, and all of them together, in seconds."""

    seconds: list[float] = field(default_factory=list)
    elapsed: float = 0.0

    @property
    def per_second(self) -> float:
        """Answers a second, of all clients together."""
        return len(self.seconds) / self.elapsed if self.elapsed else 0.0


async def ask(address: str, probes: Sequence[Probe], recipe: str, clients: int, step: Step) -> Latencies:
    """Asks every probe once, with so many clients at a time, each on a connection of its own."""
    asked = Latencies()
    waiting = iter([_request(probe, recipe) for probe in probes])
    began = time.perf_counter()
    await asyncio.gather(*(_client(address, waiting, asked, step) for _ in range(clients)))
    asked.elapsed = time.perf_counter() - began
    return asked


async def append(connection: Connection, probes: Sequence[Probe], count: int, step: Step) -> list[float]:
    """Appends one message at a time to namespaces in the order of the probes; returns the seconds of each."""
    seconds: list[float] = []
    for number, probe in zip(range(count), cycle(probes), strict=False):
        message = memory_service_pb2.MessageInput(speaker="Ada", text=probe.query, embedding=_vector(probe))
        request = memory_service_pb2.AppendMessagesRequest(
            namespace=probe.namespace, session=f"appended-{number // 20}", messages=[message]
        )
        began = time.perf_counter()
        await connection.memory.AppendMessages(request, timeout=DEADLINE_S)
        seconds.append(time.perf_counter() - began)
        step.advance()
    return seconds


@dataclass(frozen=True, slots=True)
class Deletion:
    """How long a deletion took, in seconds, and the answers to those who asked meanwhile."""

    seconds: float
    asked: Latencies


async def say_as(connection: Connection, speaker: str, probes: Sequence[Probe], count: int, step: Step) -> None:
    """Appends so many messages of one speaker to the namespace of the first probe, ten a session."""
    texts = list(zip(range(count), cycle(probes), strict=False))
    for start in range(0, count, 10):
        messages = [
            memory_service_pb2.MessageInput(speaker=speaker, text=f"{probe.query} ({number})", embedding=_vector(probe))
            for number, probe in texts[start : start + 10]
        ]
        request = memory_service_pb2.AppendMessagesRequest(namespace=probes[0].namespace, session=f"said-{start // 10}", messages=messages)
        await connection.memory.AppendMessages(request, timeout=DEADLINE_S)
        step.advance(len(messages))


async def delete_while_asking(address: str, connection: Connection, speaker: str, probes: Sequence[Probe], recipe: str) -> Deletion:
    """Deletes all messages of a speaker in the namespace of the first probe, while one client asks that namespace."""
    asked, done = Latencies(), asyncio.Event()

    async def asking() -> None:
        async with Connection(address) as other:
            for probe in cycle([probe for probe in probes if probe.namespace == probes[0].namespace]):
                if done.is_set():
                    return
                began = time.perf_counter()
                await other.memory.Retrieve(_request(probe, recipe), timeout=DEADLINE_S)
                asked.seconds.append(time.perf_counter() - began)

    task = asyncio.create_task(asking())
    selector = memory_service_pb2.MessageSelector(speakers=[speaker])
    began = time.perf_counter()
    await connection.memory.DeleteMemories(
        memory_service_pb2.DeleteMemoriesRequest(namespace=probes[0].namespace, messages=selector), timeout=DEADLINE_S
    )
    asked.elapsed = time.perf_counter() - began
    done.set()
    await task
    return Deletion(asked.elapsed, asked)


async def _client(address: str, waiting: Iterator[memory_service_pb2.RetrieveRequest], asked: Latencies, step: Step) -> None:
    async with Connection(address) as connection:
        for request in waiting:
            began = time.perf_counter()
            await connection.memory.Retrieve(request, timeout=DEADLINE_S)
            asked.seconds.append(time.perf_counter() - began)
            step.advance()


def _request(probe: Probe, recipe: str) -> memory_service_pb2.RetrieveRequest:
    query = retrieval_pb2.RetrievalQuery(namespaces=[probe.namespace], text=probe.query, k=K, recipe=recipe, embedding=_vector(probe))
    return memory_service_pb2.RetrieveRequest(query=query)


def _vector(probe: Probe) -> vector_pb2.Vector:
    return vector_pb2.Vector(values=probe.vector.tolist())
