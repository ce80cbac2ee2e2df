"""The calls of the contract: which method, what request, how its answer reads. Both clients send these; only the transports differ."""

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from structmem import _answers as a
from structmem import _decode as d
from structmem import _decode_answers as da
from structmem import _encode as e
from structmem._checks import elements, several
from structmem._inputs import AsOf, ConsistencyTokens, LabelFilter, MemoryFilter, NewMessage, TimeRange
from structmem._kinds import EdgeKind, EntityKind, JobKind, JobState, LinkVerdict, NodeKind
from structmem._nodes import Entity, Event, Message, Session, Statement
from structmem.v1 import job_pb2, node_pb2
from structmem.v1 import memory_service_pb2 as mpb
from structmem.v1 import retrieval_pb2 as rpb

R = TypeVar("R")
Service = Literal["memory", "namespace", "inspection", "summary", "deletion", "answer"]
Page = tuple[list[R], str]


@dataclass(frozen=True, slots=True)
class Call(Generic[R]):
    """One call: `request` is a message, or an iterable of them for a stream to the service; `parse` reads each answer.

    `repeatable`: doing it twice is the same as doing it once, so that a call whose fate is unknown may be tried again.
    """

    service: Service
    method: str
    request: Any
    parse: Callable[[Any], R]
    repeatable: bool = True


def _memory(method: str, request: Any, parse: Callable[[Any], R], repeatable: bool = True) -> Call[R]:
    return Call("memory", method, request, parse, repeatable)


def new_request_id() -> str:
    """A request id that nobody else has."""
    return uuid.uuid4().hex


def as_names(namespaces: str | Sequence[str]) -> list[str]:
    """One namespace or several, as a list."""
    return [namespaces] if isinstance(namespaces, str) else several("namespaces", namespaces, "names")


# Writes


def append(
    namespace: str, session: str, messages: Iterable[NewMessage], time_zone: str, request_id: str, create_namespace: bool
) -> Call[a.Appended]:
    """AppendMessages."""
    request = e.build(
        mpb.AppendMessagesRequest,
        namespace=namespace,
        session=session,
        messages=[e.new_message(f"messages[{i}]", message) for i, message in enumerate(several("messages", messages, "NewMessages"))],
        time_zone=time_zone,
        request_id=request_id or new_request_id(),
        create_namespace=create_namespace,
    )

    def parse(it: mpb.AppendMessagesResponse) -> a.Appended:
        where = tuple(a.AppendedMessage(m.id, m.seq, m.client_id, m.duplicate, m.edited) for m in it.messages)
        return a.Appended(namespace, session, where, it.consistency_token, (it.job_id,) if it.job_id else ())

    return _memory("AppendMessages", request, parse)


def flush(namespace: str, session: str) -> Call[a.Flushed]:
    """FlushSession."""
    request = e.build(mpb.FlushSessionRequest, namespace=namespace, session=session)
    return _memory("FlushSession", request, lambda it: a.Flushed(namespace, tuple(it.job_ids), it.job_count, it.consistency_token))


def import_messages(namespace: str, messages: Iterable[tuple[str, NewMessage]], time_zone: str, create_namespace: bool) -> Call[a.Imported]:
    """ImportMessages."""
    header = e.build(mpb.ImportMessagesHeader, namespace=namespace, create_namespace=create_namespace)

    given = elements("messages", messages, "names of sessions with NewMessages")

    def parts() -> Iterator[mpb.ImportMessagesRequest]:
        yield mpb.ImportMessagesRequest(header=header)
        for batch in e.batches(given, time_zone):
            yield mpb.ImportMessagesRequest(batch=batch)

    def parse(it: mpb.ImportMessagesResponse) -> a.Imported:
        counts = (it.stored_count, it.duplicate_count, it.session_count)
        return a.Imported(namespace, *counts, it.consistency_token, tuple(it.job_ids), it.job_count)

    return _memory("ImportMessages", parts(), parse, repeatable=False)


