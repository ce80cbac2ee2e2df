"""Answers of retrieval, to the contract."""

from structmem.v1 import memory_service_pb2, node_pb2, retrieval_pb2

from graph.retrieval import (
    Context,
    ContextEntry,
    Contribution,
    Degradation,
    Explanation,
    Hit,
    OmittedHit,
    PathStep,
    QueryPlan,
    RetrievalAnswer,
    SummaryHit,
    TraversedEvent,
)
from service.answer_size import Room
from service.convert.nodes import event_to_proto, node_to_proto, summary_to_proto
from service.convert.times import span_to_proto, timestamp


def answer_to_proto(answer: RetrievalAnswer, room: Room) -> memory_service_pb2.RetrieveResponse:
    """The hits of a query that there is room for, the ids of the others, and how it was understood."""
    plan = plan_to_proto(answer.plan)
    room.takes(plan)
    # Any of them may have to be named instead.
    room.reserve(memory_service_pb2.OmittedHit(rank=hit.rank, namespace=hit.namespace, node_id=hit.id) for hit in answer.omitted)
    room.reserve(memory_service_pb2.OmittedHit(rank=hit.rank, namespace=hit.namespace, node_id=hit.node.id) for hit in answer.hits)
    summaries, _ = room.fill(map(_summary_hit, answer.summaries))
    hits, omitted = [], list(answer.omitted)
    for hit in answer.hits:
        shown = hit_to_proto(hit)
        if room.takes(shown):
            hits.append(shown)
        else:
            omitted.append(OmittedHit(hit.rank, hit.namespace, hit.node.id))
    return memory_service_pb2.RetrieveResponse(
        hits=hits,
        plan=plan,
        nothing_relevant=answer.nothing_relevant,
        best_relevance=answer.best_relevance,
        omitted=[
            memory_service_pb2.OmittedHit(rank=one.rank, namespace=one.namespace, node_id=one.id)
            for one in sorted(omitted, key=lambda one: one.rank)
        ],
        summaries=summaries,
    )


def hit_to_proto(hit: Hit) -> retrieval_pb2.Hit:
    """A hit, with its explanation when it was asked for."""
    return retrieval_pb2.Hit(
        rank=hit.rank,
        namespace=hit.namespace,
        memory=node_to_proto(hit.node),
        score=hit.score,
        explanation=explanation_to_proto(hit.explanation) if hit.explanation else None,
        relevance=hit.relevance,
    )


def _summary_hit(hit: SummaryHit) -> memory_service_pb2.SummaryHit:
    return memory_service_pb2.SummaryHit(
        rank=hit.rank,
        namespace=hit.namespace,
        summary=summary_to_proto(hit.summary),
        score=hit.score,
        contributions=map(_contribution, hit.contributions),
    )


def explanation_to_proto(explanation: Explanation) -> retrieval_pb2.Explanation:
    """Why a hit is where it is."""
    return retrieval_pb2.Explanation(
        contributions=map(_contribution, explanation.contributions),
        channels=[retrieval_pb2.ChannelRank(channel=c.channel, rank=c.rank, score=c.score) for c in explanation.channels],
        path=[_step(step) for step in explanation.path],
        evidence_ids=explanation.evidence_ids,
    )


def _contribution(part: Contribution) -> retrieval_pb2.Contribution:
    return retrieval_pb2.Contribution(
        signal=part.signal, raw=part.raw, value=part.value, weight=part.weight, points=part.points, from_id=part.from_id
    )


def _step(step: PathStep) -> retrieval_pb2.PathStep:
    return retrieval_pb2.PathStep(edge=node_pb2.EdgeKind.ValueType(step.edge), node_id=step.node_id)


def plan_to_proto(plan: QueryPlan) -> retrieval_pb2.QueryPlan:
    """How a query was understood."""
    return retrieval_pb2.QueryPlan(
        recipe=plan.recipe,
        terms=plan.terms,
        dense_text=plan.dense_text,
        speakers=plan.speakers,
        entities=plan.entities,
        times=[span for span in map(span_to_proto, plan.times) if span is not None],
        asks_when=plan.asks_when,
        degraded=[_degradation(it) for it in plan.degraded],
    )


def _degradation(it: Degradation) -> retrieval_pb2.Degradation:
    return retrieval_pb2.Degradation(
        reason=retrieval_pb2.DegradationReason.ValueType(it.reason), message=it.message, namespace=it.namespace
    )


def context_to_proto(context: Context) -> memory_service_pb2.BuildContextResponse:
    """Memories as a text for a prompt."""
    return memory_service_pb2.BuildContextResponse(
        text=context.text,
        token_count=context.token_count,
        entries=[_entry(entry) for entry in context.entries],
        plan=plan_to_proto(context.plan),
        nothing_relevant=context.nothing_relevant,
        best_relevance=context.best_relevance,
        stable_bytes=context.stable_bytes,
    )


def _entry(entry: ContextEntry) -> memory_service_pb2.ContextEntry:
    return memory_service_pb2.ContextEntry(
        namespace=entry.namespace,
        node_id=entry.node_id,
        kind=node_pb2.NodeKind.ValueType(entry.kind),
        text=entry.text,
        said_at=timestamp(entry.said_at),
        speaker=entry.speaker,
        evidence_ids=entry.evidence_ids,
        rank=entry.rank,
        relevance=entry.relevance,
    )


def traversed_to_proto(reached: TraversedEvent) -> memory_service_pb2.TraversedEvent:
    """An event that a walk reached."""
    return memory_service_pb2.TraversedEvent(
        event=event_to_proto(reached.event), hops=reached.hops, path=[_step(step) for step in reached.path]
    )
