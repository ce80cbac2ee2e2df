"""Answers of a language model, to the contract."""

from structmem.v1 import answer_service_pb2, node_pb2

from extract.llm.answering import Answer
from extract.llm.citations import Citation, RejectedCitation
from graph.retrieval import Context
from service.convert.inspection import usage_to_proto
from service.convert.retrieval import plan_to_proto
from service.convert.times import timestamp


def answer_to_proto(answer: Answer, context: Context) -> answer_service_pb2.Answer:
    """An answer, and how the query for its context was understood."""
    return answer_service_pb2.Answer(
        text=answer.text,
        citations=map(_citation, answer.citations),
        rejected_citations=map(_rejected, answer.rejected),
        grounded=bool(answer.citations),
        not_in_memory=answer.not_in_memory,
        ending=answer_service_pb2.AnswerEnding.ValueType(answer.ending.value),
        usage=usage_to_proto(answer.usage) if answer.usage else None,
        plan=plan_to_proto(context.plan),
        memory_count=len(context.entries),
    )


def _citation(citation: Citation) -> answer_service_pb2.Citation:
    memory = citation.memory
    return answer_service_pb2.Citation(
        number=citation.number,
        namespace=memory.namespace,
        node_id=memory.node_id,
        kind=node_pb2.NodeKind.ValueType(memory.kind),
        text=memory.text,
        said_at=timestamp(memory.said_at),
        speaker=memory.speaker,
        evidence_ids=memory.evidence_ids,
        quotes=citation.quotes,
    )


def _rejected(citation: RejectedCitation) -> answer_service_pb2.RejectedCitation:
    return answer_service_pb2.RejectedCitation(
        reason=answer_service_pb2.RejectionReason.ValueType(citation.reason.value),
        quote=citation.quote,
        node_id=citation.memory.node_id if citation.memory else "",
    )
