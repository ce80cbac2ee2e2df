"""Bad input: refused with the field and the reason, nothing stored."""

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.timestamp_pb2 import Timestamp
from structmem.v1 import filter_pb2, inspection_service_pb2, namespace_pb2, retrieval_pb2, time_pb2, vector_pb2
from structmem.v1 import memory_service_pb2 as pb
from structmem.v1 import namespace_service_pb2 as ns

from graph.model import UuidSource

pytestmark = pytest.mark.asyncio(loop_scope="module")

YEAR_0 = Timestamp(seconds=-62_135_596_800 - 1)
YEAR_1 = Timestamp(seconds=-62_135_596_800)
YEAR_9999 = Timestamp(seconds=253_370_764_800)
BEYOND = Timestamp(seconds=10**15)
NANOS = Timestamp(seconds=1, nanos=10**9)
MESSAGE_ID = UuidSource().mint("msg")
ENTITY_ID = UuidSource().mint("ent")


def message(**fields: Any) -> pb.MessageInput:
    return pb.MessageInput(**({"speaker": "Ana", "text": "Hello"} | fields))


def append(*messages: pb.MessageInput, **fields: Any) -> pb.AppendMessagesRequest:
    return pb.AppendMessagesRequest(**({"namespace": "acme", "session": "s", "messages": messages or [message()]} | fields))


def asked(namespace: str, text: str = "x", **fields: Any) -> retrieval_pb2.RetrievalQuery:
    return retrieval_pb2.RetrievalQuery(namespaces=[namespace], text=text, **fields)


def retrieve(**fields: Any) -> pb.RetrieveRequest:
    return pb.RetrieveRequest(query=retrieval_pb2.RetrievalQuery(**({"namespaces": ["acme"], "text": "Who?"} | fields)))


def turns(*texts: str) -> list[retrieval_pb2.Turn]:
    return [retrieval_pb2.Turn(text=text) for text in texts]


def unknown(number: int) -> Any:
    """A number that the enum, or the field, does not take."""
    return [number]


def mode(number: int) -> Any:
    """A number that is no mode."""
    return number


def labels(**fields: Any) -> filter_pb2.MemoryFilter:
    return filter_pb2.MemoryFilter(labels=filter_pb2.LabelFilter(**fields))


def other(**fields: Any) -> ns.CreateNamespaceRequest:
    return ns.CreateNamespaceRequest(namespace="other", **fields)