def decide_entity_link(namespace: str, entity_id: str, other_id: str, verdict: LinkVerdict | str) -> Call[a.LinkDecided]:
    """DecideEntityLink."""
    request = e.build(
        mpb.DecideEntityLinkRequest,
        namespace=namespace,
        entity_id=entity_id,
        other_id=other_id,
        verdict=e.number_of("verdict", LinkVerdict, mpb.LinkVerdict, verdict),
    )
    return _memory("DecideEntityLink", request, lambda it: a.LinkDecided(d.edges(it.edges), it.consistency_token))


def revert_decision(namespace: str, newer_id: str, older_id: str, restore: bool) -> Call[a.DecisionReverted]:
    """RevertDecision."""
    request = e.build(mpb.RevertDecisionRequest, namespace=namespace, newer_id=newer_id, older_id=older_id, restore=restore)
    return _memory("RevertDecision", request, lambda it: a.DecisionReverted(d.edges(it.edges), it.consistency_token))


# Retrieval


def query(
    namespaces: str | Sequence[str],
    text: str,
    k: int | None,
    recipe: str,
    filter: MemoryFilter | None,
    at_least: ConsistencyTokens,
    asked_at: datetime | None,
    time_zone: str,
    embedding: Sequence[float],
    min_relevance: float,
    session: str,
    turns: Sequence[str],
    as_asked: bool,
    summaries: int = 0,
    as_of: AsOf | datetime | None = None,
) -> rpb.RetrievalQuery:
    """What retrieval is asked."""
    return e.build(
        rpb.RetrievalQuery,
        namespaces=as_names(namespaces),
        text=text,
        k=e.at_least_one("k", k),
        recipe=recipe,
        filter=e.memory_filter(filter),
        at_least=e.tokens(at_least),
        asked_at=e.timestamp("asked_at", asked_at),
        time_zone=time_zone,
        embedding=e.vector(embedding),
        min_relevance=min_relevance,
        session=session,
        turns=e.turns(turns),
        as_asked=as_asked,
        summaries=summaries,
        as_of=e.as_of(as_of),
    )


def retrieve(asked: rpb.RetrievalQuery, explain: bool) -> Call[a.Retrieval]:
    """Retrieve."""
    return _memory("Retrieve", mpb.RetrieveRequest(query=asked, explain=explain), da.retrieval)


def explain_miss(asked: rpb.RetrievalQuery, node_id: str) -> Call[a.Miss]:
    """ExplainMiss."""
    return _memory("ExplainMiss", e.build(mpb.ExplainMissRequest, query=asked, node_id=node_id), da.miss)


def build_context(asked: rpb.RetrievalQuery, token_budget: int | None, profile: bool) -> Call[a.Context]:
    """BuildContext."""
    budget = e.at_least_one("token_budget", token_budget)
    request = e.build(mpb.BuildContextRequest, query=asked, token_budget=budget, profile=profile)
    return _memory("BuildContext", request, da.context)


# Looking at the graph


def get_node(namespace: str, node_id: str, max_edges: int | None, at_least: ConsistencyTokens) -> Call[a.NodeView]:
    """GetNode."""
    limit = e.at_least_one("max_edges", max_edges)
    request = e.build(mpb.GetNodeRequest, namespace=namespace, node_id=node_id, max_edges=limit, at_least=e.tokens(at_least))
    return _memory("GetNode", request, da.node_view)


def get_event(namespace: str, event_id: str, as_of: AsOf | datetime | None, at_least: ConsistencyTokens) -> Call[a.EventView]:
    """GetEvent."""
    request = e.build(mpb.GetEventRequest, namespace=namespace, event_id=event_id, as_of=e.as_of(as_of), at_least=e.tokens(at_least))
    return _memory("GetEvent", request, da.event_view)


def list_events(
    namespace: str,
    happened: TimeRange | None,
    sessions: Sequence[str],
    entity_ids: Sequence[str],
    as_of: AsOf | datetime | None,
    at_least: ConsistencyTokens,
    page_size: int | None,
    page_token: str,
) -> Call[Page[Event]]:
    """ListEvents, one page."""
    request = e.build(
        mpb.ListEventsRequest,
        namespace=namespace,
        happened=e.time_range("happened", happened),
        sessions=several("sessions", sessions),
        entity_ids=several("entity_ids", entity_ids),
        as_of=e.as_of(as_of),
        at_least=e.tokens(at_least),
        page_size=e.at_least_one("page_size", page_size),
        page_token=page_token,
    )
    return _memory("ListEvents", request, lambda it: ([d.event(x) for x in it.events], it.next_page_token))


