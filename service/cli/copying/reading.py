"""One pass over an export: what it holds, and how much of it has gone by."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from structmem.v1.exchange_pb2 import ExportElement

from graph.errors import InvalidArgument
from graph.model import Namespace
from graph.store.digest import NamespaceDigest, RecordDigests
from service.convert.exchange import Tally
from service.convert.export_header import namespace_from_header
from service.convert.imported import RecordReader


class Measured:
    """Passes the elements of an export on, and digests the records in them.

    Args:
        batches: the elements, as the service sends them.
        passed: told after each batch how many records have gone by.
    """

    def __init__(self, batches: Iterable[Sequence[ExportElement]], passed: Callable[[int], None]) -> None:
        self._batches = batches
        self._passed = passed
        self._tally = Tally()
        self._digests = RecordDigests()
        self._namespace: Namespace | None = None
        self._reader: RecordReader | None = None
        self._whole = False

    def __iter__(self) -> Iterator[ExportElement]:
        for batch in self._batches:
            self._take(list(batch))
            yield from batch
            self._passed(self._tally.records)

    def read_all(self) -> NamespaceDigest:
        """Reads to the end and gives the digest."""
        for _ in self:
            pass
        return self.digest()

    def digest(self) -> NamespaceDigest:
        """The digest of what has gone by. Raises InvalidArgument when that was not a whole export."""
        if self._namespace is None or not self._whole:
            raise InvalidArgument.of("element.trailer", "the export broke off")
        return self._digests.digest(self._namespace)

    def _take(self, elements: list[ExportElement]) -> None:
        if elements and elements[0].HasField("header"):
            header = elements.pop(0).header
            self._namespace = namespace_from_header(header.namespace.name, header)
            self._reader = RecordReader(self._namespace.embedding.dimension)
        if elements and elements[-1].HasField("trailer"):
            self._whole = elements.pop() == self._tally_of(elements)
            return
        self._tally_of(elements)

    def _tally_of(self, records: list[ExportElement]) -> ExportElement:
        """The trailer that fits what has gone by, these among it."""
        if records:
            if self._reader is None:
                raise InvalidArgument.of("element.header", "must come first")
            self._tally.add(records)
            self._digests.add(self._reader.records(records))
        return self._tally.trailer()
