"""A namespace as a stream, out and in: ExportNamespace, ImportNamespace."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing, contextmanager

from structmem.v1 import exchange_pb2
from structmem.v1 import memory_service_pb2 as pb

from graph.errors import InvalidArgument, StructMemError
from graph.store.port import ExportRecord
from graph.store.snapshot import open_snapshot
from service.answer_size import RunBounds, runs
from service.authorize import Action
from service.convert.exchange import Tally, record_to_proto
from service.convert.export_header import header_to_proto, namespace_from_header
from service.convert.imported import RecordReader
from service.handlers.resource import Context, ResourceHandlers
from service.validate import Violations
from service.version import VERSION

MAX_BATCH = 1000
# A run of elements that is sent at once: longer ones are no quicker.
_EXPORT_BYTES = 1 << 20


class ExchangeHandlers(ResourceHandlers):
    """Moves namespaces."""

    async def ExportNamespace(self, request: pb.ExportNamespaceRequest, context: Context) -> AsyncIterator[pb.ExportNamespaceResponse]:
        """All of a namespace at one revision: header, records, trailer."""
        with self._entering(Action.READ, request.namespace) as found:
            memory = self._reading(found, request)
        namespace, records = await open_snapshot(memory, not request.without_vectors)
        # Whoever gives the call up may do so at the first part: from here on the snapshot is closed whatever happens.
        async with aclosing(records):
            yield pb.ExportNamespaceResponse(header=header_to_proto(namespace, self._dependencies.clock.now(), VERSION))
            tally = Tally()
            async for batch in records:
                # In a thread: other calls are answered meanwhile.
                for response in await asyncio.to_thread(_responses, batch, tally, self._max_bytes):
                    yield response
        yield pb.ExportNamespaceResponse(trailer=tally.trailer())

    async def ImportNamespace(self, requests: AsyncIterator[pb.ImportNamespaceRequest], context: Context) -> pb.ImportNamespaceResponse:
        """Creates a namespace from an export."""
        first = await anext(aiter(requests), None)
        if first is None or first.WhichOneof("part") != "header":
            raise InvalidArgument.of("part", "the first part of the stream must be the header")
        name = first.header.namespace or first.header.export_header.namespace.name
        with self._entering(Action.ADMIN, name, field="header.namespace") as found:
            namespace = namespace_from_header(found, name, first.header.export_header)
        tally = Tally()
        async with aclosing(_records(requests, tally, namespace.embedding.dimension)) as records:
            imported = await self._store.import_namespace(namespace, records)
        return pb.ImportNamespaceResponse(
            namespace=imported.name,
            record_count=tally.records,
            consistency_token=self._consistency_token(imported.name, imported.uid, imported.revision),
        )


def _responses(records: Sequence[ExportRecord], tally: Tally, max_bytes: int) -> list[pb.ExportNamespaceResponse]:
    made = [record_to_proto(record) for record in records]
    tally.add(made)
    bounds = RunBounds(MAX_BATCH, _EXPORT_BYTES, max_bytes)
    return [pb.ExportNamespaceResponse(batch=exchange_pb2.ExportBatch(records=run)) for run in runs(made, bounds, _id_of)]


def _id_of(record: exchange_pb2.ExportRecord) -> str:
    """The node that a record is, or is of."""
    match record.WhichOneof("kind"):
        case "node":
            kind = record.node.WhichOneof("kind")
            return str(getattr(record.node, kind).id) if kind else ""
        case "edge":
            return record.edge.source_id
        case "vector":
            return record.vector.owner_id
        case _:
            return record.progress.session


async def _records(
    stream: AsyncIterator[pb.ImportNamespaceRequest], tally: Tally, dimension: int
) -> AsyncGenerator[Sequence[ExportRecord], None]:
    """The records of the stream, checked one by one and, by the trailer, all together. The store keeps nothing when this raises."""
    reader = RecordReader(dimension)
    trailer: exchange_pb2.ExportTrailer | None = None
    async for request in stream:
        with _counted(tally), Violations() as found:
            if trailer is not None:
                found.add("part", "nothing may follow the trailer")
            match request.WhichOneof("part"):
                case "trailer":
                    trailer = request.trailer
                case "batch" if not 1 <= len(request.batch.records) <= MAX_BATCH:
                    found.add("batch.records", f"must hold 1 to {MAX_BATCH:,} records; it holds {len(request.batch.records):,}")
                case "header" | None:
                    found.add("part", "must be a batch or the trailer, after the header")
        if request.HasField("batch"):
            # In a thread: other calls are answered meanwhile.
            yield await asyncio.to_thread(_read, reader, tally, request.batch)
    with _counted(tally), Violations() as found:
        expected = tally.trailer()
        if trailer is None:
            found.add("trailer", "the stream ended before it: the export is not complete")
        elif trailer.record_count != expected.record_count:
            found.add("trailer.record_count", f"says {trailer.record_count:,}; {expected.record_count:,} came")
        elif trailer.sha256 != expected.sha256:
            found.add("trailer.sha256", "does not match the records: the export was changed or damaged")


def _check_fields(batch: exchange_pb2.ExportBatch) -> None:
    """Raises InvalidArgument where a record has a field of a later version: it would be lost, and the digest need not match."""
    known = exchange_pb2.ExportBatch()
    known.CopyFrom(batch)
    known.DiscardUnknownFields()
    if known.ByteSize() == batch.ByteSize():
        return
    sizes = (one.ByteSize() != other.ByteSize() for one, other in zip(known.records, batch.records, strict=True))
    place = next((place for place, differs in enumerate(sizes) if differs), None)
    raise InvalidArgument.of(
        "batch" if place is None else f"batch.records[{place}]",
        "the export holds fields that this version does not know: import it with a service of the version that made it, or a newer one",
    )


def _read(reader: RecordReader, tally: Tally, batch: exchange_pb2.ExportBatch) -> list[ExportRecord]:
    with _counted(tally):
        _check_fields(batch)
    records = reader.records(batch.records)
    tally.add(batch.records)
    return records


@contextmanager
def _counted(tally: Tally) -> Iterator[None]:
    """Adds to an error how many records came before it."""
    try:
        yield
    except StructMemError as error:
        error.metadata = {"record": str(tally.records), **error.metadata}
        raise
