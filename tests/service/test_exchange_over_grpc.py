"""A namespace out and in again: the same memory, or nothing of it."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import grpc
import pytest
from structmem.v1 import exchange_pb2, namespace_service_pb2, node_pb2, retrieval_pb2
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
        await service.memory.ExpediteJob(pb.ExpediteJobRequest(namespace="acme", job_id=answer.job_id))
        async for _ in service.memory.WatchJob(pb.WatchJobRequest(namespace="acme", job_id=answer.job_id), timeout=20):
            pass
    return service


@dataclass
class Export:
    """An export, its batches joined. `after` follows the trailer where it is sent."""

    header: exchange_pb2.ExportHeader | None
    records: list[exchange_pb2.ExportRecord]
    trailer: exchange_pb2.ExportTrailer | None
    after: list[pb.ImportNamespaceRequest] = field(default_factory=list)


async def exported(service: Any, name: str = "acme", **fields: Any) -> Export:
    stream = service.memory.ExportNamespace(pb.ExportNamespaceRequest(namespace=name, **fields))
    header, *batches, trailer = [part async for part in stream]
    assert [part.WhichOneof("part") for part in (header, *batches, trailer)] == ["header", *["batch"] * len(batches), "trailer"]
    return Export(header.header, [record for part in batches for record in part.batch.records], trailer.trailer)


async def requests(name: str, export: Export, size: int = 1) -> AsyncIterator[pb.ImportNamespaceRequest]:
    if export.header:
        yield pb.ImportNamespaceRequest(header=pb.ImportNamespaceHeader(namespace=name, export_header=export.header))
    for start in range(0, len(export.records), size):
        yield pb.ImportNamespaceRequest(batch=exchange_pb2.ExportBatch(records=export.records[start : start + size]))
    if export.trailer:
        yield pb.ImportNamespaceRequest(trailer=export.trailer)
    for request in export.after:
        yield request


def contents(export: Export) -> list[bytes]:
    return sorted(record.SerializeToString(deterministic=True) for record in export.records)


async def test_an_export_imported_elsewhere_is_the_same_memory(filled: Any, tmp_path: Any, running: Callable[..., Any]) -> None:
    export = await exported(filled)
    assert export.header
    assert export.trailer
    assert export.trailer.record_count == len(export.records)
    kinds = {record.node.WhichOneof("kind") for record in export.records if record.HasField("node")}
    assert kinds == {"session", "message", "event", "statement", "entity"}
    async with running(tmp_path / "elsewhere") as other:
        answer = await other.memory.ImportNamespace(requests("copy/of", export))
        assert (answer.namespace, answer.record_count) == ("copy/of", len(export.records))
        again = await exported(other, "copy/of", at_least=[answer.consistency_token])
        assert again.header
        assert contents(again) == contents(export)
        theirs, ours = again.header.namespace, export.header.namespace
        assert (theirs.embedding, theirs.extraction_mode, theirs.generation) == (ours.embedding, ours.extraction_mode, ours.generation)
        query = retrieval_pb2.RetrievalQuery(namespaces=["acme"], text="Where did Maria move?", k=5, asked_at=export.header.exported_at)
        one = await filled.memory.Retrieve(pb.RetrieveRequest(query=query, explain=True))
        query.namespaces[:] = ["copy/of"]
        query.at_least.append(answer.consistency_token)
        two = await other.memory.Retrieve(pb.RetrieveRequest(query=query, explain=True))
        assert [(hit.memory, hit.score) for hit in two.hits] == [(hit.memory, pytest.approx(hit.score)) for hit in one.hits]


async def test_an_export_without_vectors_is_embedded_anew(filled: Any, eventually: Callable[..., Any]) -> None:
    export = await exported(filled, without_vectors=True)
    assert not any(record.HasField("vector") for record in export.records)
    await filled.memory.ImportNamespace(requests("copy", export, 1000))

    async def embedded() -> bool:
        described = await filled.application.store.namespace("copy").describe()
        return bool(described.vectors) and not described.vectors_pending

    await eventually(embedded)
    described = await filled.application.store.namespace("acme").describe()
    assert (await filled.application.store.namespace("copy").describe()).vectors == described.vectors


async def test_an_import_takes_the_exported_name_unless_it_is_taken(filled: Any, refused: Callable[..., Any]) -> None:
    export = await exported(filled)
    refusal = await refused(filled.memory.ImportNamespace(requests("", export)))
    assert refusal.code is grpc.StatusCode.ALREADY_EXISTS
    await filled.namespaces.DeleteNamespace(namespace_service_pb2.DeleteNamespaceRequest(namespace="acme"))
    assert (await filled.memory.ImportNamespace(requests("", export))).namespace == "acme"


def without_trailer(export: Export) -> Export:
    return replace(export, trailer=None)


def without_one(export: Export) -> Export:
    return replace(export, records=export.records[:5] + export.records[6:])


def with_a_changed_word(export: Export) -> Export:
    next(record for record in export.records if record.node.HasField("message")).node.message.text += "!"
    return export


def after_the_trailer(export: Export) -> Export:
    return replace(export, after=[pb.ImportNamespaceRequest(batch=exchange_pb2.ExportBatch(records=export.records[:1]))])


def of_another_version(export: Export) -> Export:
    assert export.header
    export.header.format_version = 2
    return export


def without_header(export: Export) -> Export:
    return replace(export, header=None)


def with_a_bad_id(export: Export) -> Export:
    next(record for record in export.records if record.node.HasField("message")).node.message.id = "x"
    return export


def with_a_second_header(export: Export) -> Export:
    second = pb.ImportNamespaceRequest(header=pb.ImportNamespaceHeader(export_header=export.header))
    return replace(export, trailer=None, after=[second])


def with_an_empty_record(export: Export) -> Export:
    return replace(export, records=[*export.records[:3], exchange_pb2.ExportRecord()])


def with_a_short_vector(export: Export) -> Export:
    next(record for record in export.records if record.HasField("vector")).vector.float16_values = b"\0\0"
    return export


def with_a_dangling_edge(export: Export) -> Export:
    edge = node_pb2.Edge(
        kind=node_pb2.EDGE_KIND_BEFORE, source_id="evt_01h455vb4pex5vsknk084sn02q", target_id="evt_01h455vb4pex5vsknk084sn02r"
    )
    tally = Tally()
    records = [*export.records, exchange_pb2.ExportRecord(edge=edge)]
    tally.add(records)
    return replace(export, records=records, trailer=tally.trailer())


def with_a_field_of_a_later_version(export: Export) -> Export:
    record = next(record for record in export.records if record.node.HasField("message"))
    record.node.message.MergeFromString(b"\xfa\x3f\x05later")  # field 1023, of five bytes
    return export


async def test_an_import_says_when_an_export_holds_what_this_version_does_not_know(filled: Any, refused: Callable[..., Any]) -> None:
    export = with_a_field_of_a_later_version(await exported(filled))
    refusal = await refused(filled.memory.ImportNamespace(requests("copy", export)))
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert any(field.startswith("batch.records[") for field in refusal.fields)
    assert "the export holds fields that this version does not know" in refusal.message
    assert (await refused(filled.namespaces.GetNamespace(get(namespace="copy")))).code is grpc.StatusCode.NOT_FOUND


@pytest.mark.parametrize(
    ("damage", "field"),
    [
        (without_trailer, "trailer"),
        (without_one, "trailer.record_count"),
        (with_a_changed_word, "trailer.sha256"),
        (after_the_trailer, "part"),
        (of_another_version, "header.export_header.format_version"),
        (without_header, "part"),
        (with_a_bad_id, "batch.records[0].node.message.id"),
        (with_a_second_header, "part"),
        (with_an_empty_record, "batch.records[0]"),
        (with_a_short_vector, "batch.records[0].vector.float16_values"),
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
    header = (await anext(responses)).header
    late = pb.AppendMessagesRequest(namespace="acme", session="monday", messages=[pb.MessageInput(speaker="Ana", text="late")])
    await filled.memory.AppendMessages(late)
    texts = [record.node.message.text async for part in responses for record in part.batch.records]
    assert "late" not in texts
    assert header.revision < (await filled.application.store.namespace("acme").settings()).revision