def list_statements(
    namespace: str,
    kinds: Sequence[NodeKind | str],
    said: TimeRange | None,
    sessions: Sequence[str],
    speakers: Sequence[str],
    entity_ids: Sequence[str],
    include_retired: bool,
    as_of: AsOf | datetime | None,
    at_least: ConsistencyTokens,
    page_size: int | None,
    page_token: str,
) -> Call[Page[Statement]]:
    """ListStatements, one page."""
    request = e.build(
        mpb.ListStatementsRequest,
        namespace=namespace,
        kinds=e.node_kinds("kinds", kinds, (NodeKind.FACT, NodeKind.RELATION)),
        said=e.time_range("said", said),
        sessions=several("sessions", sessions),
        speakers=several("speakers", speakers),
        entity_ids=several("entity_ids", entity_ids),
        include_retired=include_retired,
        as_of=e.as_of(as_of),
        at_least=e.tokens(at_least),
        page_size=e.at_least_one("page_size", page_size),
        page_token=page_token,
    )
    return _memory("ListStatements", request, lambda it: ([d.statement(x) for x in it.statements], it.next_page_token))


def list_messages(
    namespace: str,
    sessions: Sequence[str],
    speakers: Sequence[str],
    said: TimeRange | None,
    labels: LabelFilter | None,
    as_of: AsOf | datetime | None,
    at_least: ConsistencyTokens,
    page_size: int | None,
    page_token: str,
) -> Call[Page[Message]]:
    """ListMessages, one page."""
    request = e.build(
        mpb.ListMessagesRequest,
        namespace=namespace,
        sessions=several("sessions", sessions),
        speakers=several("speakers", speakers),
        said=e.time_range("said", said),
        labels=e.label_filter("labels", labels),
        as_of=e.as_of(as_of),
        at_least=e.tokens(at_least),
        page_size=e.at_least_one("page_size", page_size),
        page_token=page_token,
    )
    return _memory("ListMessages", request, lambda it: ([d.message(x) for x in it.messages], it.next_page_token))


def list_sessions(namespace: str, at_least: ConsistencyTokens, page_size: int | None, page_token: str) -> Call[Page[Session]]:
    """ListSessions, one page."""
    request = e.build(
        mpb.ListSessionsRequest,
        namespace=namespace,
        at_least=e.tokens(at_least),
        page_size=e.at_least_one("page_size", page_size),
        page_token=page_token,
    )
    return _memory("ListSessions", request, lambda it: ([d.session(x) for x in it.sessions], it.next_page_token))


def list_entities(
    namespace: str, kinds: Sequence[EntityKind | str], name: str, at_least: ConsistencyTokens, page_size: int | None, page_token: str
) -> Call[Page[Entity]]:
    """ListEntities, one page."""
    request = e.build(
        mpb.ListEntitiesRequest,
        namespace=namespace,
        kinds=[e.number_of("kinds", EntityKind, node_pb2.EntityKind, kind) for kind in several("kinds", kinds, "kinds")],
        name=name,
        at_least=e.tokens(at_least),
        page_size=e.at_least_one("page_size", page_size),
        page_token=page_token,
    )
    return _memory("ListEntities", request, lambda it: ([d.entity(x) for x in it.entities], it.next_page_token))


def traverse_events(
    namespace: str,
    start_ids: Sequence[str],
    edge_kinds: Sequence[EdgeKind | str],
    max_hops: int | None,
    happened: TimeRange | None,
    max_events: int | None,
    as_of: AsOf | datetime | None,
    at_least: ConsistencyTokens,
) -> Call[list[a.TraversedEvent]]:
    """TraverseEvents."""
    request = e.build(
        mpb.TraverseEventsRequest,
        namespace=namespace,
        start_ids=several("start_ids", start_ids),
        edge_kinds=[e.number_of("edge_kinds", EdgeKind, node_pb2.EdgeKind, kind) for kind in several("edge_kinds", edge_kinds, "kinds")],
        max_hops=e.at_least_one("max_hops", max_hops),
        happened=e.time_range("happened", happened),
        max_events=e.at_least_one("max_events", max_events),
        as_of=e.as_of(as_of),
        at_least=e.tokens(at_least),
    )
    return _memory("TraverseEvents", request, da.traversed)


