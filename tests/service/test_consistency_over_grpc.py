"""Every read shows the writes whose tokens it is given, or says that it cannot."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
import pytest
from structmem.v1 import (
    answer_service_pb2,
    inspection_service_pb2,
    memory_service_pb2,
    namespace_service_pb2,
    retrieval_pb2,
    summary_service_pb2,
)
from structmem.v1 import memory_service_pb2 as pb

from graph.model import UuidSource
from graph.store.port import ConsistencyPoint

JOB, NODE, EVENT, ENTITY, SUMMARY = (UuidSource().mint(prefix) for prefix in ("job", "msg", "evt", "ent", "sum"))


def asked(tokens: list[str]) -> retrieval_pb2.RetrievalQuery:
    return retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="Hi", at_least=tokens)


READS: dict[str, Callable[[list[str]], Any]] = {
    "Retrieve": lambda tokens: pb.RetrieveRequest(query=asked(tokens)),
    "BuildContext": lambda tokens: pb.BuildContextRequest(query=asked(tokens)),
    "ExplainMiss": lambda tokens: pb.ExplainMissRequest(query=asked(tokens), node_id=NODE),
    "GetNode": lambda tokens: pb.GetNodeRequest(namespace="acme", node_id=NODE, at_least=tokens),
    "GetEvent": lambda tokens: pb.GetEventRequest(namespace="acme", event_id=EVENT, at_least=tokens),
    "ListEvents": lambda tokens: pb.ListEventsRequest(namespace="acme", at_least=tokens),
    "ListStatements": lambda tokens: pb.ListStatementsRequest(namespace="acme", at_least=tokens),
    "ListMessages": lambda tokens: pb.ListMessagesRequest(namespace="acme", at_least=tokens),
    "ListSessions": lambda tokens: pb.ListSessionsRequest(namespace="acme", at_least=tokens),
    "ListEntities": lambda tokens: pb.ListEntitiesRequest(namespace="acme", at_least=tokens),
    "TraverseEvents": lambda tokens: pb.TraverseEventsRequest(namespace="acme", start_ids=[ENTITY], at_least=tokens),
    "ExportNamespace": lambda tokens: pb.ExportNamespaceRequest(namespace="acme", at_least=tokens),
    "GetJob": lambda tokens: pb.GetJobRequest(namespace="acme", job_id=JOB, at_least=tokens),
    "ListJobs": lambda tokens: pb.ListJobsRequest(namespace="acme", at_least=tokens),
    "WatchJob": lambda tokens: pb.WatchJobRequest(namespace="acme", job_id=JOB, at_least=tokens),
    "GetNamespace": lambda tokens: namespace_service_pb2.GetNamespaceRequest(namespace="acme", at_least=tokens),
    "ListNamespaces": lambda tokens: namespace_service_pb2.ListNamespacesRequest(at_least=tokens),
    "GetGraphStats": lambda tokens: inspection_service_pb2.GetGraphStatsRequest(namespace="acme", at_least=tokens),
    "GetUsage": lambda tokens: inspection_service_pb2.GetUsageRequest(namespace="acme", at_least=tokens),
    "RunCypher": lambda tokens: inspection_service_pb2.RunCypherRequest(namespace="acme", query="RETURN 1", at_least=tokens),
    "ListSummaries": lambda tokens: summary_service_pb2.ListSummariesRequest(namespace="acme", at_least=tokens),
    "GetSummary": lambda tokens: summary_service_pb2.GetSummaryRequest(namespace="acme", summary_id=SUMMARY, at_least=tokens),
    "Answer": lambda tokens: answer_service_pb2.AnswerRequest(query=asked(tokens)),
    "StreamAnswer": lambda tokens: answer_service_pb2.StreamAnswerRequest(query=asked(tokens)),
    "GetProfile": lambda tokens: summary_service_pb2.GetProfileRequest(namespace="acme", at_least=tokens),
}
MODULES = (answer_service_pb2, memory_service_pb2, namespace_service_pb2, inspection_service_pb2, summary_service_pb2)
WRITES = {
    "AppendMessages",
    "FlushSession",
    "ImportMessages",
    "DecideEntityLink",
    "RevertDecision",
    "DeleteMemories",
    "ImportNamespace",
    "ExpediteJob",
    "CancelJob",
    "RetryJob",
    "CreateNamespace",
    "UpdateNamespace",
    "DeleteNamespace",
    "ConsolidateSummaries",
}
# What a deletion leaves cannot be read.
WITHOUT_TOKEN = {"DeleteNamespace"}
OF_NO_NAMESPACE = {"GetServerInfo"}


def test_every_call_is_a_read_or_a_write_here() -> None:
    methods = {method.name for it in MODULES for service in it.DESCRIPTOR.services_by_name.values() for method in service.methods}
    assert methods == READS.keys() | WRITES | OF_NO_NAMESPACE


def test_every_write_says_what_reads_must_see() -> None:
    methods = [method for it in MODULES for service in it.DESCRIPTOR.services_by_name.values() for method in service.methods]
    with_token = {method.name for method in methods if "consistency_token" in method.output_type.fields_by_name}
    assert with_token == WRITES - WITHOUT_TOKEN


async def test_reads_see_what_was_done_to_jobs_and_namespaces(service: Any) -> None:
    made = await service.namespaces.CreateNamespace(namespace_service_pb2.CreateNamespaceRequest(namespace="acme"))
    changed = await service.namespaces.UpdateNamespace(namespace_service_pb2.UpdateNamespaceRequest(namespace="acme", description="Of Ana"))
    message = pb.MessageInput(speaker="Ana", text="Hi")
    appended = await service.memory.AppendMessages(pb.AppendMessagesRequest(namespace="acme", session="s", messages=[message]))
    one = {"namespace": "acme", "job_id": appended.job_id}
    flushed = await service.memory.FlushSession(pb.FlushSessionRequest(namespace="acme", session="s"))
    hurried = await service.memory.ExpediteJob(pb.ExpediteJobRequest(**one))
    tokens = [it.consistency_token for it in (made, changed, appended, flushed, hurried)]
    assert all(tokens)
    points = [service.application.consistency.points("at_least", [token])["acme"] for token in tokens]
    assert len({point.namespace_uid for point in points}) == 1
    assert [point.revision for point in points] == sorted(point.revision for point in points)
    job = (await service.memory.GetJob(pb.GetJobRequest(**one, at_least=tokens))).job
    assert job.id == appended.job_id


@pytest.fixture
async def acme(service: Any) -> Any:
    message = pb.MessageInput(speaker="Ana", text="Hi")
    request = pb.AppendMessagesRequest(namespace="acme", session="s", messages=[message], create_namespace=True)
    service.token = (await service.memory.AppendMessages(request)).consistency_token
    return service


async def outcome(service: Any, method: str, tokens: list[str]) -> None:
    stubs = (service.memory, service.namespaces, service.inspection, service.summaries, service.answers)
    stub = next(stub for stub in stubs if hasattr(stub, method))
    call = getattr(stub, method)(READS[method](tokens))
    if isinstance(call, AsyncIterator) or hasattr(call, "__aiter__"):
        async for _ in call:
            pass
    else:
        await call


async def code_of(call: Awaitable[None]) -> grpc.StatusCode:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error.code()
    return grpc.StatusCode.OK


@pytest.mark.parametrize("method", READS)
async def test_a_read_does_not_answer_without_what_it_must_see(acme: Any, refused: Callable[..., Any], method: str) -> None:
    uid = (await acme.application.store.namespace("acme").settings()).uid
    ahead = acme.application.consistency.make("acme", ConsistencyPoint(uid, 10**6, ()))
    refusal = await refused(outcome(acme, method, [acme.token, ahead]))
    assert (refusal.code, refusal.reason) == (grpc.StatusCode.UNAVAILABLE, "REVISION_NOT_REACHED")


@pytest.mark.parametrize("method", READS)
async def test_tokens_of_this_and_of_other_namespaces_are_met(acme: Any, method: str) -> None:
    other = acme.application.consistency.make("other", ConsistencyPoint("elsewhere", 10**6, ()))
    # What is asked for need not be there, nor an engine for Cypher; the tokens are no reason to refuse.
    assert await code_of(outcome(acme, method, [other, acme.token])) in (
        grpc.StatusCode.OK,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.FAILED_PRECONDITION,
    )
