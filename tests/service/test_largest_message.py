"""Whatever a caller may write can be read again: by id, in listings, as a hit, explained, exported and imported."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from structmem.v1 import filter_pb2, memory_service_pb2_grpc, retrieval_pb2
from structmem.v1 import memory_service_pb2 as pb

LIMIT = 3 << 20
# Every field at its limit, in letters of three and of four bytes.
LARGEST = (
    pb.MessageInput(speaker="茶" * 200, text="tea!" + "茶" * 999_996, client_id="四"),
    pb.MessageInput(speaker="😀" * 200, text="tea!" + "🍵" * 729_998, image_caption="🫖" * 20_000, client_id="😀" * 200),
)
for number in range(32):
    LARGEST[1].labels[f"{number:02}".ljust(100, "🏷")] = "🏷" * 500


@pytest.fixture
async def limited(service: Any) -> AsyncIterator[Any]:
    """A client that takes what most languages take, and no more."""
    options = [("grpc.max_receive_message_length", LIMIT)]
    async with grpc.aio.insecure_channel(service.application.address, options=options) as channel:
        yield memory_service_pb2_grpc.MemoryServiceStub(channel)


def said(messages: Any) -> list[tuple[str, str, str, dict[str, str]]]:
    return [(m.speaker, m.text, m.image_caption, dict(m.labels)) for m in messages]


async def listed(memory: Any, namespace: str) -> list[Any]:
    request, messages = pb.ListMessagesRequest(namespace=namespace, page_size=100), []
    while True:
        page = await memory.ListMessages(request)
        messages += page.messages
        if not page.next_page_token:
            return messages
        request.page_token = page.next_page_token


async def test_the_largest_messages_are_read_again_by_every_call(service: Any, limited: Any) -> None:
    ids = []
    for message in LARGEST:
        assert 2_999_990 <= len((message.text + message.image_caption).encode()) <= 3_000_000
        request = pb.AppendMessagesRequest(namespace="acme", session="s", messages=[message], create_namespace=True)
        ids += [stored.id for stored in (await limited.AppendMessages(request)).messages]
    assert said(await listed(limited, "acme")) == said(LARGEST)
    for id_, message in zip(ids, LARGEST, strict=True):
        node = (await limited.GetNode(pb.GetNodeRequest(namespace="acme", node_id=id_))).node
        assert said([node.message]) == said([message])
        query = retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="tea", filter=filter_pb2.MemoryFilter(speakers=[message.speaker]))
        found = await limited.Retrieve(pb.RetrieveRequest(query=query, explain=True))
        assert said([hit.memory.message for hit in found.hits]) == said([message])
        missed = await limited.ExplainMiss(pb.ExplainMissRequest(query=query, node_id=id_))
        assert missed.hit.memory.message.text == message.text


async def test_a_namespace_of_the_largest_messages_is_exported_and_imported(service: Any, limited: Any) -> None:
    request = pb.AppendMessagesRequest(namespace="acme", session="s", messages=LARGEST, create_namespace=True)
    await limited.AppendMessages(request)
    exported = [part async for part in limited.ExportNamespace(pb.ExportNamespaceRequest(namespace="acme"))]

    async def requests() -> AsyncIterator[pb.ImportNamespaceRequest]:
        header, *batches, trailer = exported
        yield pb.ImportNamespaceRequest(header=pb.ImportNamespaceHeader(namespace="copy", export_header=header.header))
        for part in batches:
            yield pb.ImportNamespaceRequest(batch=part.batch)
        yield pb.ImportNamespaceRequest(trailer=trailer.trailer)

    await limited.ImportNamespace(requests())
    assert said(await listed(limited, "copy")) == said(LARGEST)


async def test_a_message_that_could_not_be_read_again_is_refused_with_its_size(
    service: Any, limited: Any, refused: Callable[..., Any]
) -> None:
    for text, caption in (("🍵" * 750_001, ""), ("茶" * 1_000_000, "!")):
        messages = [pb.MessageInput(speaker="Ana", text="hello"), pb.MessageInput(speaker="Ana", text=text, image_caption=caption)]
        call = limited.AppendMessages(pb.AppendMessagesRequest(namespace="acme", session="s", messages=messages, create_namespace=True))
        refusal = await refused(call)
        assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
        assert list(refusal.fields) == ["messages[1].text"]
        assert f"it has {len((text + caption).encode()):,}" in refusal.fields["messages[1].text"]