CASES: list[tuple[str, Any, str]] = [
    ("AppendMessages", append(namespace=""), "namespace"),
    ("AppendMessages", append(namespace="acme/"), "namespace"),
    ("AppendMessages", append(namespace="../etc/passwd"), "namespace"),
    ("AppendMessages", append(namespace="a\0b"), "namespace"),
    ("AppendMessages", append(namespace="/".join("abcdefghi")), "namespace"),
    ("AppendMessages", append(namespace="x" * 201), "namespace"),
    ("AppendMessages", append(session=""), "session"),
    ("AppendMessages", append(session="s" * 201), "session"),
    ("AppendMessages", append(session="s\0"), "session"),
    ("AppendMessages", append(time_zone="Mars/Olympus"), "time_zone"),
    ("AppendMessages", append(time_zone="../../etc/passwd"), "time_zone"),
    ("AppendMessages", append(request_id="r" * 101), "request_id"),
    ("AppendMessages", append(request_id="r\0"), "request_id"),
    ("AppendMessages", pb.AppendMessagesRequest(namespace="acme", session="s"), "messages"),
    ("AppendMessages", append(*[message()] * 1001), "messages"),
    ("AppendMessages", append(message(), message(text="")), "messages[1].text"),
    ("AppendMessages", append(message(text=" \n\t ")), "messages[0].text"),
    ("AppendMessages", append(message(text="x" * 1_000_001)), "messages[0].text"),
    ("AppendMessages", append(message(text="a\0b")), "messages[0].text"),
    ("AppendMessages", append(message(speaker="")), "messages[0].speaker"),
    ("AppendMessages", append(message(speaker="s" * 201)), "messages[0].speaker"),
    ("AppendMessages", append(message(client_id="c" * 201)), "messages[0].client_id"),
    ("AppendMessages", append(message(client_id="c\0")), "messages[0].client_id"),
    ("AppendMessages", append(message(speaker="Ana\0")), "messages[0].speaker"),
    ("AppendMessages", append(message(image_caption="a\0")), "messages[0].image_caption"),
    ("AppendMessages", append(message(labels={"k\0": "v"})), "messages[0].labels.key"),
    ("AppendMessages", append(message(role=99)), "messages[0].role"),
    ("AppendMessages", append(message(role=-1)), "messages[0].role"),
    ("AppendMessages", append(message(sent_at=YEAR_0)), "messages[0].sent_at"),
    ("AppendMessages", append(message(sent_at=YEAR_9999)), "messages[0].sent_at"),
    ("AppendMessages", append(message(sent_at=BEYOND)), "messages[0].sent_at"),
    ("AppendMessages", append(message(sent_at=NANOS)), "messages[0].sent_at.nanos"),
    ("AppendMessages", append(message(sent_at_local="2024-03-05T18:30:00")), "messages[0].sent_at_local"),
    ("AppendMessages", append(message(sent_at_local="yesterday")), "messages[0].sent_at_local"),
    ("AppendMessages", append(message(sent_at_local="0000-01-01T00:00:00Z")), "messages[0].sent_at_local"),
    ("AppendMessages", append(message(sent_at_local="9999-12-31T23:59:59Z")), "messages[0].sent_at_local"),
    ("AppendMessages", append(message(sent_at_local="0001-01-01T00:00:00+14:00")), "messages[0].sent_at_local"),
    ("AppendMessages", append(message(labels={f"k{i}": "" for i in range(33)})), "messages[0].labels"),
    ("AppendMessages", append(message(labels={"": "v"})), "messages[0].labels.key"),
    ("AppendMessages", append(message(labels={"k" * 101: "v"})), "messages[0].labels.key"),
    ("AppendMessages", append(message(labels={"k": "v" * 501})), "messages[0].labels[k]"),
    ("AppendMessages", append(message(labels={"k": "v\0"})), "messages[0].labels[k]"),
    ("AppendMessages", append(message(image_caption="i" * 20_001)), "messages[0].image_caption"),
    ("AppendMessages", append(message(embedding=vector_pb2.Vector(values=[1.0] * 256))), "messages[0].embedding.values"),
    ("AppendMessages", append(message(client_id="c"), message(client_id="c", text="Bye")), "messages[1].client_id"),
    ("FlushSession", pb.FlushSessionRequest(namespace="acme", session="s\0"), "session"),
    ("Retrieve", retrieve(namespaces=[]), "query.namespaces"),
    ("Retrieve", retrieve(namespaces=[f"n{i}" for i in range(17)]), "query.namespaces"),
    ("Retrieve", retrieve(namespaces=["acme", "b d"]), "query.namespaces[1]"),
    ("Retrieve", retrieve(text=""), "query.text"),
    ("Retrieve", retrieve(text="   "), "query.text"),
    ("Retrieve", retrieve(text="a\0b"), "query.text"),
    ("Retrieve", retrieve(text="q" * 100_001), "query.text"),
    ("Retrieve", pb.RetrieveRequest(), "query.namespaces"),
    ("Retrieve", retrieve(k=-1), "query.k"),
    ("Retrieve", retrieve(k=1001), "query.k"),
    ("Retrieve", retrieve(recipe="magic"), "query.recipe"),
    ("Retrieve", retrieve(asked_at=YEAR_9999), "query.asked_at"),
    ("Retrieve", retrieve(as_of=retrieval_pb2.AsOf(valid=YEAR_9999)), "query.as_of.valid"),
    ("Retrieve", retrieve(as_of=retrieval_pb2.AsOf(known=YEAR_9999)), "query.as_of.known"),
    ("Retrieve", retrieve(time_zone="Nowhere"), "query.time_zone"),
    ("Retrieve", retrieve(at_least=["forged"]), "query.at_least[0]"),
    ("Retrieve", retrieve(at_least=["forged"] * 101), "query.at_least"),
    ("Retrieve", retrieve(filter=filter_pb2.MemoryFilter(kinds=unknown(0))), "query.filter.kinds[0]"),
    ("ListStatements", pb.ListStatementsRequest(namespace="acme", kinds=unknown(0)), "kinds[0]"),
    ("ListEntities", pb.ListEntitiesRequest(namespace="acme", kinds=unknown(0)), "kinds[0]"),
    ("ListJobs", pb.ListJobsRequest(namespace="acme", states=unknown(0)), "states[0]"),
    ("TraverseEvents", pb.TraverseEventsRequest(namespace="acme", start_ids=[ENTITY_ID], edge_kinds=unknown(0)), "edge_kinds[0]"),
    ("GetJob", pb.GetJobRequest(namespace="acme", job_id=UuidSource().mint("job"), at_least=["forged"]), "at_least[0]"),
    ("ListSessions", pb.ListSessionsRequest(namespace="acme", at_least=["forged"]), "at_least[0]"),
    ("ExportNamespace", pb.ExportNamespaceRequest(namespace="acme", at_least=["forged"]), "at_least[0]"),
    ("ExplainMiss", pb.ExplainMissRequest(query=retrieve(namespaces=["acme", "b"]).query, node_id=MESSAGE_ID), "query.namespaces"),
    ("Retrieve", retrieve(embedding=vector_pb2.Vector(values=[1.0])), "query.embedding.values"),
    ("Retrieve", retrieve(filter=filter_pb2.MemoryFilter(kinds=unknown(99))), "query.filter.kinds[0]"),
    ("Retrieve", retrieve(filter=filter_pb2.MemoryFilter(kinds=unknown(1))), "query.filter.kinds[0]"),
    ("Retrieve", retrieve(filter=filter_pb2.MemoryFilter(speakers=[""])), "query.filter.speakers[0]"),
    (
        "Retrieve",
        retrieve(filter=filter_pb2.MemoryFilter(said=time_pb2.TimeRange(start=Timestamp(seconds=9), end=Timestamp(seconds=1)))),
        "query.filter.said",
    ),
    ("Retrieve", retrieve(filter=filter_pb2.MemoryFilter(happened=time_pb2.TimeRange(end=BEYOND))), "query.filter.happened.end"),
    ("Retrieve", retrieve(filter=labels(any_of=[filter_pb2.LabelCondition(key="")])), "query.filter.labels.any_of[0].key"),
    ("Retrieve", retrieve(filter=labels(all_of=[filter_pb2.LabelCondition(key="k")] * 33)), "query.filter.labels.all_of"),
    (
        "BuildContext",
        pb.BuildContextRequest(query=asked("acme"), token_budget=-1),
        "token_budget",
    ),
    (
        "BuildContext",
        pb.BuildContextRequest(query=asked("acme"), token_budget=15),
        "token_budget",
    ),
    (
        "BuildContext",
        pb.BuildContextRequest(query=asked("acme"), token_budget=100_001),
        "token_budget",
    ),
    ("Retrieve", retrieve(filter=filter_pb2.MemoryFilter(not_sessions=["a", ""])), "query.filter.not_sessions[1]"),
    ("Retrieve", retrieve(filter=filter_pb2.MemoryFilter(not_ids=["Bob"])), "query.filter.not_ids[0]"),
    ("Retrieve", retrieve(filter=filter_pb2.MemoryFilter(not_ids=[MESSAGE_ID] * 1001)), "query.filter.not_ids"),
    ("Retrieve", retrieve(session="s" * 1000), "query.session"),
    ("Retrieve", retrieve(session=" "), "query.session"),
    ("Retrieve", retrieve(session="s", namespaces=["acme", "other"]), "query.session"),
    ("Retrieve", retrieve(turns=turns("hello")), "query.session"),
    ("Retrieve", retrieve(session="s", turns=turns("hello", "")), "query.turns[1].text"),
    ("Retrieve", retrieve(session="s", turns=turns(*["hello"] * 17)), "query.turns"),
    ("Retrieve", retrieve(min_relevance=1.5), "query.min_relevance"),
    ("Retrieve", retrieve(min_relevance=float("nan")), "query.min_relevance"),
    (
        "BuildContext",
        pb.BuildContextRequest(query=asked("acme", min_relevance=-0.1)),
        "query.min_relevance",
    ),
    (
        "ExplainMiss",
        pb.ExplainMissRequest(query=asked("a b"), node_id=MESSAGE_ID),
        "query.namespaces[0]",
    ),
    ("ExplainMiss", pb.ExplainMissRequest(query=asked("acme")), "node_id"),
    ("ExplainMiss", pb.ExplainMissRequest(query=asked("acme", ""), node_id=MESSAGE_ID), "query.text"),
    (
        "ExplainMiss",
        pb.ExplainMissRequest(query=asked("acme", k=-1), node_id=MESSAGE_ID),
        "query.k",
    ),
    (
        "ExplainMiss",
        pb.ExplainMissRequest(query=asked("acme", min_relevance=2), node_id=MESSAGE_ID),
        "query.min_relevance",
    ),
    ("GetNode", pb.GetNodeRequest(namespace="acme"), "node_id"),
    ("GetNode", pb.GetNodeRequest(namespace="acme", node_id="'; DROP TABLE nodes; --"), "node_id"),
    ("GetNode", pb.GetNodeRequest(namespace="acme", node_id=MESSAGE_ID, max_edges=-1), "max_edges"),
    ("GetNode", pb.GetNodeRequest(namespace="acme", node_id=MESSAGE_ID, max_edges=1001), "max_edges"),
    ("GetEvent", pb.GetEventRequest(namespace="acme", event_id=MESSAGE_ID), "event_id"),
    ("ListEvents", pb.ListEventsRequest(namespace="acme", page_size=-1), "page_size"),
    ("ListEvents", pb.ListEventsRequest(namespace="acme", page_size=501), "page_size"),
    ("ListEvents", pb.ListEventsRequest(namespace="acme", entity_ids=[MESSAGE_ID]), "entity_ids[0]"),
    ("ListEvents", pb.ListEventsRequest(namespace="acme", page_token="forged"), "page_token"),
    ("ListStatements", pb.ListStatementsRequest(namespace="acme", kinds=unknown(2)), "kinds[0]"),
    ("ListStatements", pb.ListStatementsRequest(namespace="acme", sessions=["x"] * 1001), "sessions"),
    ("ListStatements", pb.ListStatementsRequest(namespace="acme", page_token="forged"), "page_token"),
    ("ListMessages", pb.ListMessagesRequest(namespace="acme", page_token="AAAA"), "page_token"),
    ("ListMessages", pb.ListMessagesRequest(namespace="acme", said=time_pb2.TimeRange(start=YEAR_0)), "said.start"),
    ("ListSessions", pb.ListSessionsRequest(namespace="acme", page_size=-5), "page_size"),
    ("ListSessions", pb.ListSessionsRequest(namespace="acme", page_token="é"), "page_token"),
    ("ListEntities", pb.ListEntitiesRequest(namespace="acme", kinds=unknown(77)), "kinds[0]"),
    ("ListEntities", pb.ListEntitiesRequest(namespace="acme", name="n" * 201), "name"),
    ("ListEntities", pb.ListEntitiesRequest(namespace="acme", name="n\0"), "name"),
    ("ListEntities", pb.ListEntitiesRequest(namespace="acme", page_size=-1), "page_size"),
    ("ListEntities", pb.ListEntitiesRequest(namespace="acme", page_token="forged"), "page_token"),
    ("TraverseEvents", pb.TraverseEventsRequest(namespace="acme"), "start_ids"),
    ("TraverseEvents", pb.TraverseEventsRequest(namespace="acme", start_ids=[ENTITY_ID], max_hops=7), "max_hops"),
    ("TraverseEvents", pb.TraverseEventsRequest(namespace="acme", start_ids=[ENTITY_ID], max_hops=-1), "max_hops"),
    ("TraverseEvents", pb.TraverseEventsRequest(namespace="acme", start_ids=[ENTITY_ID], edge_kinds=unknown(42)), "edge_kinds[0]"),
    ("TraverseEvents", pb.TraverseEventsRequest(namespace="acme", start_ids=[ENTITY_ID], max_events=1001), "max_events"),
    ("DecideEntityLink", pb.DecideEntityLinkRequest(namespace="acme", entity_id="ana", other_id=ENTITY_ID, verdict=1), "entity_id"),
    (
        "DecideEntityLink",
        pb.DecideEntityLinkRequest(namespace="acme", entity_id=ENTITY_ID, other_id=ENTITY_ID, verdict=1),
        "other_id",
    ),
    ("DecideEntityLink", pb.DecideEntityLinkRequest(namespace="acme", entity_id=ENTITY_ID, other_id=ENTITY_ID), "verdict"),
    (
        "DecideEntityLink",
        pb.DecideEntityLinkRequest(namespace="acme", entity_id=ENTITY_ID, other_id=ENTITY_ID, verdict=9),
        "verdict",
    ),
    ("RevertDecision", pb.RevertDecisionRequest(namespace="acme", newer_id=ENTITY_ID, older_id=UuidSource().mint("msg")), "newer_id"),
    ("RevertDecision", pb.RevertDecisionRequest(namespace="acme", newer_id=UuidSource().mint("msg"), older_id="msg"), "older_id"),
    ("DeleteMemories", pb.DeleteMemoriesRequest(namespace="acme"), "selector"),
    ("DeleteMemories", pb.DeleteMemoriesRequest(namespace="acme", memories=pb.MemoryIds()), "memories.ids"),
    ("DeleteMemories", pb.DeleteMemoriesRequest(namespace="acme", memories=pb.MemoryIds(ids=[ENTITY_ID])), "memories.ids[0]"),
    ("DeleteMemories", pb.DeleteMemoriesRequest(namespace="acme", session=""), "session"),
    ("DeleteMemories", pb.DeleteMemoriesRequest(namespace="acme", session="s", request_id="r" * 101), "request_id"),
    ("DeleteMemories", pb.DeleteMemoriesRequest(namespace="acme", session="s", request_id="r\0"), "request_id"),
    ("GetJob", pb.GetJobRequest(namespace="acme", job_id=MESSAGE_ID), "job_id"),
    ("WatchJob", pb.WatchJobRequest(namespace="acme"), "job_id"),
    ("CancelJob", pb.CancelJobRequest(namespace="acme", job_id="job_x"), "job_id"),
    ("RetryJob", pb.RetryJobRequest(namespace="acme", job_id=""), "job_id"),
    ("ListJobs", pb.ListJobsRequest(namespace="acme", states=unknown(9)), "states[0]"),
    ("ListJobs", pb.ListJobsRequest(namespace="acme", kinds=unknown(9)), "kinds[0]"),
    ("ListJobs", pb.ListJobsRequest(namespace="acme", page_token="forged"), "page_token"),
    ("ExportNamespace", pb.ExportNamespaceRequest(namespace="a b"), "namespace"),
]

