"""The text analysis of an import: one batch is analysed in another process while the one before it is stored."""

from collections.abc import Callable, Sequence

from graph.store.analyst import Analyst
from graph.store.memory_rows import MemoryRow, MemorySource, memory_rows

Store = Callable[[Sequence[MemoryRow]], None]
# Starting a process takes about half a second; so many memories are analysed in that time.
_ALONE = 8_000


class ImportAnalysis:
    """Analyses batches in their order, and stores each when its rows are there.

    Without a process, because the import is small, another one has it or it broke, batches are analysed at once.
    """

    def __init__(self) -> None:
        self._analyst: Analyst | None = None
        self._alone = _ALONE
        self._begun: tuple[Sequence[MemorySource], Store] | None = None

    def submit(self, sources: Sequence[MemorySource], store: Store) -> None:
        """Analyses a batch; `store` gets its rows, now or when the next batch is submitted or `complete` called."""
        if self._alone > 0:
            self._alone -= len(sources)
            if self._alone <= 0:
                self._analyst = Analyst.hired()  # for the next batch; it starts while this one is stored
            store(memory_rows(sources))
            return
        previous = self._taken()
        self._begun = (sources, store)
        if self._analyst is not None:
            try:
                self._analyst.ask(sources)
            except OSError:
                self.close()
        if previous is not None:
            before, rows = previous
            before(rows)
        if self._analyst is None:
            self.complete()

    def complete(self) -> None:
        """Stores what was submitted."""
        taken = self._taken()
        if taken is not None:
            store, rows = taken
            store(rows)

    def close(self) -> None:
        """Ends the process, if there is one."""
        if self._analyst is not None:
            self._analyst.dismiss()
            self._analyst = None

    def _taken(self) -> tuple[Store, list[MemoryRow]] | None:
        """The batch under way, with its rows. A process that ended before it answered loses nothing: they are made here then."""
        if self._begun is None:
            return None
        (sources, store), self._begun = self._begun, None
        if self._analyst is not None:
            try:
                return store, self._analyst.answer()
            except (OSError, EOFError):
                self.close()
        return store, memory_rows(sources)