# Exports


def export_namespace(namespace: str, with_vectors: bool, at_least: ConsistencyTokens) -> Call[mpb.ExportNamespaceResponse]:
    """ExportNamespace; its parts."""
    request = e.build(mpb.ExportNamespaceRequest, namespace=namespace, without_vectors=not with_vectors, at_least=e.tokens(at_least))
    return _memory("ExportNamespace", request, lambda it: it)


def import_namespace(namespace: str, parts: Iterable[mpb.ExportNamespaceResponse]) -> Call[a.ImportedNamespace]:
    """ImportNamespace, of the parts of an export."""
    e.build(mpb.ImportNamespaceHeader, namespace=namespace)

    def requests() -> Iterator[mpb.ImportNamespaceRequest]:
        for part in parts:
            match part.WhichOneof("part"):
                case "header":
                    yield mpb.ImportNamespaceRequest(header=mpb.ImportNamespaceHeader(namespace=namespace, export_header=part.header))
                case "batch":
                    yield mpb.ImportNamespaceRequest(batch=part.batch)
                case "trailer":
                    yield mpb.ImportNamespaceRequest(trailer=part.trailer)

    return _memory(
        "ImportNamespace",
        requests(),
        lambda it: a.ImportedNamespace(it.namespace, it.record_count, it.consistency_token),
        repeatable=False,
    )


# Jobs


def get_job(namespace: str, job_id: str, at_least: ConsistencyTokens) -> Call[a.Job]:
    """GetJob."""
    request = e.build(mpb.GetJobRequest, namespace=namespace, job_id=job_id, at_least=e.tokens(at_least))
    return _memory("GetJob", request, lambda it: da.job(it.job))


def list_jobs(
    namespace: str,
    states: Sequence[JobState | str],
    kinds: Sequence[JobKind | str],
    at_least: ConsistencyTokens,
    page_size: int | None,
    page_token: str,
) -> Call[Page[a.Job]]:
    """ListJobs, one page."""
    request = e.build(
        mpb.ListJobsRequest,
        namespace=namespace,
        states=[e.number_of("states", JobState, job_pb2.JobState, state) for state in several("states", states, "states")],
        kinds=[e.number_of("kinds", JobKind, job_pb2.JobKind, kind) for kind in several("kinds", kinds, "kinds")],
        at_least=e.tokens(at_least),
        page_size=e.at_least_one("page_size", page_size),
        page_token=page_token,
    )
    return _memory("ListJobs", request, lambda it: ([da.job(x) for x in it.jobs], it.next_page_token))


def watch_job(namespace: str, job_id: str, at_least: ConsistencyTokens) -> Call[a.Job]:
    """WatchJob."""
    request = e.build(mpb.WatchJobRequest, namespace=namespace, job_id=job_id, at_least=e.tokens(at_least))
    return _memory("WatchJob", request, lambda it: da.job(it.job))


def expedite_job(namespace: str, job_id: str) -> Call[a.Job]:
    """ExpediteJob."""
    request = e.build(mpb.ExpediteJobRequest, namespace=namespace, job_id=job_id)
    return _memory("ExpediteJob", request, lambda it: da.job(it.job, it.consistency_token))


def cancel_job(namespace: str, job_id: str) -> Call[a.Job]:
    """CancelJob."""
    request = e.build(mpb.CancelJobRequest, namespace=namespace, job_id=job_id)
    return _memory("CancelJob", request, lambda it: da.job(it.job, it.consistency_token), repeatable=False)


def retry_job(namespace: str, job_id: str) -> Call[a.Job]:
    """RetryJob."""
    request = e.build(mpb.RetryJobRequest, namespace=namespace, job_id=job_id)
    return _memory("RetryJob", request, lambda it: da.job(it.job, it.consistency_token), repeatable=False)
