"""From messages of the contract to the client's data: answers of the calls."""

from collections.abc import Iterable

from structmem import _answers as a
from structmem import _decode as d
from structmem._inputs import EmbeddingSpec, EntityType, ExtractionProfile, RelationType, RetentionRule
from structmem._kinds import AnswerEnding, DegradationReason, EntityKind, ExtractionMode, JobKind, JobState, MissReason, RejectionReason
from structmem.v1 import answer_service_pb2 as apb
from structmem.v1 import inspection_service_pb2 as ipb
from structmem.v1 import job_pb2, namespace_pb2, node_pb2
from structmem.v1 import memory_service_pb2 as mpb
from structmem.v1 import retrieval_pb2 as rpb
from structmem.v1 import summary_service_pb2 as spb


def receipt(it: mpb.DeletionReceipt, consistency_token: str = "") -> a.DeletionReceipt:
    """What a deletion did."""
    return a.DeletionReceipt(
        id=it.id,
        deleted_at=d.moment(it, "deleted_at"),
        counts={d.node_kind(c.kind): c.count for c in it.counts},
        revision=it.revision,
        missing_ids=tuple(it.missing_ids),
        consistency_token=consistency_token,
        deleted_by=it.deleted_by,
        extracted_anew_count=it.extracted_anew_count,
        items_digest=it.items_digest.hex(),
        signature=it.signature.hex(),
    )


def degradation(it: rpb.Degradation) -> a.Degradation:
    """What could not take part."""
    return a.Degradation(d.kind(DegradationReason, rpb.DegradationReason, it.reason), it.message, it.namespace)


def plan(it: rpb.QueryPlan) -> a.QueryPlan:
    """How a query was understood."""
    return a.QueryPlan(
        recipe=it.recipe,
        terms=tuple(it.terms),
        dense_text=it.dense_text,
        speakers=tuple(it.speakers),
        entities=tuple(it.entities),
        times=tuple(d.time_span(span) for span in it.times),
        asks_when=it.asks_when,
        degraded=tuple(degradation(one) for one in it.degraded),
    )


def path(steps: Iterable[rpb.PathStep]) -> tuple[a.PathStep, ...]:
    """A path through the graph."""
    return tuple(a.PathStep(d.edge_kind(step.edge), step.node_id) for step in steps)


def contribution(it: rpb.Contribution) -> a.Contribution:
    """What one signal added to a score."""
    return a.Contribution(it.signal, it.raw, it.value, it.weight, it.points, it.from_id)


def explanation(it: rpb.Explanation) -> a.Explanation:
    """Why a hit is where it is."""
    return a.Explanation(
        contributions=tuple(map(contribution, it.contributions)),
        channels=tuple(a.ChannelRank(c.channel, c.rank, c.score) for c in it.channels),
        path=path(it.path),
        evidence_ids=tuple(it.evidence_ids),
    )


def hit(it: rpb.Hit) -> a.Hit:
    """One memory of an answer."""
    why = explanation(it.explanation) if it.HasField("explanation") else None
    return a.Hit(it.rank, it.namespace, d.memory(it.memory), it.score, why, it.relevance)


def summary_hit(it: mpb.SummaryHit) -> a.SummaryHit:
    """A summary that a query found."""
    return a.SummaryHit(it.rank, it.namespace, d.summary(it.summary), it.score, tuple(map(contribution, it.contributions)))


def retrieval(it: mpb.RetrieveResponse) -> a.Retrieval:
    """An answer."""
    omitted = tuple(a.OmittedHit(one.rank, one.namespace, one.node_id) for one in it.omitted)
    return a.Retrieval(
        tuple(hit(h) for h in it.hits if d.is_memory(h.memory)),
        plan(it.plan),
        it.nothing_relevant,
        it.best_relevance,
        omitted,
        tuple(map(summary_hit, it.summaries)),
    )


def rival(it: rpb.Rival) -> a.Rival:
    """A hit beside a memory that it outscored or stands for."""
    differences = tuple(a.SignalDifference(one.signal, one.points, one.rival_points) for one in it.differences)
    return a.Rival(hit(it.hit), differences)


