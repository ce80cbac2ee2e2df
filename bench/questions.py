"""Asks the questions of a data set, one client, one at a time, and judges the answers."""

import time
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from structmem.v1 import memory_service_pb2, retrieval_pb2

from bench.connection import DEADLINE_S, Connection
from bench.counting import Judgement, judge, ranking_of, with_context
from bench.dataset import Conversation, Dataset, Question
from bench.ingest import Ingested, namespace_of
from bench.report import Report

# Enough for 60 distinct messages where facts stand for messages that are in the answer already.
HITS = 180


@dataclass(frozen=True, slots=True)
class Answers:
    """The judged answers of one way to retrieve, and how long each took in seconds."""

    judgements: list[Judgement]
    seconds: list[float]


async def ask(connection: Connection, dataset: Dataset, ingested: Ingested, recipe: str, report: Report, context: int = 0) -> Answers:
    """Asks every question that counts, with one recipe; for a context of so many tokens, too, where that is not 0."""
    answers = Answers([], [])
    asked = [(conversation, question) for conversation in dataset.conversations for question in conversation.questions if question.counted]
    with report.step(f"asking, {recipe}", len(asked)) as step:
        for conversation, question in asked:
            request = memory_service_pb2.RetrieveRequest(query=_query(conversation, question, recipe))
            # What a user waits for is the default answer of 10 hits; it comes first, so that nothing of it is warm.
            began = time.perf_counter()
            await connection.memory.Retrieve(request, timeout=DEADLINE_S)
            answers.seconds.append(time.perf_counter() - began)
            request.query.k = HITS
            response = await connection.memory.Retrieve(request, timeout=DEADLINE_S)
            seen = conversation.seen_by(question)
            message_ids = {theirs: id_ for theirs, id_ in ingested.message_ids[conversation.id].items() if id_ in seen}
            ranking = ranking_of([message_ids[id_] for id_ in message_ids_of(hit) if id_ in message_ids] for hit in response.hits)
            judged = judge(question.category, ranking, question.evidence)
            if context:
                told = memory_service_pb2.BuildContextRequest(query=request.query, token_budget=context)
                told.query.k = 0
                entries = (await connection.memory.BuildContext(told, timeout=DEADLINE_S)).entries
                inside = {message_ids[id_] for entry in entries for id_ in entry.evidence_ids if id_ in message_ids}
                judged = with_context(judged, context, inside, question.evidence)
            answers.judgements.append(judged)
            step.advance()
    return answers


def message_ids_of(hit: retrieval_pb2.Hit) -> list[str]:
    """The ids of the messages that a hit counts as: itself, or what evidences it."""
    if hit.memory.WhichOneof("kind") == "message":
        return [hit.memory.message.id]
    return list(hit.memory.statement.evidence_ids)


def _query(conversation: Conversation, question: Question, recipe: str) -> retrieval_pb2.RetrievalQuery:
    """What says nothing else is asked when the chat is over: "last week" in it means the chat's last week."""
    asked_at = Timestamp()
    asked_at.FromDatetime(question.asked_at or max(message.sent_at for message in conversation.messages))
    return retrieval_pb2.RetrievalQuery(
        namespaces=[namespace_of(conversation)],
        text=question.text,
        recipe=recipe,
        asked_at=asked_at,
        as_asked=question.asked_at is not None,
        session=question.session,
    )
