"""StructMem's contexts: facts alone, facts and relations of events, these with summaries, and all that the service has."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from structmem.v1 import memory_service_pb2, namespace_pb2, node_pb2, retrieval_pb2

from bench.connection import DEADLINE_S, Connection
from bench.dataset import Conversation, Question
from bench.qa.contexts.port import Context
from bench.qa.protocol import Protocol
from bench.qa.remembering import Memories

# What BuildContext takes; the number of memories is what limits the text.
MOST_TOKENS = 100_000
_STATEMENTS = (node_pb2.NODE_KIND_FACT, node_pb2.NODE_KIND_RELATION)


@dataclass(frozen=True, slots=True)
class ServiceSystem:
    """One way to use the service.

    Attributes:
        mode: how much is extracted.
        kinds: of which kinds the memories of a context may be; empty for all.
        summarized: whether summaries are made and given, too.
    """

    mode: "namespace_pb2.ExtractionMode.ValueType"
    kinds: tuple["node_pb2.NodeKind.ValueType", ...] = ()
    summarized: bool = False


SERVICE_SYSTEMS: Mapping[str, ServiceSystem] = {
    "flat": ServiceSystem(namespace_pb2.EXTRACTION_MODE_FLAT, (node_pb2.NODE_KIND_FACT,)),
    "event": ServiceSystem(namespace_pb2.EXTRACTION_MODE_EVENT, _STATEMENTS),
    "event-summaries": ServiceSystem(namespace_pb2.EXTRACTION_MODE_EVENT, _STATEMENTS, summarized=True),
    "structmem": ServiceSystem(namespace_pb2.EXTRACTION_MODE_EVENT, summarized=True),
}


@dataclass(frozen=True, slots=True)
class ContextSize:
    """How many memories and how many summaries a context holds at most."""

    memories: int
    summaries: int


class ServiceContexts:
    """One of `SERVICE_SYSTEMS`, by its name."""

    def __init__(
        self, name: str, protocol: Protocol, connection: Connection, memories: Memories, size: ContextSize, turn: asyncio.Lock
    ) -> None:
        """`turn`: taken while the service is asked, by all its systems alike."""
        self._system = SERVICE_SYSTEMS[name]
        self._protocol = protocol
        self._connection = connection
        self._memories = memories
        self._size = size
        self._turn = turn

    async def prepare(self, conversation: Conversation) -> "_Remembered":
        """Has the conversation remembered in the system's mode, and summarized where its contexts hold summaries."""
        namespace = await self._memories.remember(conversation, self._system.mode)
        if self._summaries:
            await self._memories.consolidate(conversation, self._system.mode)
        return _Remembered(self, conversation, namespace)

    async def context(self, conversation: Conversation, namespace: str, question: Question) -> Context:
        """What BuildContext tells for a question."""
        request = memory_service_pb2.BuildContextRequest(query=self._query(conversation, namespace, question), token_budget=MOST_TOKENS)
        async with self._turn:
            began = time.perf_counter()
            built = await self._connection.memory.BuildContext(request, timeout=DEADLINE_S)
            seconds = time.perf_counter() - began
        summaries = sum(entry.kind == node_pb2.NODE_KIND_SUMMARY for entry in built.entries)
        return Context(built.text, len(built.entries) - summaries, seconds, summaries)

    @property
    def _summaries(self) -> int:
        return self._size.summaries if self._system.summarized else 0

    def _query(self, conversation: Conversation, namespace: str, question: Question) -> retrieval_pb2.RetrievalQuery:
        asked_at = Timestamp()
        asked_at.FromDatetime(question.asked_at or max(message.sent_at for message in conversation.messages))
        query = retrieval_pb2.RetrievalQuery(
            namespaces=[namespace],
            text=question.text,
            k=self._size.memories,
            summaries=self._summaries,
            asked_at=asked_at,
            as_asked=question.asked_at is not None and not self._protocol.whole_history,
            session=question.session,
        )
        query.filter.kinds.extend(self._system.kinds)
        return query


@dataclass(frozen=True, slots=True)
class _Remembered:
    system: ServiceContexts
    conversation: Conversation
    namespace: str

    async def context(self, question: Question) -> Context:
        return await self.system.context(self.conversation, self.namespace, question)
