"""No answer, page or element of a stream is larger than clients take, and nobody is left without what it had no room for."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
import pytest_asyncio
from structmem.v1 import memory_service_pb2 as pb
from structmem.v1 import memory_service_pb2_grpc, namespace_service_pb2, retrieval_pb2

from graph.model import Role
from graph.store.port import AppendCommand, MessageDraft

# In one worker: what its tests share takes seconds to make.
pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("answer size")]
LIMIT = 3 << 20
MESSAGES, CHARACTERS = 24, 190_000


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filled(shared_service: Any) -> AsyncIterator[Any]:
    """A namespace of long messages, some in Japanese, and a client with the limit that most languages have."""
    service = shared_service
    service.ids = []
    for start in range(0, MESSAGES, 12):
        # Every other message has letters of three bytes.
        texts = [(f"Tea {n}. " + ("茶 " if n % 2 else "a ") * CHARACTERS)[:CHARACTERS] for n in range(start, start + 12)]
        inputs = [pb.MessageInput(speaker="Ana", text=text) for text in texts]
        request = pb.AppendMessagesRequest(namespace="long", session="s", messages=inputs, create_namespace=True)
        service.ids += [message.id for message in (await service.memory.AppendMessages(request)).messages]
    limited = [("grpc.max_receive_message_length", LIMIT)]
    async with grpc.aio.insecure_channel(service.application.address, options=limited) as channel:
        service.limited = memory_service_pb2_grpc.MemoryServiceStub(channel)
        yield service


async def test_a_listing_gives_all_in_pages_that_clients_take(filled: Any) -> None:
    request = pb.ListMessagesRequest(namespace="long", page_size=500)
    listed, pages = [], 0
    while True:
        page = await filled.limited.ListMessages(request)
        listed += [message.id for message in page.messages]
        pages += 1
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert listed == filled.ids
    total = sum(len(("茶 " if n % 2 else "a ").encode()) * CHARACTERS // 2 for n in range(MESSAGES))
    assert pages <= 1.5 * total / LIMIT + 1


async def test_hits_without_room_are_named_and_can_be_had_one_by_one(filled: Any) -> None:
    query = retrieval_pb2.RetrievalQuery(namespaces=["long"], text="tea", k=MESSAGES, recipe="lexical")
    answer = await filled.limited.Retrieve(pb.RetrieveRequest(query=query, explain=True))
    assert answer.hits
    assert answer.omitted
    ranks = sorted([hit.rank for hit in answer.hits] + [hit.rank for hit in answer.omitted])
    assert ranks == list(range(1, len(ranks) + 1))
    assert {hit.memory.message.id for hit in answer.hits} | {hit.node_id for hit in answer.omitted} == set(filled.ids)
    missed = answer.omitted[0]
    node = await filled.limited.GetNode(pb.GetNodeRequest(namespace=missed.namespace, node_id=missed.node_id))
    assert node.node.message.id == missed.node_id


async def test_a_node_comes_without_the_neighbors_that_have_no_room(filled: Any) -> None:
    [session] = (await filled.memory.ListSessions(pb.ListSessionsRequest(namespace="long"))).sessions
    view = await filled.limited.GetNode(pb.GetNodeRequest(namespace="long", node_id=session.id, max_edges=1000))
    assert view.neighbors_truncated
    assert 0 < len(view.neighbors) < len(view.edges) == MESSAGES
    assert not view.edges_truncated


async def test_elements_of_an_export_are_taken_by_every_client(filled: Any) -> None:
    exported = []
    async for part in filled.limited.ExportNamespace(pb.ExportNamespaceRequest(namespace="long")):
        exported += [record.node.message.id for record in part.batch.records if record.node.HasField("message")]
    assert exported == filled.ids


async def test_contexts_and_explained_misses_are_taken_by_every_client(filled: Any) -> None:
    query = retrieval_pb2.RetrievalQuery(namespaces=["long"], text="tea", recipe="lexical", k=3)
    built = await filled.limited.BuildContext(pb.BuildContextRequest(query=query, token_budget=100_000))
    assert built.entries
    missed = await filled.limited.ExplainMiss(pb.ExplainMissRequest(query=query, node_id=filled.ids[-1]))
    assert missed.hit.memory.message.id == filled.ids[-1]


async def test_what_alone_is_larger_is_told_as_such_and_the_listing_goes_on_after_it(
    tmp_path_factory: Any, running: Callable[..., Any], refused: Callable[..., Any]
) -> None:
    async with running(tmp_path_factory.mktemp("large"), max_send_mb=1, workers=0) as service:
        await service.namespaces.CreateNamespace(namespace_service_pb2.CreateNamespaceRequest(namespace="acme"))
        now = datetime(2024, 3, 4, tzinfo=UTC)
        # Longer than a caller may write it, so that the store is told by itself.
        drafts = tuple(MessageDraft("Ana", Role.USER, text, now) for text in ("short", "🍵" * 300_000, "short, too"))
        appended = await service.application.store.namespace("acme").append(AppendCommand("s", drafts, timedelta(0)))
        ids = [message.id for message in appended.messages]
        refusal = await refused(service.memory.GetNode(pb.GetNodeRequest(namespace="acme", node_id=ids[1])))
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ERROR_REASON_ELEMENT_TOO_LARGE")
        assert refusal.info.metadata["id"] == ids[1]
        assert refusal.metadata["x-request-id"]
        assert refusal.retry is None
        listing = pb.ListMessagesRequest(namespace="acme")
        first = await service.memory.ListMessages(listing)
        assert [message.id for message in first.messages] == ids[:1]
        listing.page_token = first.next_page_token
        refusal = await refused(service.memory.ListMessages(listing))
        assert (refusal.info.reason, refusal.info.metadata["id"]) == ("ERROR_REASON_ELEMENT_TOO_LARGE", ids[1])
        listing.page_token = refusal.info.metadata["next_page_token"]
        assert [message.id for message in (await service.memory.ListMessages(listing)).messages] == ids[2:]
        stream = service.memory.ExportNamespace(pb.ExportNamespaceRequest(namespace="acme"))

        async def exported() -> None:
            async for _ in stream:
                pass

        assert (await refused(exported())).info.reason == "ERROR_REASON_ELEMENT_TOO_LARGE"
        query = retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="short", recipe="lexical")
        assert (await service.memory.Retrieve(pb.RetrieveRequest(query=query))).hits


async def test_an_answer_that_cannot_be_cut_has_a_reason_a_request_id_and_a_true_line_in_the_log(
    tmp_path_factory: Any, running: Callable[..., Any], refused: Callable[..., Any], eventually: Callable[..., Any], capfd: Any
) -> None:
    logged = ""

    async def told() -> bool:
        # The line is written when the answer is under way.
        nonlocal logged
        logged += capfd.readouterr().err
        return '"BuildContext"' in logged

    async with running(tmp_path_factory.mktemp("uncut"), max_send_mb=1, workers=0, log_level="info", log_format="json") as service:
        for number in range(7):
            message = pb.MessageInput(speaker="Ana", text=f"{number}. " + "information " * 15_000)
            request = pb.AppendMessagesRequest(namespace="acme", session="s", messages=[message], create_namespace=True)
            await service.memory.AppendMessages(request)
        query = retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="information", recipe="lexical")
        refusal = await refused(service.memory.BuildContext(pb.BuildContextRequest(query=query, token_budget=100_000)))
        assert (refusal.code, refusal.info.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ERROR_REASON_ANSWER_TOO_LARGE")
        assert int(refusal.info.metadata["bytes"]) > int(refusal.info.metadata["limit"]) == 1 << 20
        assert refusal.metadata["x-request-id"]
        await eventually(told)
        line = next(line for line in logged.splitlines() if '"BuildContext"' in line)
        assert "FAILED_PRECONDITION" in line
        assert "ANSWER_TOO_LARGE" in line
        assert (await service.memory.BuildContext(pb.BuildContextRequest(query=query, token_budget=1_000))).entries
