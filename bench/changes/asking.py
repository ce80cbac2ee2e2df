"""Asks the questions about what changes, by the default recipe, when the chat is over."""

from collections.abc import Mapping
from datetime import datetime

from google.protobuf.timestamp_pb2 import Timestamp
from structmem.v1 import memory_service_pb2, retrieval_pb2

from bench.changes.counting import Verdict, judge
from bench.changes.questions import ChangeQuestion
from bench.connection import DEADLINE_S, Connection
from bench.counting import ranking_of
from bench.dataset import Conversation, Dataset
from bench.ingest import Ingested, namespace_of
from bench.questions import HITS, message_ids_of
from bench.report import Report

# How a question of a date is asked; reported with its figures.
AS_OF_BY = "as_of, both axes"


async def ask(
    connection: Connection, dataset: Dataset, questions: Mapping[str, tuple[ChangeQuestion, ...]], ingested: Ingested, report: Report
) -> list[Verdict]:
    """The judged answers to all questions, in their order."""
    verdicts: list[Verdict] = []
    with report.step("asking", sum(map(len, questions.values()))) as step:
        for conversation in dataset.conversations:
            message_ids = ingested.message_ids[conversation.id]
            for question in questions[conversation.id]:
                request = memory_service_pb2.RetrieveRequest(query=_query(conversation, question))
                response = await connection.memory.Retrieve(request, timeout=DEADLINE_S)
                ranking = ranking_of([message_ids[id_] for id_ in message_ids_of(hit) if id_ in message_ids] for hit in response.hits)
                verdicts.append(judge(question, ranking))
                step.advance()
    return verdicts


def _query(conversation: Conversation, question: ChangeQuestion) -> retrieval_pb2.RetrievalQuery:
    over = max(message.sent_at for message in conversation.messages)
    query = retrieval_pb2.RetrievalQuery(
        namespaces=[namespace_of(conversation)], text=question.text, k=HITS, asked_at=_timestamp(question.as_of or over)
    )
    if question.as_of is not None:
        _look_back(query, question.as_of)
    return query


def _look_back(query: retrieval_pb2.RetrievalQuery, moment: datetime) -> None:
    """Asks what held at a moment, as it was known then."""
    query.as_of.valid.CopyFrom(_timestamp(moment))
    query.as_of.known.CopyFrom(_timestamp(moment))


def _timestamp(moment: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(moment)
    return stamp