NAMESPACE_CASES: list[tuple[str, Any, str]] = [
    ("CreateNamespace", ns.CreateNamespaceRequest(), "namespace"),
    ("CreateNamespace", ns.CreateNamespaceRequest(namespace="b/"), "namespace"),
    ("CreateNamespace", ns.CreateNamespaceRequest(namespace="b\0"), "namespace"),
    ("CreateNamespace", other(extraction_mode=mode(9)), "extraction_mode"),
    ("CreateNamespace", other(extraction_mode=mode(-1)), "extraction_mode"),
    ("CreateNamespace", other(time_zone="Nowhere"), "time_zone"),
    ("CreateNamespace", other(time_zone="UTC\0"), "time_zone"),
    ("CreateNamespace", other(description="d" * 1001), "description"),
    ("CreateNamespace", other(description="d\0"), "description"),
    ("CreateNamespace", other(embedding=namespace_pb2.EmbeddingSpec(model="")), "embedding.model"),
    ("CreateNamespace", other(embedding=namespace_pb2.EmbeddingSpec(model="m\0", dimension=3)), "embedding.model"),
    ("CreateNamespace", other(embedding=namespace_pb2.EmbeddingSpec(model="own")), "embedding.dimension"),
    ("CreateNamespace", other(embedding=namespace_pb2.EmbeddingSpec(model="own", dimension=-1)), "embedding.dimension"),
    ("CreateNamespace", other(embedding=namespace_pb2.EmbeddingSpec(model="own", dimension=4097)), "embedding.dimension"),
    ("CreateNamespace", other(embedding=namespace_pb2.EmbeddingSpec(model="own", dimension=3, fingerprint="f")), "embedding.fingerprint"),
    ("CreateNamespace", other(embedding=namespace_pb2.EmbeddingSpec(model="none", dimension=3)), "embedding.dimension"),
    ("CreateNamespace", other(embedding=namespace_pb2.EmbeddingSpec(model="hashing-256", dimension=3)), "embedding.dimension"),
    ("CreateNamespace", other(embedding=namespace_pb2.EmbeddingSpec(model="hashing-256", fingerprint="f")), "embedding.fingerprint"),
    ("GetNamespace", ns.GetNamespaceRequest(), "namespace"),
    ("GetNamespace", ns.GetNamespaceRequest(namespace="a b"), "namespace"),
    ("ListNamespaces", ns.ListNamespacesRequest(page_size=-1), "page_size"),
    ("ListNamespaces", ns.ListNamespacesRequest(page_size=1001), "page_size"),
    ("ListNamespaces", ns.ListNamespacesRequest(page_token="forged"), "page_token"),
    ("ListNamespaces", ns.ListNamespacesRequest(prefix="acme/"), "prefix"),
    ("ListNamespaces", ns.ListNamespacesRequest(prefix="a\0"), "prefix"),
    ("UpdateNamespace", ns.UpdateNamespaceRequest(), "namespace"),
    ("UpdateNamespace", ns.UpdateNamespaceRequest(namespace="acme", extraction_mode=0), "extraction_mode"),
    ("UpdateNamespace", ns.UpdateNamespaceRequest(namespace="acme", extraction_mode=mode(9)), "extraction_mode"),
    ("UpdateNamespace", ns.UpdateNamespaceRequest(namespace="acme", extraction_mode=mode(-1)), "extraction_mode"),
    ("UpdateNamespace", ns.UpdateNamespaceRequest(namespace="acme", time_zone="Mars/Olympus"), "time_zone"),
    ("UpdateNamespace", ns.UpdateNamespaceRequest(namespace="acme", time_zone="UTC\0"), "time_zone"),
    ("UpdateNamespace", ns.UpdateNamespaceRequest(namespace="acme", description="d" * 1001), "description"),
    ("UpdateNamespace", ns.UpdateNamespaceRequest(namespace="acme", description="d\0"), "description"),
    ("DeleteNamespace", ns.DeleteNamespaceRequest(namespace="../acme"), "namespace"),
]
# Requests as they would be without the surrogate, which takes the place of "ZZZ".
SURROGATES: list[tuple[str, Any, str]] = [
    ("MemoryService/AppendMessages", append(message(), message(text="ZZZ")), "messages[1].text"),
    ("MemoryService/AppendMessages", append(message(speaker="a ZZZ")), "messages[0].speaker"),
    ("MemoryService/AppendMessages", append(message(client_id="ZZZ")), "messages[0].client_id"),
    ("MemoryService/AppendMessages", append(message(labels={"k": "ZZZ"})), "messages[0].labels[0].value"),
    ("MemoryService/AppendMessages", append(message(labels={"ZZZ": "v"})), "messages[0].labels[0].key"),
    ("MemoryService/AppendMessages", append(session="ZZZ"), "session"),
    ("MemoryService/AppendMessages", append(request_id="ZZZ"), "request_id"),
    ("MemoryService/Retrieve", retrieve(text="who is ZZZ?"), "query.text"),
    ("MemoryService/Retrieve", retrieve(namespaces=["acme", "ZZZ"]), "query.namespaces[1]"),
    ("MemoryService/Retrieve", retrieve(filter=filter_pb2.MemoryFilter(sessions=["a", "ZZZ"])), "query.filter.sessions[1]"),
    ("NamespaceService/UpdateNamespace", ns.UpdateNamespaceRequest(namespace="acme", description="ZZZ"), "description"),
]
NOT_UTF8 = "must be valid UTF-8 without lone surrogates"


