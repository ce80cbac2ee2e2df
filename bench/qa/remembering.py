"""Has the service remember conversations, each once, and forgets them when nobody asks about them any more."""

import asyncio
import time
from typing import Any

import grpc
from structmem.v1 import inspection_service_pb2, memory_service_pb2, namespace_pb2, namespace_service_pb2, summary_service_pb2

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

    def __init__(self, connection: Connection, ingests: Journal, consolidations: Journal) -> None:
        """The journals get a line for each conversation that was taken in, and summarized: how long that took, and what models took.

        A line that says `went_on` has the seconds of what an earlier run had left, and all that models took.
        """
        self._connection = connection
        self._ingests = ingests
        self._consolidations = consolidations
        # One conversation at a time: then the seconds are those of one.
        self._turn = asyncio.Lock()
        self._there: set[str] = set()
        self._summarized: set[str] = set()
        # Of these an earlier run had nothing.
        self._new: set[str] = set()

    async def remember(self, conversation: Conversation, mode: "namespace_pb2.ExtractionMode.ValueType") -> str:
        """Returns the name of the namespace when everything in it is extracted and embedded."""
        namespace = memory_of(conversation, mode)
        async with self._turn:
            if namespace not in self._there:
                began = time.perf_counter()
                await self._create(namespace, mode)
                await self._append(namespace, conversation)
                await self._note(self._ingests, conversation, mode, time.perf_counter() - began)
                self._there.add(namespace)
        return namespace

    async def consolidate(self, conversation: Conversation, mode: "namespace_pb2.ExtractionMode.ValueType") -> None:
        """Returns when all that is remembered of the conversation in this mode stands in summaries."""
        namespace = memory_of(conversation, mode)
        async with self._turn:
            if namespace not in self._summarized:
                began = time.perf_counter()
                request = summary_service_pb2.ConsolidateSummariesRequest(namespace=namespace)
                queued = await self._connection.summaries.ConsolidateSummaries(request, timeout=DEADLINE_S)
                await self._connection.wait_for_job(namespace, queued.job.id)
                await self._note(self._consolidations, conversation, mode, time.perf_counter() - began)
                self._summarized.add(namespace)

    async def forget(self, conversation: Conversation) -> None:
        """Deletes what is held of a conversation, in whatever mode."""
        held = [name for name in memories_of(conversation) if name in self._there]
        await self._connection.delete_namespaces(held)
        self._there.difference_update(held)
        self._summarized.difference_update(held)

    async def _create(self, namespace: str, mode: "namespace_pb2.ExtractionMode.ValueType") -> None:
        request = namespace_service_pb2.CreateNamespaceRequest(namespace=namespace, extraction_mode=mode)
        try:
            await self._connection.namespaces.CreateNamespace(request, timeout=DEADLINE_S)
            self._new.add(namespace)
        except grpc.aio.AioRpcError as error:
            if error.code() != grpc.StatusCode.ALREADY_EXISTS:
                raise

    async def _append(self, namespace: str, conversation: Conversation) -> None:
        for session in conversation.sessions:
            for batch in batches(session.messages, BULK):
                messages = map(message_input, batch)
                request = memory_service_pb2.AppendMessagesRequest(namespace=namespace, session=session.id, messages=messages)
                await self._connection.memory.AppendMessages(request, timeout=DEADLINE_S)
        await self._connection.flush_and_wait(namespace)

    async def _note(
        self, journal: Journal, conversation: Conversation, mode: "namespace_pb2.ExtractionMode.ValueType", seconds: float
    ) -> None:
        """Writes what came of it, unless that was written by a run that had done all of it."""
        namespace = memory_of(conversation, mode)
        if namespace not in self._new and journal.get(mode_name(mode), conversation.id) is not None:
            return
        journal.write(
            {
                "mode": mode_name(mode),
                "conversation": conversation.id,
                "messages": len(conversation.messages),
                "seconds": round(seconds, 3),
                "went_on": namespace not in self._new,
                "usage": await self._usage(namespace),
            }
        )

    async def _usage(self, namespace: str) -> list[dict[str, Any]]:
        """What models took for a namespace up to now, by step."""
        request = inspection_service_pb2.GetUsageRequest(namespace=namespace)
        return [
            {
                "step": entry.step,
                "model": entry.model,
                "calls": entry.calls,
                "prompt_tokens": entry.prompt_tokens,
                "completion_tokens": entry.completion_tokens,
                "errors": entry.errors,
            }
            for entry in (await self._connection.inspection.GetUsage(request, timeout=DEADLINE_S)).entries
        ]
