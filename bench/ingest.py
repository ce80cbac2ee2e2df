"""Puts the conversations of a data set into a server, over gRPC, and measures what that takes.

The first half of the sessions goes in at once, as an import would, so that the pipeline has all the work it can do; the other half
turn by turn, as a chat would. The time to acknowledge is that of the latter, while the pipeline works behind them.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from google.protobuf.timestamp_pb2 import Timestamp
from structmem.v1 import inspection_service_pb2, memory_service_pb2, node_pb2, summary_service_pb2

from bench.connection import DEADLINE_S, Connection
from bench.dataset import ChatMessage, ChatSession, Conversation, Dataset
from bench.report import Report, Step

BULK = 200


@dataclass
class Ingested:
    """What went in, and how fast.

    Attributes:
        message_ids: by conversation, the data set's id of each message by the id that the server gave it.
        ack_seconds: how long each turn of the chat waited for its acknowledgement.
        seconds: from the first append until every message was extracted.
        texts_embedded: how many texts the server embedded in that time.
    """

    message_ids: dict[str, dict[str, str]] = field(default_factory=dict)
    ack_seconds: list[float] = field(default_factory=list)
    seconds: float = 0.0
    texts_embedded: int = 0

    @property
    def messages(self) -> int:
        """How many messages went in."""
        return sum(map(len, self.message_ids.values()))


def namespace_of(conversation: Conversation) -> str:
    """The namespace that holds a conversation; ids of data sets may hold characters that a namespace's name may not."""
    return "bench/" + "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in conversation.id)


async def ingest(connection: Connection, dataset: Dataset, report: Report) -> Ingested:
    """Appends every message and returns when all of them are extracted and embedded."""
    sessions = [(conversation, session) for conversation in dataset.conversations for session in conversation.sessions if session.messages]
    half = len(sessions) // 2
    outcome = Ingested(message_ids={conversation.id: {} for conversation in dataset.conversations})
    jobs: list[tuple[str, str]] = []
    began = time.perf_counter()
    with report.step("appending", sum(len(session.messages) for _, session in sessions)) as step:
        for index, (conversation, session) in enumerate(sessions):
            size = BULK if index < half else 1
            await _append(connection, conversation, session, size, outcome, step)
            jobs.extend(await _flush(connection, conversation, session))
    with report.step("extracting", len(jobs)) as step:
        for namespace, job_id in jobs:
            await connection.wait_for_job(namespace, job_id)
            step.advance()
    outcome.seconds = time.perf_counter() - began
    outcome.texts_embedded = sum(entry.items for entry in await usage(connection, dataset) if entry.step == "embed")
    return outcome


async def consolidate(connection: Connection, dataset: Dataset, report: Report) -> None:
    """Has summaries written of all that was extracted, and returns when they are."""
    with report.step("summarizing", len(dataset.conversations)) as step:
        for conversation in dataset.conversations:
            namespace = namespace_of(conversation)
            request = summary_service_pb2.ConsolidateSummariesRequest(namespace=namespace)
            job = (await connection.summaries.ConsolidateSummaries(request, timeout=DEADLINE_S)).job
            await connection.wait_for_job(namespace, job.id)
            step.advance()


async def usage(connection: Connection, dataset: Dataset) -> list[inspection_service_pb2.UsageEntry]:
    """What models were called for, over all conversations."""
    entries: list[inspection_service_pb2.UsageEntry] = []
    for conversation in dataset.conversations:
        request = inspection_service_pb2.GetUsageRequest(namespace=namespace_of(conversation))
        entries.extend((await connection.inspection.GetUsage(request, timeout=DEADLINE_S)).entries)
    return entries


async def _append(
    connection: Connection, conversation: Conversation, session: ChatSession, size: int, outcome: Ingested, step: Step
) -> None:
    ids = outcome.message_ids[conversation.id]
    for batch in batches(session.messages, size):
        request = memory_service_pb2.AppendMessagesRequest(
            namespace=namespace_of(conversation), session=session.id, messages=map(message_input, batch), create_namespace=True
        )
        began = time.perf_counter()
        answer = await connection.memory.AppendMessages(request, timeout=DEADLINE_S)
        if size == 1:
            outcome.ack_seconds.append(time.perf_counter() - began)
        ids.update((appended.id, message.id) for appended, message in zip(answer.messages, batch, strict=True))
        step.advance(len(batch))


async def _flush(connection: Connection, conversation: Conversation, session: ChatSession) -> list[tuple[str, str]]:
    namespace = namespace_of(conversation)
    request = memory_service_pb2.FlushSessionRequest(namespace=namespace, session=session.id)
    answer = await connection.memory.FlushSession(request, timeout=DEADLINE_S)
    return [(namespace, job_id) for job_id in answer.job_ids]


def batches(messages: Sequence[ChatMessage], size: int) -> Iterable[Sequence[ChatMessage]]:
    """The messages, so many at a time."""
    return (messages[start : start + size] for start in range(0, len(messages), size))


def message_input(message: ChatMessage) -> memory_service_pb2.MessageInput:
    """A message as AppendMessages takes it; its id in the data set is its client id."""
    sent_at = Timestamp()
    sent_at.FromDatetime(message.sent_at)
    return memory_service_pb2.MessageInput(
        client_id=message.id,
        speaker=message.speaker,
        role=node_pb2.Role.Value(f"ROLE_{message.role.upper()}"),
        text=message.text,
        sent_at=sent_at,
        image_caption=message.image_caption,
    )