async def outcome(call: Any) -> None:
    """Sees a call through, whether it answers with one message or a stream."""
    if isinstance(call, grpc.aio.UnaryStreamCall):
        async for _ in call:
            pass
    else:
        await call


@pytest_asyncio.fixture(loop_scope="module")
async def acme(shared_service: Any) -> Any:
    with suppress(grpc.aio.AioRpcError):  # it is there already
        await shared_service.namespaces.CreateNamespace(ns.CreateNamespaceRequest(namespace="acme"))
    return shared_service


@pytest.mark.parametrize(
    ("method", "request_", "field"), CASES, ids=[f"{method}-{field}-{i}" for i, (method, _, field) in enumerate(CASES)]
)
async def test_a_bad_field_is_named(acme: Any, refused: Callable[..., Any], method: str, request_: Any, field: str) -> None:
    refusal = await refused(outcome(getattr(acme.memory, method)(request_)))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
    assert field in refusal.fields
    assert (await acme.memory.ListSessions(pb.ListSessionsRequest(namespace="acme"))).sessions == []


async def test_everything_wrong_is_told_at_once(acme: Any, refused: Callable[..., Any]) -> None:
    request = append(message(text=""), message(speaker="", role=9), session="")
    assert (await refused(acme.memory.AppendMessages(request))).fields.keys() == {
        "session",
        "messages[0].text",
        "messages[1].speaker",
        "messages[1].role",
    }


