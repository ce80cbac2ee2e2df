"""StructMem's contexts: facts alone, events with facts and relations, and all that the service has."""

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


@dataclass(frozen=True, slots=True)
class ServiceSystem:
    """One way to use the service. `mode`: how much is extracted. `kinds`: what a context may hold; empty for all that Retrieve returns."""

    mode: "namespace_pb2.ExtractionMode.ValueType"
    kinds: tuple["node_pb2.NodeKind.ValueType", ...] = ()


SERVICE_SYSTEMS: Mapping[str, ServiceSystem] = {
    "flat": ServiceSystem(namespace_pb2.EXTRACTION_MODE_FLAT, (node_pb2.NODE_KIND_FACT,)),
    "event": ServiceSystem(namespace_pb2.EXTRACTION_MODE_EVENT, (node_pb2.NODE_KIND_FACT, node_pb2.NODE_KIND_RELATION)),
    "structmem": ServiceSystem(namespace_pb2.EXTRACTION_MODE_EVENT),
}


class ServiceContexts:
    """One of `SERVICE_SYSTEMS`, by its name."""

    def __init__(self, name: str, protocol: Protocol, connection: Connection, memories: Memories, most: int, turn: asyncio.Lock) -> None:
        """`most`: how many memories a context holds at most. `turn`: taken while the service is asked, by all its systems alike."""
        self._system = SERVICE_SYSTEMS[name]
        self._protocol = protocol
        self._connection = connection
        self._memories = memories
        self._most = most
        self._turn = turn

    async def prepare(self, conversation: Conversation) -> "_Remembered":
        """Has the conversation remembered in the system's mode."""
        namespace = await self._memories.remember(conversation, self._system.mode)
        return _Remembered(self, conversation, namespace)

    async def context(self, conversation: Conversation, namespace: str, question: Question) -> Context:
        """What BuildContext tells for a question."""
        request = memory_service_pb2.BuildContextRequest(query=self._query(conversation, namespace, question), token_budget=MOST_TOKENS)
        async with self._turn:
            began = time.perf_counter()
            built = await self._connection.memory.BuildContext(request, timeout=DEADLINE_S)
            return Context(built.text, len(built.entries), time.perf_counter() - began)

    def _query(self, conversation: Conversation, namespace: str, question: Question) -> retrieval_pb2.RetrievalQuery:
        asked_at = Timestamp()
        asked_at.FromDatetime(question.asked_at or max(message.sent_at for message in conversation.messages))
        query = retrieval_pb2.RetrievalQuery(
            namespaces=[namespace],
            text=question.text,
            k=self._most,
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
