"""A namespace and all of its records, both of one revision."""

from collections.abc import AsyncIterator, Sequence

from graph.errors import Conflict
from graph.model import Namespace
from graph.store.port import ExportRecord, Memory

_ATTEMPTS = 50


class Snapshot:
    """Batches of records whose first one has been fetched, so that the revision that they are of stands."""

    def __init__(self, records: AsyncIterator[Sequence[ExportRecord]]) -> None:
        self._records = records
        self._first: Sequence[ExportRecord] | None = None

    async def open(self) -> None:
        """Fetches the first batch."""
        self._first = await anext(self._records, None)

    def __aiter__(self) -> "Snapshot":
        return self

    async def __anext__(self) -> Sequence[ExportRecord]:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return await anext(self._records)

    async def aclose(self) -> None:
        """Ends the export."""
        close = getattr(self._records, "aclose", None)
        if close is not None:
            await close()


async def open_snapshot(memory: Memory, with_vectors: bool) -> tuple[Namespace, Snapshot]:
    """The namespace and its records: where a write came between the two, they are taken again. Close the snapshot.

    Raises:
        NotFound: there is no such namespace.
        Conflict: it is written to so often that no moment was found.
    """
    for _ in range(_ATTEMPTS):
        namespace = await memory.settings()
        records = Snapshot(memory.export(with_vectors))
        try:
            await records.open()
            if (await memory.settings()).revision == namespace.revision:
                return namespace, records
        except BaseException:
            await records.aclose()
            raise
        await records.aclose()
    raise Conflict("the namespace is written to so often that no moment to export it was found; try again")
