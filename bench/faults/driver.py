"""Plays the script of a fault run against a server, and asks again, with the same request id, whatever was not answered."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import grpc
from google.protobuf.timestamp_pb2 import Timestamp
from structmem.v1 import memory_service_pb2

from bench.connection import Connection
from bench.faults.workload import Append, DeleteSession, DeleteTurns, Flush, Operation, Turn
from bench.report import BenchError

ATTEMPT_S = 20.0
# A killed service takes a second to come back; a killed Neo4j half a minute and more on a machine that is busy.
PATIENCE_S = 240.0
PAUSE_S = 0.05
_AGAIN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNKNOWN}

T = TypeVar("T")


@dataclass
class Server:
    """The server as the driver sees it: a connection that is replaced when the server comes back."""

    connection: Connection

    async def call(self, call: Callable[[Connection], Awaitable[T]]) -> T:
        """Calls until there is an answer. Raises BenchError when there is none, grpc.aio.AioRpcError when the answer is an error."""
        patience, told = time.monotonic() + PATIENCE_S, "the connection was closed"
        while time.monotonic() < patience:
            try:
                return await call(self.connection)
            except grpc.aio.AioRpcError as error:
                if error.code() not in _AGAIN:
                    raise
                told = f"{error.code().name}: {error.details()}"
            except (asyncio.CancelledError, grpc.aio.UsageError):
                # The channel was closed under the call, because the server was killed; a cancelled benchmark must still end.
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
            await asyncio.sleep(PAUSE_S)
        raise BenchError(f"no answer within {PATIENCE_S:.0f} s; the last attempt: {told}")


@dataclass
class Chat:
    """Plays the operations of one namespace, and keeps what was acknowledged.

    Attributes:
        acknowledged: the turns that the server has taken, by client id, with their session; without those deleted since.
        ids: the server's ids of the turns, by client id.
    """

    namespace: str
    server: Server
    acknowledged: dict[str, tuple[str, Turn]] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)

    async def play(self, operations: Iterable[Operation]) -> None:
        """Plays operations one after the other."""
        for operation in operations:
            match operation:
                case Append():
                    await self._append(operation)
                case Flush():
                    await self._flush(operation)
                case DeleteTurns():
                    await self._delete_turns(operation)
                case DeleteSession():
                    await self._delete_session(operation)

    async def finish(self) -> None:
        """Returns when everything is extracted."""
        await self._flush(Flush("", wait=True))

    async def _append(self, append: Append) -> None:
        request = memory_service_pb2.AppendMessagesRequest(
            namespace=self.namespace,
            session=append.session,
            messages=map(_input, append.turns),
            request_id=append.request_id,
            create_namespace=True,
        )
        answer = await self.server.call(lambda to: to.memory.AppendMessages(request, timeout=ATTEMPT_S))
        for turn, appended in zip(append.turns, answer.messages, strict=True):
            self.acknowledged[turn.client_id] = (append.session, turn)
            self.ids[turn.client_id] = appended.id

    async def _flush(self, flush: Flush) -> None:
        request = memory_service_pb2.FlushSessionRequest(namespace=self.namespace, session=flush.session)
        waits = True
        while waits:
            answer = await self.server.call(lambda to: to.memory.FlushSession(request, timeout=ATTEMPT_S))
            for job_id in answer.job_ids if flush.wait else ():
                await self.server.call(lambda to, job_id=job_id: to.wait_for_job(self.namespace, job_id))  # type: ignore[misc]
            # An answer names the first jobs only, and a job may have ended without all that it was for: only a flush that finds nothing
            # waiting says that everything is extracted.
            waits = flush.wait and bool(answer.job_ids)

    async def _delete_turns(self, deletion: DeleteTurns) -> None:
        request = memory_service_pb2.DeleteMemoriesRequest(
            namespace=self.namespace,
            memories=memory_service_pb2.MemoryIds(ids=[self.ids[client_id] for client_id in deletion.client_ids]),
            request_id=deletion.request_id,
        )
        await self.server.call(lambda to: to.memory.DeleteMemories(request, timeout=ATTEMPT_S))
        for client_id in deletion.client_ids:
            del self.acknowledged[client_id]

    async def _delete_session(self, deletion: DeleteSession) -> None:
        request = memory_service_pb2.DeleteMemoriesRequest(
            namespace=self.namespace, session=deletion.session, request_id=deletion.request_id
        )
        await self.server.call(lambda to: to.memory.DeleteMemories(request, timeout=ATTEMPT_S))
        self.acknowledged = {id_: kept for id_, kept in self.acknowledged.items() if kept[0] != deletion.session}


def _input(turn: Turn) -> memory_service_pb2.MessageInput:
    sent_at = Timestamp()
    sent_at.FromDatetime(turn.sent_at)
    message = memory_service_pb2.MessageInput(client_id=turn.client_id, speaker=turn.speaker, text=turn.text, sent_at=sent_at)
    if turn.edited_at is not None:
        message.edited_at.FromDatetime(turn.edited_at)
    return message
