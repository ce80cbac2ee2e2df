"""A namespace as a stream, out and in: ExportNamespace, ImportNamespace."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing

from structmem.v1 import exchange_pb2
from structmem.v1 import memory_service_pb2 as pb

from graph.errors import InvalidArgument
from graph.store.commands import ExportRecord
from graph.store.snapshot import open_snapshot
from service.authorize import Action
from service.convert.exchange import Tally, record_to_proto
from service.convert.export_header import header_to_proto, namespace_from_header
from service.convert.imported import RecordReader
from service.handlers.resource import Context, Resource
from service.validate import Violations
from service.version import VERSION

MAX_BATCH = 1000
# Far below the 4 MB that a gRPC client takes unless told otherwise; the longest element has about 1 MB itself.
_EXPORT_BYTES = 1 << 20


class ExchangeHandlers(Resource):
    """Moves namespaces."""

    async def ExportNamespace(self, request: pb.ExportNamespaceRequest, context: Context) -> AsyncIterator[pb.ExportNamespaceResponse]:
        """All of a namespace at one revision: header, records, trailer."""
        self._enter(Action.READ, request.namespace)
        namespace, records = await open_snapshot(self._store, request.namespace, not request.without_vectors)
        # Whoever gives the call up may do so at the first element: from here on the snapshot is closed whatever happens.
        async with aclosing(records):
            yield pb.ExportNamespaceResponse(elements=[header_to_proto(namespace, self._parts.clock.now(), VERSION)])
            tally = Tally()
            async for batch in records:
                # In a thread: other calls are answered meanwhile.
                for response in await asyncio.to_thread(_responses, batch, tally):
                    yield response
        yield pb.ExportNamespaceResponse(elements=[tally.trailer()])

    async def ImportNamespace(self, requests: AsyncIterator[pb.ImportNamespaceRequest], context: Context) -> pb.ImportNamespaceResponse:
        """Creates a namespace from an export."""
        stream = aiter(requests)
        target = await anext(stream, None)
        if target is None or target.WhichOneof("part") != "target":
            raise InvalidArgument.of("part", "the first element of the stream must be the target")
        if target.target.namespace:
            self._enter(Action.ADMIN, target.target.namespace)
        first = await anext(stream, None)
        header, *others = _elements(first) if first is not None else [exchange_pb2.ExportElement()]
        if header.WhichOneof("element") != "header":
            raise InvalidArgument.of("element", "the header must follow the target")
        name = target.target.namespace or header.header.namespace.name
        self._enter(Action.ADMIN, name)
        namespace = namespace_from_header(name, header.header)
        tally = Tally()
        async with aclosing(_records(_after(others, stream), tally, namespace.embedding.dimension)) as records:
            imported = await self._store.import_namespace(namespace, records)
        return pb.ImportNamespaceResponse(
            namespace=imported.name,
            record_count=tally.records,
            consistency_token=self._consistency_token(imported.name, imported.uid, imported.revision),
        )


def _responses(records: Sequence[ExportRecord], tally: Tally) -> list[pb.ExportNamespaceResponse]:
    elements = [record_to_proto(record) for record in records]
    tally.add(elements)
    runs: list[list[exchange_pb2.ExportElement]] = [[]]
    size = 0
    for element in elements:
        size += element.ByteSize()
        if runs[-1] and (size > _EXPORT_BYTES or len(runs[-1]) == MAX_BATCH):
            runs.append([])
            size = element.ByteSize()
        runs[-1].append(element)
    return [pb.ExportNamespaceResponse(elements=run) for run in runs if run]


async def _after(
    first: list[exchange_pb2.ExportElement], stream: AsyncIterator[pb.ImportNamespaceRequest]
) -> AsyncIterator[pb.ImportNamespaceRequest]:
    if first:
        yield pb.ImportNamespaceRequest(elements=pb.ExportElements(elements=first))
    async for request in stream:
        yield request


async def _records(
    stream: AsyncIterator[pb.ImportNamespaceRequest], tally: Tally, dimension: int
) -> AsyncGenerator[Sequence[ExportRecord], None]:
    """The records of the stream, checked one by one and, by the trailer, all together. The store keeps nothing when this raises."""
    reader = RecordReader(dimension)
    trailer: exchange_pb2.ExportTrailer | None = None
    async for request in stream:
        elements = _elements(request)
        if trailer is not None:
            raise InvalidArgument.of("element", "nothing may follow the trailer")
        if elements[-1].WhichOneof("element") == "trailer":
            trailer = elements.pop().trailer
        # In a thread: other calls are answered meanwhile.
        yield await asyncio.to_thread(_read, reader, tally, elements)
    if trailer is None:
        raise InvalidArgument.of("element.trailer", "the stream ended before it: the export is not complete")
    expected = tally.trailer().trailer
    with Violations() as found:
        if trailer.record_count != expected.record_count:
            found.add("element.trailer.record_count", f"says {trailer.record_count:,}; {expected.record_count:,} came")
        if trailer.sha256 != expected.sha256:
            found.add("element.trailer.sha256", "does not match the elements: the export was changed or damaged")


def _read(reader: RecordReader, tally: Tally, elements: list[exchange_pb2.ExportElement]) -> list[ExportRecord]:
    records = reader.records(elements)
    tally.add(elements)
    return records


def _elements(request: pb.ImportNamespaceRequest) -> list[exchange_pb2.ExportElement]:
    """The elements of one message of the stream, whether it is one or a batch."""
    if request.WhichOneof("part") != "elements":
        return [request.element]
    elements = request.elements.elements
    if not 1 <= len(elements) <= MAX_BATCH:
        raise InvalidArgument.of("elements.elements", f"must hold 1 to {MAX_BATCH:,} elements")
    return list(elements)