BAD_QUERY = retrieval_pb2.RetrievalQuery(
    namespaces=["acme"], k=-1, at_least=["x"], min_relevance=2, embedding=vector_pb2.Vector(values=[math.nan, 1.0])
)
BAD_QUERY_FIELDS = {"query.text", "query.k", "query.at_least[0]", "query.min_relevance", "query.embedding.values"}
PAGE = {"page_size": -1, "page_token": "x", "at_least": ["x"]}
PAGE_FIELDS = {"page_size", "page_token", "at_least[0]"}


@pytest.mark.parametrize(
    ("method", "request_", "fields"),
    [
        ("Retrieve", pb.RetrieveRequest(query=BAD_QUERY), BAD_QUERY_FIELDS),
        ("BuildContext", pb.BuildContextRequest(query=BAD_QUERY, token_budget=1), BAD_QUERY_FIELDS | {"token_budget"}),
        ("ExplainMiss", pb.ExplainMissRequest(query=BAD_QUERY, node_id="x"), BAD_QUERY_FIELDS | {"node_id"}),
        (
            "Retrieve",
            pb.RetrieveRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["/"], k=-1)),
            {"query.namespaces[0]", "query.k", "query.text"},
        ),
        ("ListMessages", pb.ListMessagesRequest(namespace="acme", speakers=[""], **PAGE), PAGE_FIELDS | {"speakers[0]"}),
        ("ListEvents", pb.ListEventsRequest(namespace="acme", sessions=[""], **PAGE), PAGE_FIELDS | {"sessions[0]"}),
        ("ListStatements", pb.ListStatementsRequest(namespace="acme", sessions=[""], **PAGE), PAGE_FIELDS | {"sessions[0]"}),
        ("ListSessions", pb.ListSessionsRequest(namespace="/", **PAGE), PAGE_FIELDS | {"namespace"}),
        ("ListEntities", pb.ListEntitiesRequest(namespace="acme", name="x" * 999, **PAGE), PAGE_FIELDS | {"name"}),
        ("ListJobs", pb.ListJobsRequest(namespace="acme", states=unknown(0), **PAGE), PAGE_FIELDS | {"states[0]"}),
        ("GetNode", pb.GetNodeRequest(namespace="/", max_edges=-1, at_least=["x"]), {"namespace", "node_id", "max_edges", "at_least[0]"}),
        ("GetEvent", pb.GetEventRequest(namespace="acme", at_least=["x"]), {"event_id", "at_least[0]"}),
        ("GetJob", pb.GetJobRequest(namespace="acme", at_least=["x"]), {"job_id", "at_least[0]"}),
        ("WatchJob", pb.WatchJobRequest(namespace="acme", at_least=["x"]), {"job_id", "at_least[0]"}),
        (
            "TraverseEvents",
            pb.TraverseEventsRequest(namespace="acme", max_hops=9, at_least=["x"]),
            {"start_ids", "max_hops", "at_least[0]"},
        ),
        ("ExportNamespace", pb.ExportNamespaceRequest(namespace="/", at_least=["x"]), {"namespace", "at_least[0]"}),
        ("DeleteMemories", pb.DeleteMemoriesRequest(namespace="/", request_id="x" * 999), {"namespace", "selector", "request_id"}),
        ("FlushSession", pb.FlushSessionRequest(namespace="/", session="x" * 999), {"namespace", "session"}),
        ("CancelJob", pb.CancelJobRequest(namespace="/"), {"namespace", "job_id"}),
        ("RevertDecision", pb.RevertDecisionRequest(namespace="/"), {"namespace", "newer_id", "older_id"}),
        ("DecideEntityLink", pb.DecideEntityLinkRequest(namespace="/"), {"namespace", "entity_id", "other_id", "verdict"}),
        (
            "AppendMessages",
            append(
                message(text="", sent_at_local="2024-03-05T18:30:00"),
                message(embedding=vector_pb2.Vector(values=[math.nan])),
                namespace="/",
                time_zone="Mars",
                request_id="x" * 999,
            ),
            {"namespace", "time_zone", "request_id", "messages[0].text", "messages[1].embedding.values"},
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_all_that_the_request_shows_is_told_at_once(
    acme: Any, refused: Callable[..., Any], method: str, request_: Any, fields: set[str]
) -> None:
    refusal = await refused(outcome(getattr(acme.memory, method)(request_)))
    assert refusal.reason == "INVALID_ARGUMENT"
    assert refusal.fields.keys() == fields


async def test_all_that_is_wrong_with_a_query_in_cypher_and_a_listing_of_namespaces_is_told_at_once(
    acme: Any, refused: Callable[..., Any]
) -> None:
    query = inspection_service_pb2.RunCypherRequest(namespace="/", max_rows=-1, scope=unknown(9)[0], at_least=["x"])
    assert (await refused(outcome(acme.inspection.RunCypher(query)))).fields.keys() == {
        "namespace",
        "query",
        "max_rows",
        "scope",
        "at_least[0]",
    }
    listing = ns.ListNamespacesRequest(prefix="/", **PAGE)
    assert (await refused(acme.namespaces.ListNamespaces(listing))).fields.keys() == PAGE_FIELDS | {"prefix"}


async def test_a_limit_says_what_leaving_it_out_means(acme: Any, refused: Callable[..., Any]) -> None:
    bad = retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="x", k=1001)
    told = (await refused(acme.memory.BuildContext(pb.BuildContextRequest(query=bad, token_budget=1)))).fields
    assert told == {
        "query.k": "must be from 1 to 1,000; leave it out for as many as the budget has room for",
        "token_budget": "must be from 16 to 100,000; leave it out for 1,500",
    }
    assert (await refused(acme.memory.Retrieve(pb.RetrieveRequest(query=bad)))).fields == {
        "query.k": "must be from 1 to 1,000; leave it out for 10"
    }


