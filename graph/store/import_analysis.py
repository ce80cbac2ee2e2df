"""The text analysis of an import: one batch is analysed in another process while the one before it is stored."""

import threading
from collections.abc import Callable, Sequence

from graph.store.analysis_process import AnalysisProcess
from graph.store.memory_rows import MemoryRow, MemorySource, memory_rows

Store = Callable[[Sequence[MemoryRow]], None]
# Starting a process takes about half a second; so many memories are analysed in that time.
_BEFORE_PROCESS = 8_000


class ImportAnalysis:
    """Analyses batches in their order, and stores each when its rows are there.

    Without a process, because the import is small, another one has it or it broke, batches are analysed at once. An import that was
    given up may close this while a thread still analyses: `close` waits for that, and nothing is started after it.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._closed = False
        self._process: AnalysisProcess | None = None
        self._until_process = _BEFORE_PROCESS
        self._under_way: tuple[Sequence[MemorySource], Store] | None = None

    def submit(self, sources: Sequence[MemorySource], store: Store) -> None:
        """Analyses a batch; `store` gets its rows, now or when the next batch is submitted or `complete` called."""
        with self._lock:
            self._submit(sources, store)

    def complete(self) -> None:
        """Stores what was submitted."""
        with self._lock:
            taken = self._taken()
            if taken is not None:
                store, rows = taken
                store(rows)

    def close(self) -> None:
        """Ends the process, if there is one; waits for a batch that a thread is at."""
        self._closed = True
        process = self._process
        if process is not None:
            process.kill()  # a thread that waits for its answer has none to wait for then
        with self._lock:
            self._end_process()

    def _submit(self, sources: Sequence[MemorySource], store: Store) -> None:
        if self._until_process > 0:
            self._until_process -= len(sources)
            if self._until_process <= 0 and not self._closed:
                self._process = AnalysisProcess.start_if_free()  # for the next batch; it starts while this one is stored
            store(memory_rows(sources))
            return
        previous = self._taken()
        self._under_way = (sources, store)
        if self._process is not None:
            try:
                self._process.send(sources)
            except OSError:
                self._end_process()
        if previous is not None:
            before, rows = previous
            before(rows)
        if self._process is None:
            self.complete()

    def _end_process(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    def _taken(self) -> tuple[Store, list[MemoryRow]] | None:
        """The batch under way, with its rows. A process that ended before it answered loses nothing: they are made here then."""
        if self._under_way is None:
            return None
        (sources, store), self._under_way = self._under_way, None
        if self._process is not None:
            try:
                return store, self._process.receive()
            except (OSError, EOFError):
                self._end_process()
        return store, memory_rows(sources)
