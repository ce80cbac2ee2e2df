"""One pass over an export: what it holds, and how much of it has gone by."""

from collections.abc import Callable, Iterable, Iterator, Sequence

from structmem.v1.exchange_pb2 import ExportHeader, ExportRecord
from structmem.v1.memory_service_pb2 import ExportNamespaceResponse

from graph.errors import InvalidArgument
from graph.model import Namespace
from graph.store.digest import NamespaceDigest, RecordDigests
from service.convert.exchange import Tally
from service.convert.export_header import namespace_from_header
from service.convert.imported import RecordReader
from service.validate import Violations


class Measured:
    """Passes the parts of an export on, and digests the records in them.

    Args:
        parts: the export, as the service sends it.
        passed: told after each part how many records have gone by.
    """

    def __init__(self, parts: Iterable[ExportNamespaceResponse], passed: Callable[[int], None]) -> None:
        self._parts = parts
        self._passed = passed
        self._tally = Tally()
        self._digests = RecordDigests()
        self._namespace: Namespace | None = None
        self._reader: RecordReader | None = None
        self._whole = False

    def __iter__(self) -> Iterator[ExportNamespaceResponse]:
        for part in self._parts:
            self._take(part)
            yield part
            self._passed(self._tally.records)

    def read_all(self) -> NamespaceDigest:
        """Reads to the end and gives the digest."""
        for _ in self:
            pass
        return self.digest()

    def digest(self) -> NamespaceDigest:
        """The digest of what has gone by. Raises InvalidArgument when that was not a whole export."""
        if self._namespace is None or not self._whole:
            raise InvalidArgument.of("trailer", "the export broke off")
        return self._digests.digest(self._namespace)

    def _take(self, part: ExportNamespaceResponse) -> None:
        match part.WhichOneof("part"):
            case "header":
                self._begin(part.header)
            case "batch":
                self._add(part.batch.records)
            case "trailer":
                self._whole = part.trailer == self._tally.trailer()

    def _begin(self, header: ExportHeader) -> None:
        with Violations() as found:
            self._namespace = namespace_from_header(found, header.namespace.name, header)
        self._reader = RecordReader(self._namespace.embedding.dimension)

    def _add(self, records: Sequence[ExportRecord]) -> None:
        if self._reader is None:
            raise InvalidArgument.of("header", "must come first")
        self._tally.add(records)
        self._digests.add(self._reader.records(records))