def shortfall(it: rpb.ChannelShortfall) -> a.ChannelShortfall:
    """A memory in one channel."""
    return a.ChannelShortfall(it.channel, it.score, it.rank, it.needed if it.HasField("needed") else None)


def miss(it: mpb.ExplainMissResponse) -> a.Miss:
    """Why a memory is not in an answer."""
    return a.Miss(
        reason=d.kind(MissReason, rpb.MissReason, it.reason),
        hit=hit(it.hit) if it.HasField("hit") else None,
        plan=plan(it.plan),
        filtered_by=tuple(it.filtered_by),
        channels=tuple(shortfall(one) for one in it.channels),
        stood_for_by=tuple(rival(one) for one in it.stood_for_by if d.is_memory(one.hit.memory)),
        rivals=tuple(rival(one) for one in it.rivals if d.is_memory(one.hit.memory)),
        truncated=it.truncated,
    )


def context(it: mpb.BuildContextResponse) -> a.Context:
    """A context."""
    entries = tuple(
        a.ContextEntry(
            namespace=entry.namespace,
            node_id=entry.node_id,
            kind=d.node_kind(entry.kind),
            text=entry.text,
            said_at=d.moment(entry, "said_at"),
            speaker=entry.speaker,
            evidence_ids=tuple(entry.evidence_ids),
            rank=entry.rank,
            relevance=entry.relevance,
        )
        for entry in it.entries
    )
    return a.Context(it.text, it.token_count, entries, plan(it.plan), it.nothing_relevant, it.best_relevance, it.stable_bytes)


def node_view(it: mpb.GetNodeResponse) -> a.NodeView:
    """A node with its edges."""
    neighbors = tuple(d.node(n) for n in it.neighbors if d.is_known(n))
    return a.NodeView(d.node(it.node), d.edges(it.edges), neighbors, it.edges_truncated, it.neighbors_truncated)


def event_view(it: mpb.GetEventResponse) -> a.EventView:
    """An event with what it binds."""
    statements, evidence = tuple(d.statement(s) for s in it.statements), tuple(d.message(m) for m in it.evidence)
    return a.EventView(d.event(it.event), statements, evidence, it.truncated)


def summary_tree(it: spb.GetSummaryResponse) -> a.SummaryTree:
    """A summary and what lies below it."""
    return a.SummaryTree(d.summary(it.summary), tuple(d.node(n) for n in it.below if d.is_known(n)), it.truncated)


def traversed(it: mpb.TraverseEventsResponse) -> list[a.TraversedEvent]:
    """A batch of events that a walk reached."""
    return [a.TraversedEvent(d.event(e.event), e.hops, path(e.path)) for e in it.batch.events]


def problem(it: job_pb2.JobError) -> a.JobProblem:
    """Why something failed."""
    return a.JobProblem(d.error_reason(it.reason), it.message)


def job(it: job_pb2.Job, consistency_token: str = "") -> a.Job:
    """A job."""
    return a.Job(
        id=it.id,
        namespace=it.namespace,
        kind=d.kind(JobKind, job_pb2.JobKind, it.kind),
        state=d.kind(JobState, job_pb2.JobState, it.state),
        session=it.session,
        completed_units=it.completed_units,
        total_units=it.total_units,
        attempts=it.attempts,
        run_after=d.moment(it, "run_after"),
        error=problem(it.error) if it.HasField("error") else None,
        created_at=d.moment(it, "created_at"),
        updated_at=d.moment(it, "updated_at"),
        partial_failures=tuple(problem(p) for p in it.partial_failures),
        consistency_token=consistency_token,
    )


def embedding(it: namespace_pb2.EmbeddingSpec) -> EmbeddingSpec:
    """A model of vectors."""
    return EmbeddingSpec(it.model, it.dimension, it.fingerprint)


def mode(number: int) -> ExtractionMode:
    """How much is extracted."""
    return d.kind(ExtractionMode, namespace_pb2.ExtractionMode, number)


