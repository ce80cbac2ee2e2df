"""Building a namespace from the records of an export, out of sight until it is complete."""

import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from functools import partial

from graph.errors import StructMemError
from graph.model import Namespace
from graph.store.embedded import namespaces
from graph.store.embedded.files.catalog import CatalogEntry
from graph.store.embedded.files.engine import Engine
from graph.store.embedded.files.faults import storage_faults
from graph.store.embedded.importing.file import ImportFile
from graph.store.port import ExportRecord
from graph.store.rules.node_bytes import BATCH_BYTES, text_length

_BATCH = 4_000


async def import_namespace(engine: Engine, namespace: Namespace, records: AsyncIterator[Sequence[ExportRecord]]) -> Namespace:
    """See `Store.import_namespace`. The search index is built as well, so that the first search finds it."""
    run = engine.workers.run_to_end
    begun: list[tuple[CatalogEntry, ImportFile]] = []
    # Set by the step itself: whoever gives up while it ends gets no answer, but the namespace is there, and others may write to it.
    finished = threading.Event()
    try:
        await run(lambda: begun.append(_begin(engine, namespace)))
        entry, file = begun[0]
        batch: list[ExportRecord] = []
        length = 0
        async for some in records:
            batch += some
            length += text_length(some)
            if len(batch) >= _BATCH or length >= BATCH_BYTES:
                await run(partial(file.add, batch))
                batch, length = [], 0
        await run(partial(file.add, batch))
        await run(lambda: _finish(engine, entry, file, namespace, finished))
    finally:
        if begun and not finished.is_set():
            await engine.workers.let_go(lambda: _abandon(engine, *begun[0]))
    with suppress(StructMemError):  # the namespace is there; without its index it is only slower at first
        await run(lambda: engine.index(namespace.name))
    return await run(lambda: engine.with_file(namespace.name, namespaces.shown))


def _begin(engine: Engine, namespace: Namespace) -> tuple[CatalogEntry, ImportFile]:
    with storage_faults(namespace.name):
        entry = engine.catalog.reserve_copy(namespace)
        try:
            return entry, ImportFile(engine.path(entry.uid), entry.settings, engine.clock, engine.ids, engine.vfs)
        except BaseException:
            engine.discard(entry)
            raise


def _finish(engine: Engine, entry: CatalogEntry, file: ImportFile, namespace: Namespace, finished: threading.Event) -> None:
    busy = file.finish(namespace.revision, namespace.generation)
    active = engine.catalog.activate(entry, busy=busy)
    finished.set()
    if busy:
        engine.jobs.note(active.settings.name, active.uid, 0)


def _abandon(engine: Engine, entry: CatalogEntry, file: ImportFile) -> None:
    file.close()
    with storage_faults():
        engine.discard(entry)
