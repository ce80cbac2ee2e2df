"""Tokens and rights over the wire; what nobody may learn."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from structmem.v1 import answer_service_pb2 as apb
from structmem.v1 import inspection_service_pb2, namespace_service_pb2, retrieval_pb2
from structmem.v1 import memory_service_pb2 as pb
from structmem.v1 import summary_service_pb2 as spb

from graph.model import UuidSource

TOKENS = """
[[token]]
name = "reader"
token = "reader-token-0123456789"
[[token.grant]]
namespaces = ["acme/**"]
rights = ["read"]

[[token]]
name = "writer"
token = "writer-token-0123456789"
[[token.grant]]
namespaces = ["acme/**"]
rights = ["write"]

[[token]]
name = "ops"
token = "operator-token-0123456789"
[[token.grant]]
namespaces = ["**"]
rights = ["read", "write", "admin"]
"""
NODE, JOB, SUMMARY = (UuidSource().mint(prefix) for prefix in ("msg", "job", "sum"))
ENTITY, OTHER = UuidSource().mint("ent"), UuidSource().mint("ent")
OTHER_NODE = UuidSource().mint("msg")
ns = namespace_service_pb2


def bearer(name: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {name}-token-0123456789")]


def append(name: str) -> pb.AppendMessagesRequest:
    return pb.AppendMessagesRequest(
        namespace=name, session="s", messages=[pb.MessageInput(speaker="Ana", text="Hi")], create_namespace=True
    )


async def stream(*requests: Any) -> AsyncIterator[Any]:
    for request in requests:
        yield request


# Every call that names a namespace, with the right that it needs.
CALLS: list[tuple[str, str, str, Callable[[str], Any]]] = [
    ("memory", "AppendMessages", "write", append),
    ("memory", "FlushSession", "write", lambda n: pb.FlushSessionRequest(namespace=n)),
    (
        "memory",
        "ImportMessages",
        "write",
        lambda n: stream(pb.ImportMessagesRequest(header=pb.ImportMessagesHeader(namespace=n, create_namespace=True))),
    ),
    ("memory", "Retrieve", "read", lambda n: pb.RetrieveRequest(query=retrieval_pb2.RetrievalQuery(namespaces=[n], text="Hi"))),
    ("memory", "BuildContext", "read", lambda n: pb.BuildContextRequest(query=retrieval_pb2.RetrievalQuery(namespaces=[n], text="Hi"))),
    (
        "memory",
        "ExplainMiss",
        "read",
        lambda n: pb.ExplainMissRequest(query=retrieval_pb2.RetrievalQuery(namespaces=[n], text="Hi"), node_id=NODE),
    ),
    ("memory", "GetNode", "read", lambda n: pb.GetNodeRequest(namespace=n, node_id=NODE)),
    ("memory", "GetEvent", "read", lambda n: pb.GetEventRequest(namespace=n, event_id=UuidSource().mint("evt"))),
    ("memory", "ListEvents", "read", lambda n: pb.ListEventsRequest(namespace=n)),
    ("memory", "ListStatements", "read", lambda n: pb.ListStatementsRequest(namespace=n)),
    ("memory", "ListMessages", "read", lambda n: pb.ListMessagesRequest(namespace=n)),
    ("memory", "ListSessions", "read", lambda n: pb.ListSessionsRequest(namespace=n)),
    ("memory", "ListEntities", "read", lambda n: pb.ListEntitiesRequest(namespace=n)),
    ("memory", "TraverseEvents", "read", lambda n: pb.TraverseEventsRequest(namespace=n, start_ids=[ENTITY])),
    (
        "memory",
        "DecideEntityLink",
        "write",
        lambda n: pb.DecideEntityLinkRequest(namespace=n, entity_id=ENTITY, other_id=OTHER, verdict=1),
    ),
    ("memory", "RevertDecision", "write", lambda n: pb.RevertDecisionRequest(namespace=n, newer_id=NODE, older_id=OTHER_NODE)),
    ("memory", "DeleteMemories", "write", lambda n: pb.DeleteMemoriesRequest(namespace=n, session="none")),
    ("memory", "ExportNamespace", "read", lambda n: pb.ExportNamespaceRequest(namespace=n)),
    ("memory", "GetJob", "read", lambda n: pb.GetJobRequest(namespace=n, job_id=JOB)),
    ("memory", "ListJobs", "read", lambda n: pb.ListJobsRequest(namespace=n)),
    ("memory", "WatchJob", "read", lambda n: pb.WatchJobRequest(namespace=n, job_id=JOB)),
    ("memory", "ExpediteJob", "write", lambda n: pb.ExpediteJobRequest(namespace=n, job_id=JOB)),
    ("memory", "CancelJob", "write", lambda n: pb.CancelJobRequest(namespace=n, job_id=JOB)),
    ("memory", "RetryJob", "write", lambda n: pb.RetryJobRequest(namespace=n, job_id=JOB)),
    (
        "memory",
        "ImportNamespace",
        "admin",
        lambda n: stream(pb.ImportNamespaceRequest(header=pb.ImportNamespaceHeader(namespace=n))),
    ),
    ("namespaces", "CreateNamespace", "admin", lambda n: ns.CreateNamespaceRequest(namespace=n + "/new")),
    ("namespaces", "GetNamespace", "read", lambda n: ns.GetNamespaceRequest(namespace=n)),
    ("namespaces", "UpdateNamespace", "admin", lambda n: ns.UpdateNamespaceRequest(namespace=n)),
    ("namespaces", "DeleteNamespace", "admin", lambda n: ns.DeleteNamespaceRequest(namespace=n + "/none")),
    ("inspection", "GetGraphStats", "read", lambda n: inspection_service_pb2.GetGraphStatsRequest(namespace=n)),
    ("inspection", "GetUsage", "read", lambda n: inspection_service_pb2.GetUsageRequest(namespace=n)),
    ("inspection", "RunCypher", "read", lambda n: inspection_service_pb2.RunCypherRequest(namespace=n, query="RETURN 1")),
    ("summaries", "ListSummaries", "read", lambda n: spb.ListSummariesRequest(namespace=n)),
    ("summaries", "GetSummary", "read", lambda n: spb.GetSummaryRequest(namespace=n, summary_id=SUMMARY)),
    ("summaries", "GetProfile", "read", lambda n: spb.GetProfileRequest(namespace=n)),
    ("summaries", "ConsolidateSummaries", "write", lambda n: spb.ConsolidateSummariesRequest(namespace=n)),
    ("answers", "Answer", "read", lambda n: apb.AnswerRequest(query=retrieval_pb2.RetrievalQuery(namespaces=[n], text="Hi"))),
    ("answers", "StreamAnswer", "read", lambda n: apb.StreamAnswerRequest(query=retrieval_pb2.RetrievalQuery(namespaces=[n], text="Hi"))),
]


@pytest.fixture
async def guarded(tmp_path: Path, running: Callable[..., Any]) -> AsyncIterator[Any]:
    (tmp_path / "tokens.toml").write_text(TOKENS)
    async with running(tmp_path, token_file=tmp_path / "tokens.toml") as service:
        for name in ("acme/support", "acme/sales", "other/secret"):
            await service.namespaces.CreateNamespace(ns.CreateNamespaceRequest(namespace=name), metadata=bearer("operator"))
        yield service


async def code_of(service: Any, stub: str, method: str, request: Any, metadata: Any) -> tuple[grpc.StatusCode, str]:
    call = getattr(getattr(service, stub), method)(request, metadata=metadata)
    try:
        if isinstance(call, grpc.aio.UnaryStreamCall):
            async for _ in call:
                pass
        else:
            await call
    except grpc.aio.AioRpcError as error:
        return error.code(), error.details() or ""
    return grpc.StatusCode.OK, ""


def test_every_method_that_names_a_namespace_is_in_the_table() -> None:
    services = {"memory": pb, "namespaces": ns, "inspection": inspection_service_pb2, "summaries": spb, "answers": apb}
    methods = {
        (stub, method.name)
        for stub, module in services.items()
        for described in module.DESCRIPTOR.services_by_name.values()
        for method in described.methods
    }
    assert methods - {(stub, method) for stub, method, _, _ in CALLS} == {("namespaces", "ListNamespaces"), ("inspection", "GetServerInfo")}


async def test_each_call_needs_its_right_and_a_foreign_namespace_answers_like_none(guarded: Any) -> None:
    denied = grpc.StatusCode.PERMISSION_DENIED
    for stub, method, right, make in CALLS:
        for holder, held in (("reader", "read"), ("writer", "write")):
            code, _ = await code_of(guarded, stub, method, make("acme/support"), bearer(holder))
            assert (code is denied) == (held != right), (method, holder, code)
            there = await code_of(guarded, stub, method, make("other/secret"), bearer(holder))
            nowhere = await code_of(guarded, stub, method, make("other/nothing"), bearer(holder))
            assert there == nowhere, method
            assert there[0] is denied, (method, holder, there)
        code, _ = await code_of(guarded, stub, method, make("acme/support"), bearer("operator"))
        assert code not in {denied, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}, (method, code)


@pytest.mark.parametrize(
    "metadata",
    [
        [],
        [("authorization", "Bearer nobody-has-this-token")],
        [("authorization", "Basic reader-token-0123456789")],
        [("authorization", "reader-token-0123456789")],
        [("authorization", "Bearer ")],
        [*bearer("reader"), *bearer("operator")],
    ],
)
async def test_without_a_known_token_nothing_is_answered(guarded: Any, refused: Callable[..., Any], metadata: Any) -> None:
    for call in (
        guarded.inspection.GetServerInfo(inspection_service_pb2.GetServerInfoRequest(), metadata=metadata),
        guarded.namespaces.ListNamespaces(ns.ListNamespacesRequest(), metadata=metadata),
        guarded.memory.ListSessions(pb.ListSessionsRequest(namespace="acme/support"), metadata=metadata),
    ):
        refusal = await refused(call)
        assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAUTHENTICATED, "UNAUTHENTICATED")


async def test_health_is_open(guarded: Any) -> None:
    stub: Any = health_pb2_grpc.HealthStub(guarded.channel)  # type: ignore[no-untyped-call]
    assert (await stub.Check(health_pb2.HealthCheckRequest())).status == health_pb2.HealthCheckResponse.SERVING


async def test_a_retrieval_needs_the_right_to_each_namespace(guarded: Any, refused: Callable[..., Any]) -> None:
    both = pb.RetrieveRequest(query=retrieval_pb2.RetrievalQuery(namespaces=["acme/support", "other/secret"], text="Hi"))
    assert (await refused(guarded.memory.Retrieve(both, metadata=bearer("reader")))).code is grpc.StatusCode.PERMISSION_DENIED
    await guarded.memory.Retrieve(both, metadata=bearer("operator"))


async def test_a_listing_shows_only_readable_namespaces(guarded: Any) -> None:
    async def names(who: str, **fields: Any) -> tuple[list[str], str]:
        page = await guarded.namespaces.ListNamespaces(ns.ListNamespacesRequest(**fields), metadata=bearer(who))
        return [namespace.name for namespace in page.namespaces], page.next_page_token

    assert await names("operator") == (["acme/sales", "acme/support", "other/secret"], "")
    assert await names("reader") == (["acme/sales", "acme/support"], "")
    assert await names("writer") == ([], "")
    assert await names("reader", prefix="other") == ([], "")
    first, token = await names("reader", page_size=1)
    assert first == ["acme/sales"]
    assert await names("reader", page_size=1, page_token=token) == (["acme/support"], "")


async def test_a_revoked_token_stops_at_once(guarded: Any, tmp_path: Path, refused: Callable[..., Any]) -> None:
    request = ns.ListNamespacesRequest()
    await guarded.namespaces.ListNamespaces(request, metadata=bearer("reader"))
    (tmp_path / "tokens.toml").write_text(TOKENS.replace("reader-token", "another-token"))
    refusal = await refused(guarded.namespaces.ListNamespaces(request, metadata=bearer("reader")))
    assert refusal.code is grpc.StatusCode.UNAUTHENTICATED