async def test_a_thousand_wrong_fields_still_make_an_answer(acme: Any, refused: Callable[..., Any]) -> None:
    refusal = await refused(acme.memory.AppendMessages(append(*[message(text="", speaker="é" * 201)] * 1000)))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert 16 <= len(refusal.fields) < 1000
    assert refusal.info.metadata["violations"] == "2000"


def with_surrogate(request: Any) -> bytes:
    """The request's bytes with a lone surrogate, which no client's own strings can hold."""
    return request.SerializeToString().replace(b"ZZZ", "\ud800".encode("utf-8", "surrogatepass"))  # type: ignore[no-any-return]


@pytest.mark.parametrize(("method", "request_", "field"), SURROGATES, ids=[field for _, _, field in SURROGATES])
async def test_lone_surrogates_are_refused_with_the_field(
    acme: Any, refused: Callable[..., Any], method: str, request_: Any, field: str
) -> None:
    refusal = await refused(acme.channel.unary_unary(f"/structmem.v1.{method}")(with_surrogate(request_)))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.fields == {field: NOT_UTF8}


async def test_a_surrogate_in_a_stream_is_refused_with_the_field(acme: Any, refused: Callable[..., Any]) -> None:
    header = pb.ImportMessagesRequest(header=pb.ImportMessagesHeader(namespace="acme"))
    batch = pb.ImportMessagesRequest(batch=pb.ImportMessagesBatch(session="s", messages=[message(text="ZZZ")]))

    async def stream() -> Any:
        yield header.SerializeToString()
        yield with_surrogate(batch)

    refusal = await refused(acme.channel.stream_unary("/structmem.v1.MemoryService/ImportMessages")(stream()))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert refusal.fields == {"batch.messages[0].text": NOT_UTF8}
    assert (await acme.memory.ListSessions(pb.ListSessionsRequest(namespace="acme"))).sessions == []


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x0a\xff", b"\x0b"])
async def test_bytes_that_are_no_message_are_refused(acme: Any, refused: Callable[..., Any], data: bytes) -> None:
    refusal = await refused(acme.channel.unary_unary("/structmem.v1.MemoryService/AppendMessages")(data))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert "request" in refusal.fields


