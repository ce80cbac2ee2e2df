"""Asks the questions of a data set, one client, one at a time, and judges the answers."""

import time
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from structmem.v1 import memory_service_pb2, retrieval_pb2

from bench.connection import DEADLINE_S, Connection
from bench.counting import Judgement, judge, ranking_of
from bench.dataset import Conversation, Dataset
from bench.ingest import Ingested, namespace_of
from bench.report import Report

# Enough for 60 distinct messages where facts stand for messages that are in the answer already.
HITS = 180


@dataclass(frozen=True, slots=True)
class Answers:
    """The judged answers of one way to retrieve, and how long each took in seconds."""

    judgements: list[Judgement]
    seconds: list[float]


async def ask(connection: Connection, dataset: Dataset, ingested: Ingested, recipe: str, report: Report) -> Answers:
    """Asks every question that counts, with one recipe."""
    answers = Answers([], [])
    asked = [(conversation, question) for conversation in dataset.conversations for question in conversation.questions if question.counted]
    with report.step(f"asking, {recipe}", len(asked)) as step:
        for conversation, question in asked:
            query = retrieval_pb2.RetrievalQuery(
                namespaces=[namespace_of(conversation)], text=question.text, recipe=recipe, asked_at=_end_of(conversation)
            )
            request = memory_service_pb2.RetrieveRequest(query=query)
            # What a user waits for is the default answer of 10 hits; it comes first, so that nothing of it is warm.
            began = time.perf_counter()
            await connection.memory.Retrieve(request, timeout=DEADLINE_S)
            answers.seconds.append(time.perf_counter() - began)
            request.query.k = HITS
            response = await connection.memory.Retrieve(request, timeout=DEADLINE_S)
            message_ids = ingested.message_ids[conversation.id]
            ranking = ranking_of([message_ids[id_] for id_ in message_ids_of(hit) if id_ in message_ids] for hit in response.hits)
            answers.judgements.append(judge(question.category, ranking, question.evidence))
            step.advance()
    return answers


def message_ids_of(hit: retrieval_pb2.Hit) -> list[str]:
    """The ids of the messages that a hit counts as: itself, or what evidences it."""
    if hit.memory.WhichOneof("kind") == "message":
        return [hit.memory.message.id]
    return list(hit.memory.statement.evidence_ids)


def _end_of(conversation: Conversation) -> Timestamp:
    """The questions are asked when the chat is over: "last week" in one means the chat's last week."""
    end = Timestamp()
    end.FromDatetime(max(message.sent_at for message in conversation.messages))
    return end
