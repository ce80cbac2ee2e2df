"""A namespace out and in again: the same memory, or nothing of it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from structmem.v1 import exchange_pb2, namespace_service_pb2, node_pb2
from structmem.v1 import memory_service_pb2 as pb

from service.convert.exchange import Tally

get = namespace_service_pb2.GetNamespaceRequest


@pytest.fixture
async def filled(service: Any) -> Any:
    for session, texts in {
        "monday": ["My sister Maria moved to Lisbon in May 2023.", "She loves the sea."],
        "friday": ["Maria starts at the Oceanarium next week.", "Her dog is called Bruno."],
    }.items():
        messages = [pb.MessageInput(speaker="Ana", text=text, labels={"day": session}) for text in texts]
        request = pb.AppendMessagesRequest(namespace="acme", session=session, messages=messages, create_namespace=True)
        answer = await service.memory.AppendMessages(request)
        async for _ in service.memory.WatchJob(pb.WatchJobRequest(namespace="acme", job_id=answer.job_id, flush=True), timeout=20):
            pass
    return service


async def exported(service: Any, name: str = "acme", **fields: Any) -> list[exchange_pb2.ExportElement]:
    stream = service.memory.ExportNamespace(pb.ExportNamespaceRequest(namespace=name, **fields))
    return [element async for response in stream for element in response.elements]


async def requests(name: str, elements: list[exchange_pb2.ExportElement]) -> AsyncIterator[pb.ImportNamespaceRequest]:
    yield pb.ImportNamespaceRequest(target=pb.ImportNamespaceTarget(namespace=name))
    for element in elements:
        yield pb.ImportNamespaceRequest(element=element)


def records(elements: list[exchange_pb2.ExportElement]) -> list[bytes]:
    return sorted(element.SerializeToString(deterministic=True) for element in elements[1:-1])


async def test_an_export_imported_elsewhere_is_the_same_memory(filled: Any, tmp_path: Any, running: Callable[..., Any]) -> None:
    elements = await exported(filled)
    assert elements[0].WhichOneof("element") == "header"
    assert elements[-1].trailer.record_count == len(elements) - 2
    kinds = {element.node.WhichOneof("kind") for element in elements if element.HasField("node")}
    assert kinds == {"session", "message", "event", "statement", "entity"}
    async with running(tmp_path / "elsewhere") as other:
        answer = await other.memory.ImportNamespace(requests("copy/of", elements))
        assert (answer.namespace, answer.record_count) == ("copy/of", len(elements) - 2)
        again = await exported(other, "copy/of")
        assert records(again) == records(elements)
        theirs, ours = again[0].header.namespace, elements[0].header.namespace
        assert (theirs.embedding, theirs.extraction_mode, theirs.generation) == (ours.embedding, ours.extraction_mode, ours.generation)
        query: dict[str, Any] = {"query": "Where did Maria move?", "k": 5, "explain": True, "asked_at": elements[0].header.exported_at}
        one = await filled.memory.Retrieve(pb.RetrieveRequest(namespaces=["acme"], **query))
        two = await other.memory.Retrieve(pb.RetrieveRequest(namespaces=["copy/of"], at_least=answer.consistency_token, **query))
        assert [(hit.memory, hit.score) for hit in two.hits] == [(hit.memory, pytest.approx(hit.score)) for hit in one.hits]


async def test_an_export_without_vectors_is_embedded_anew(filled: Any, eventually: Callable[..., Any]) -> None:
    elements = await exported(filled, without_vectors=True)
    assert not any(element.HasField("vector") for element in elements)
    await filled.memory.ImportNamespace(requests("copy", elements))

    async def embedded() -> bool:
        described = await filled.application.store.describe("copy")
        return bool(described.vectors) and not described.vectors_pending

    await eventually(embedded)
    described = await filled.application.store.describe("acme")
    assert (await filled.application.store.describe("copy")).vectors == described.vectors


async def test_an_import_takes_the_exported_name_unless_it_is_taken(filled: Any, refused: Callable[..., Any]) -> None:
    elements = await exported(filled)
    refusal = await refused(filled.memory.ImportNamespace(requests("", elements)))
    assert refusal.code is grpc.StatusCode.ALREADY_EXISTS
    await filled.namespaces.DeleteNamespace(namespace_service_pb2.DeleteNamespaceRequest(namespace="acme"))
    assert (await filled.memory.ImportNamespace(requests("", elements))).namespace == "acme"


def without_trailer(elements: list[Any]) -> list[Any]:
    return elements[:-1]


def without_one(elements: list[Any]) -> list[Any]:
    return elements[:5] + elements[6:]


def with_a_changed_word(elements: list[Any]) -> list[Any]:
    message = next(element for element in elements if element.node.HasField("message"))
    message.node.message.text += "!"
    return elements


def after_the_trailer(elements: list[Any]) -> list[Any]:
    return [*elements, elements[2]]


def of_another_version(elements: list[Any]) -> list[Any]:
    elements[0].header.format_version = 2
    return elements


def without_header(elements: list[Any]) -> list[Any]:
    return elements[1:]


def with_a_bad_id(elements: list[Any]) -> list[Any]:
    next(element for element in elements if element.node.HasField("message")).node.message.id = "x"
    return elements


def with_a_second_header(elements: list[Any]) -> list[Any]:
    return [*elements[:3], elements[0], *elements[3:]]


def with_a_short_vector(elements: list[Any]) -> list[Any]:
    next(element for element in elements if element.HasField("vector")).vector.float16_values = b"\0\0"
    return elements


def with_a_dangling_edge(elements: list[Any]) -> list[Any]:
    edge = node_pb2.Edge(
        kind=node_pb2.EDGE_KIND_BEFORE, source_id="evt_01h455vb4pex5vsknk084sn02q", target_id="evt_01h455vb4pex5vsknk084sn02r"
    )
    tally = Tally()
    records = [*elements[1:-1], exchange_pb2.ExportElement(edge=edge)]
    tally.add(records)
    return [elements[0], *records, tally.trailer()]


@pytest.mark.parametrize(
    ("damage", "field"),
    [
        (without_trailer, "element.trailer"),
        (without_one, "element.trailer.sha256"),
        (with_a_changed_word, "element.trailer.sha256"),
        (after_the_trailer, "element"),
        (of_another_version, "element.header.format_version"),
        (without_header, "element"),
        (with_a_bad_id, "element.node.message.id"),
        (with_a_second_header, "element"),
        (with_a_short_vector, "element.vector.float16_values"),
        (with_a_dangling_edge, ""),
    ],
)
async def test_of_a_damaged_export_nothing_remains(
    filled: Any, refused: Callable[..., Any], damage: Callable[..., Any], field: str
) -> None:
    refusal = await refused(filled.memory.ImportNamespace(requests("copy", damage(await exported(filled)))))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert not field or field in refusal.fields
    assert (await refused(filled.namespaces.GetNamespace(get(namespace="copy")))).code is grpc.StatusCode.NOT_FOUND


async def test_an_export_shows_one_revision_whatever_is_written_meanwhile(filled: Any) -> None:
    stream = filled.memory.ExportNamespace(pb.ExportNamespaceRequest(namespace="acme"))
    responses = aiter(stream)
    header = (await anext(responses)).elements[0].header
    late = pb.AppendMessagesRequest(namespace="acme", session="monday", messages=[pb.MessageInput(speaker="Ana", text="late")])
    await filled.memory.AppendMessages(late)
    texts = [element.node.message.text async for response in responses for element in response.elements]
    assert "late" not in texts
    assert header.revision < (await filled.application.store.get_namespace("acme")).revision
