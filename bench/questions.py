"""Asks the questions of a data set, one client, one at a time, and judges the answers."""

import time
from dataclasses import dataclass

from google.protobuf.timestamp_pb2 import Timestamp
from structmem.v1 import memory_service_pb2, retrieval_pb2

from bench.connection import DEADLINE_S, Connection
from bench.counting import Judgement, judge, ranking_of, with_answer, with_context
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


@dataclass(frozen=True, slots=True)
class ContextAsked:
    """The context that is asked for with every question: none where it has no tokens."""

    tokens: int = 0
    summaries: int = 0
    profile: bool = False


async def ask(
    connection: Connection, dataset: Dataset, ingested: Ingested, recipe: str, report: Report, context: ContextAsked = ContextAsked()
) -> Answers:
    """Asks every question that counts, with one recipe; for a context, too, if one is wanted."""
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
            if context.tokens:
                wanted = memory_service_pb2.BuildContextRequest(query=request.query, token_budget=context.tokens, profile=context.profile)
                wanted.query.k, wanted.query.summaries = 0, context.summaries
                told = await connection.memory.BuildContext(wanted, timeout=DEADLINE_S)
                inside = {message_ids[id_] for entry in told.entries for id_ in entry.evidence_ids if id_ in message_ids}
                judged = with_context(judged, context.tokens, inside, question.evidence)
                judged = with_answer(judged, context.tokens, told.text, question.answer)
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