def namespace(it: namespace_pb2.Namespace, consistency_token: str = "") -> a.Namespace:
    """A namespace."""
    last = it.generation
    generation = a.Generation(last.number, last.extractor, last.fingerprint, mode(last.mode), d.moment(last, "started_at"))
    return a.Namespace(
        name=it.name,
        embedding=embedding(it.embedding),
        extraction_mode=mode(it.extraction_mode),
        time_zone=it.time_zone,
        description=it.description,
        revision=it.revision,
        generation=generation if it.HasField("generation") else None,
        created_at=d.moment(it, "created_at"),
        profile=profile(it.profile) if it.HasField("profile") else None,
        consistency_token=consistency_token,
        retention=tuple(RetentionRule(one.keep.ToTimedelta(), one.session, one.label, one.label_value) for one in it.retention.rules),
    )


def profile(it: namespace_pb2.ExtractionProfile) -> ExtractionProfile:
    """What a namespace wants to be looked for."""
    return ExtractionProfile(
        tuple(EntityType(one.name, d.kind(EntityKind, node_pb2.EntityKind, one.kind), one.description) for one in it.entity_types),
        tuple(RelationType(one.name, one.description) for one in it.relation_types),
        it.instructions,
        it.version,
    )


def graph(it: ipb.GetGraphStatsResponse) -> a.GraphStats:
    """Counts of a graph."""
    return a.GraphStats(
        nodes={d.node_kind(n.kind): n.count for n in it.nodes},
        retired={d.node_kind(n.kind): n.retired_count for n in it.nodes},
        edges={d.edge_kind(e.kind): e.count for e in it.edges},
        vector_count=it.vector_count,
        pending_vector_count=it.pending_vector_count,
        first_sent_at=d.moment(it, "first_sent_at"),
        last_sent_at=d.moment(it, "last_sent_at"),
        revision=it.revision,
        size_bytes=it.size_bytes,
    )


def usage_entry(it: ipb.UsageEntry) -> a.UsageEntry:
    """What one model was called for."""
    return a.UsageEntry(it.step, it.model, it.calls, it.items, it.prompt_tokens, it.completion_tokens, it.errors)


def usage(it: ipb.GetUsageResponse) -> tuple[a.UsageEntry, ...]:
    """Model calls."""
    return tuple(map(usage_entry, it.entries))


def citation(it: apb.Citation) -> a.Citation:
    """A memory that an answer rests on."""
    return a.Citation(
        number=it.number,
        namespace=it.namespace,
        node_id=it.node_id,
        kind=d.node_kind(it.kind),
        text=it.text,
        said_at=d.moment(it, "said_at"),
        speaker=it.speaker,
        evidence_ids=tuple(it.evidence_ids),
        quotes=tuple(it.quotes),
    )


def rejected_citation(it: apb.RejectedCitation) -> a.RejectedCitation:
    """A citation that was not taken."""
    return a.RejectedCitation(d.kind(RejectionReason, apb.RejectionReason, it.reason), it.quote, it.node_id)


def answer(it: apb.Answer) -> a.Answer:
    """An answer of a language model."""
    return a.Answer(
        text=it.text,
        citations=tuple(map(citation, it.citations)),
        rejected_citations=tuple(map(rejected_citation, it.rejected_citations)),
        grounded=it.grounded,
        not_in_memory=it.not_in_memory,
        ending=d.kind(AnswerEnding, apb.AnswerEnding, it.ending),
        usage=usage_entry(it.usage) if it.HasField("usage") else None,
        plan=plan(it.plan),
        memory_count=it.memory_count,
    )


def server_info(it: ipb.GetServerInfoResponse) -> a.ServerInfo:
    """What the service is."""
    return a.ServerInfo(
        version=it.version,
        store=it.store,
        extractor=it.extractor,
        extractor_note=it.extractor_note,
        embedder=embedding(it.embedder),
        recipes=tuple(it.recipes),
        default_recipe=it.default_recipe,
        started_at=d.moment(it, "started_at"),
        job_retention=it.job_retention.ToTimedelta(),
        request_id_retention=it.request_id_retention.ToTimedelta(),
        warnings=tuple(a.SettingWarning(one.setting, one.message) for one in it.warnings),
    )