async def test_an_unknown_namespace_is_not_found(acme: Any, refused: Callable[..., Any]) -> None:
    for call in (
        acme.memory.AppendMessages(append(namespace="nobody")),
        acme.memory.FlushSession(pb.FlushSessionRequest(namespace="nobody")),
        acme.memory.Retrieve(retrieve(namespaces=["acme", "nobody"])),
        acme.memory.ListEvents(pb.ListEventsRequest(namespace="nobody")),
        acme.memory.GetNode(pb.GetNodeRequest(namespace="nobody", node_id=MESSAGE_ID)),
        acme.memory.ExportNamespace(pb.ExportNamespaceRequest(namespace="nobody")),
        acme.namespaces.GetNamespace(ns.GetNamespaceRequest(namespace="nobody")),
        acme.namespaces.DeleteNamespace(ns.DeleteNamespaceRequest(namespace="nobody")),
    ):
        refusal = await refused(outcome(call))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "NAMESPACE_NOT_FOUND")
        assert refusal.info.metadata["namespace"] == "nobody"


async def test_what_is_not_in_a_namespace_is_told_apart(acme: Any, refused: Callable[..., Any]) -> None:
    for call in (
        acme.memory.GetNode(pb.GetNodeRequest(namespace="acme", node_id=MESSAGE_ID)),
        acme.memory.GetJob(pb.GetJobRequest(namespace="acme", job_id=UuidSource().mint("job"))),
        acme.memory.FlushSession(pb.FlushSessionRequest(namespace="acme", session="nobody's")),
    ):
        refusal = await refused(outcome(call))
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.NOT_FOUND, "NOT_FOUND")


