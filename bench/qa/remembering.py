"""Has the service remember conversations, each once, and forgets them when nobody asks about them any more."""

import asyncio
import time
from typing import Any

import grpc
from structmem.v1 import inspection_service_pb2, memory_service_pb2, namespace_pb2, namespace_service_pb2

from bench.connection import DEADLINE_S, Connection
from bench.dataset import Conversation
from bench.ingest import BULK, batches, message_input, namespace_of
from bench.qa.journal import Journal


def mode_name(mode: "namespace_pb2.ExtractionMode.ValueType") -> str:
    """What a mode is called in files: "event" or "flat"."""
    return namespace_pb2.ExtractionMode.Name(mode).removeprefix("EXTRACTION_MODE_").lower()


def memory_of(conversation: Conversation, mode: "namespace_pb2.ExtractionMode.ValueType") -> str:
    """The namespace that holds a conversation in a mode."""
    return f"bench/qa-{mode_name(mode)}/{namespace_of(conversation).removeprefix('bench/')}"


def memories_of(conversation: Conversation) -> tuple[str, ...]:
    """The namespaces that may hold a conversation."""
    return tuple(memory_of(conversation, mode) for mode in (namespace_pb2.EXTRACTION_MODE_EVENT, namespace_pb2.EXTRACTION_MODE_FLAT))


class Memories:
    """The conversations that a service holds.

    Messages are appended by their ids, so that a run that goes on after it broke off stores and extracts nothing twice.
    """

    def __init__(self, connection: Connection, journal: Journal) -> None:
        """`journal` gets a line for each conversation that was taken in: how long that took, and what models took.

        A line that says `went_on` has the seconds of what an earlier run had left, and all that models took.
        """
        self._connection = connection
        self._journal = journal
        # One conversation at a time: then the seconds are those of one.
        self._turn = asyncio.Lock()
        self._there: set[str] = set()

    async def remember(self, conversation: Conversation, mode: "namespace_pb2.ExtractionMode.ValueType") -> str:
        """Returns the name of the namespace when everything in it is extracted and embedded."""
        namespace = memory_of(conversation, mode)
        async with self._turn:
            if namespace not in self._there:
                began = time.perf_counter()
                is_new = await self._create(namespace, mode)
                await self._append(namespace, conversation)
                # What a run before this one took in whole is told of already.
                if is_new or self._journal.get(mode_name(mode), conversation.id) is None:
                    taken = await self._taken(namespace, conversation, mode, time.perf_counter() - began)
                    self._journal.write(taken | {"went_on": not is_new})
                self._there.add(namespace)
        return namespace

    async def forget(self, conversation: Conversation) -> None:
        """Deletes what is held of a conversation, in whatever mode."""
        held = [name for name in memories_of(conversation) if name in self._there]
        await self._connection.delete_namespaces(held)
        self._there.difference_update(held)

    async def _create(self, namespace: str, mode: "namespace_pb2.ExtractionMode.ValueType") -> bool:
        """Whether it was not there before."""
        request = namespace_service_pb2.CreateNamespaceRequest(namespace=namespace, extraction_mode=mode)
        try:
            await self._connection.namespaces.CreateNamespace(request, timeout=DEADLINE_S)
        except grpc.aio.AioRpcError as error:
            if error.code() != grpc.StatusCode.ALREADY_EXISTS:
                raise
            return False
        return True

    async def _append(self, namespace: str, conversation: Conversation) -> None:
        for session in conversation.sessions:
            for batch in batches(session.messages, BULK):
                messages = map(message_input, batch)
                request = memory_service_pb2.AppendMessagesRequest(namespace=namespace, session=session.id, messages=messages)
                await self._connection.memory.AppendMessages(request, timeout=DEADLINE_S)
        await self._connection.flush_and_wait(namespace)

    async def _taken(
        self, namespace: str, conversation: Conversation, mode: "namespace_pb2.ExtractionMode.ValueType", seconds: float
    ) -> dict[str, Any]:
        request = inspection_service_pb2.GetUsageRequest(namespace=namespace)
        usage = (await self._connection.inspection.GetUsage(request, timeout=DEADLINE_S)).entries
        return {
            "mode": mode_name(mode),
            "conversation": conversation.id,
            "messages": len(conversation.messages),
            "seconds": round(seconds, 3),
            "usage": [
                {
                    "step": entry.step,
                    "model": entry.model,
                    "calls": entry.calls,
                    "prompt_tokens": entry.prompt_tokens,
                    "completion_tokens": entry.completion_tokens,
                    "errors": entry.errors,
                }
                for entry in usage
            ],
        }