@pytest.mark.parametrize(
    ("method", "request_", "field"),
    NAMESPACE_CASES,
    ids=[f"{method}-{field}-{i}" for i, (method, _, field) in enumerate(NAMESPACE_CASES)],
)
async def test_a_bad_field_of_a_namespace_is_named(acme: Any, refused: Callable[..., Any], method: str, request_: Any, field: str) -> None:
    before = await acme.namespaces.ListNamespaces(ns.ListNamespacesRequest())
    refusal = await refused(getattr(acme.namespaces, method)(request_))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
    assert field in refusal.fields
    assert await acme.namespaces.ListNamespaces(ns.ListNamespacesRequest()) == before


async def test_a_name_that_is_taken_is_refused(acme: Any, refused: Callable[..., Any]) -> None:
    refusal = await refused(acme.namespaces.CreateNamespace(ns.CreateNamespaceRequest(namespace="acme")))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS")
    assert dict(refusal.info.metadata) == {"namespace": "acme"}


@pytest.mark.parametrize("values", [[1.0, 2.0], [1.0] * 4, [math.nan, 0.0, 1.0], [math.inf, 0.0, 1.0], [0.0, 0.0, 0.0], []])
async def test_a_vector_that_does_not_fit_is_refused(shared_service: Any, refused: Callable[..., Any], values: list[float]) -> None:
    spec = namespace_pb2.EmbeddingSpec(model="own", dimension=3)
    request = ns.CreateNamespaceRequest(namespace="vectors", embedding=spec)
    with suppress(grpc.aio.AioRpcError):  # it is there already
        await shared_service.namespaces.CreateNamespace(request)
    vector = vector_pb2.Vector(values=values)
    refusal = await refused(shared_service.memory.AppendMessages(append(message(embedding=vector), namespace="vectors")))
    assert "messages[0].embedding.values" in refusal.fields
    refusal = await refused(shared_service.memory.Retrieve(retrieve(namespaces=["vectors"], embedding=vector)))
    assert "query.embedding.values" in refusal.fields


async def test_a_namespace_is_not_created_by_a_request_that_is_refused(shared_service: Any, refused: Callable[..., Any]) -> None:
    await refused(shared_service.memory.AppendMessages(append(message(text=""), namespace="fresh", create_namespace=True)))
    refusal = await refused(shared_service.namespaces.GetNamespace(ns.GetNamespaceRequest(namespace="fresh")))
    assert refusal.code is grpc.StatusCode.NOT_FOUND
