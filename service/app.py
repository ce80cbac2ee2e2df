"""The application: what `service.composition` made is wired together here, started and stopped with the process."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from pathlib import Path

import structlog

from extract.embed.port import Embedder
from extract.llm.answering import Answerer
from extract.tokens import count_tokens
from extract.worker import Worker
from graph.clock import SystemClock
from graph.errors import StoreUnavailable
from graph.model import ExtractionMode
from graph.retrieval import Reranking
from graph.store.port import Clock, Store
from service.allocator import bound_arenas, trim_for_ever
from service.composition import (
    Writers,
    make_answerer,
    make_cypher,
    make_embedder,
    make_model,
    make_native_cypher,
    make_reranking,
    make_store,
    make_worker,
    make_writers,
    store_location,
)
from service.consistency_tokens import ConsistencyTokens
from service.deletion_receipts import ReceiptSigner
from service.errors import InvalidSettings
from service.handlers import Dependencies
from service.listening import ensure_free
from service.logs import configure_logs
from service.page_tokens import PageTokens
from service.retention import RetentionSweeper
from service.server import Server
from service.setting_warnings import setting_warnings
from service.settings import ADDRESS_FILE, Settings
from service.stopping import Stopping
from service.token_file import TokenFile
from service.usage_notes import UsageNotes

_log = structlog.get_logger(__name__)
# How long a thread may run Python before another one gets its turn (CPython's own choice is 5 ms). The pipeline's threads
# share the interpreter with the event loop, so this is what a call may have to wait for each of them.
_SWITCH_INTERVAL_S = 0.0005
# Requests leave few cycles, but an import or a search makes many records at once: collecting after every 700 cost an import 7 % of its CPU.
_GC_THRESHOLDS = (50_000, 20, 50)


class Application:
    """A store, a worker and a server, started and stopped together."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        embedder: Embedder | None,
        reranking: Reranking | None,
        writers: Writers,
        answerer: Answerer | None,
        worker: Worker | None,
        clock: Clock,
        announced: bool,
    ) -> None:
        self.settings = settings
        self.store = store
        self.embedder = embedder
        self.reranking = reranking
        self.writers = writers
        self.answerer = answerer
        self.address = ""
        self.consistency: ConsistencyTokens | None = None
        self._worker = worker
        self._clock = clock
        self._announced = announced
        self._working: asyncio.Task[None] | None = None
        self._tokens: TokenFile | None = None
        self._stopping = Stopping()
        self._opened = AsyncExitStack()

    async def start(self) -> str:
        """Opens the store, begins to serve and to work, and returns the address. When a step fails, those before it are undone.

        Raises:
            InvalidSettings: the token file, the TLS files, the address or the ready file are not usable.
            StoreBusy: another process owns the data directory.
            StoreUnavailable: Neo4j cannot be reached, is too old, refuses the user, or its indexes cannot be used; it says which.
        """
        async with AsyncExitStack() as opened:
            await self._open(opened)
            self._opened = opened.pop_all()
        return self.address

    async def _open(self, opened: AsyncExitStack) -> None:
        """Takes the steps of `start` in their order; `opened` undoes them in the reverse order."""
        opened.push_async_callback(self._close_models)
        self._tokens = TokenFile(self.settings.token_file) if self.settings.token_file else None
        await self._open_store()
        opened.push_async_callback(self.store.close)
        usage = UsageNotes(self.store)
        opened.push_async_callback(usage.written)
        cypher = make_cypher(self.settings, self.store)
        opened.push_async_callback(cypher.close)
        key = await self.store.secret()
        self.consistency = ConsistencyTokens(key)
        dependencies = Dependencies(
            settings=self.settings,
            store=self.store,
            embedder=self.embedder,
            reranking=self.reranking,
            extractors=self.writers.extractors,
            consolidator=self.writers.consolidator,
            answerer=self.answerer,
            cypher=cypher,
            native_cypher=make_native_cypher(self.settings, self.store),
            usage=usage,
            clock=self._clock,
            pages=PageTokens(key, self._clock.now),
            consistency=self.consistency,
            receipts=ReceiptSigner(key),
            stopping=self._stopping,
            started_at=self._clock.now(),
        )
        server = Server(dependencies, self._tokens)
        opened.push_async_callback(self._end_work, server)
        self.address = await server.start()
        if self._worker is not None:
            self._working = asyncio.create_task(self._worker.run(), name="worker")
            self._working.add_done_callback(_report)
            sweeper = RetentionSweeper(self.store, self._clock, timedelta(seconds=self.settings.retention_sweep_s))
            sweeping = asyncio.create_task(sweeper.run(), name="retention")
            sweeping.add_done_callback(_report)
            opened.callback(sweeping.cancel)
        opened.callback(self._withdraw)
        self._announce()

    async def _open_store(self) -> None:
        _log.info("opening the store", store=store_location(self.settings))
        try:
            await self.store.open()
        except StoreUnavailable as error:  # the store itself names no address; whoever starts a service wants to know which
            raise StoreUnavailable(f"{error} ({store_location(self.settings)})", retry_after=error.retry_after) from error

    async def stop(self) -> None:
        """Ends calls within the grace, hands unfinished jobs back and closes the store. Once is enough; a second time does nothing."""
        self._stopping.set()
        await self._opened.aclose()

    async def _end_work(self, server: Server) -> None:
        """Calls and jobs have the same grace, side by side."""
        self._stopping.set()
        async with asyncio.TaskGroup() as group:
            group.create_task(server.stop(self.settings.shutdown_grace_s))
            group.create_task(self._stop_working())

    async def _close_models(self) -> None:
        """Closes what models hold: threads, which are waited for in another one, or connections."""
        reranker = self.reranking.reranker if self.reranking else None
        for model in (self.embedder, reranker, *self.writers.extractors.values(), self.writers.consolidator, self.answerer):
            if close := getattr(model, "close", None):
                await asyncio.to_thread(close)
            if aclose := getattr(model, "aclose", None):
                await aclose()

    def reload_tokens(self) -> None:
        """Reads the token file again."""
        if self._tokens is not None:
            self._tokens.reload()

    async def _stop_working(self) -> None:
        if self._worker is None or self._working is None:
            return
        # The worker reaches the end of its segment and hands its job back.
        await self._worker.stop(timedelta(seconds=self.settings.shutdown_grace_s))
        await self._working

    def _announcements(self) -> list[Path]:
        if not self._announced:
            return []
        # Several services may share a Neo4j: none of them is the one to ask.
        files = [self.settings.data_dir / ADDRESS_FILE] if self.settings.store == "embedded" else []
        return [*files, self.settings.ready_file] if self.settings.ready_file else files

    def _announce(self) -> None:
        for path in self._announcements():
            partial = path.with_name(f"{path.name}.{os.getpid()}")
            try:
                partial.write_text(f"{self.address}\n")
                partial.replace(path)
            except OSError as error:
                name = "ready_file" if path == self.settings.ready_file else "data_dir"
                raise InvalidSettings.of(name, f"{path} cannot be written ({error.strerror})") from None

    def _withdraw(self) -> None:
        for path in self._announcements():
            with suppress(OSError):
                path.unlink()


def build(settings: Settings, announced: bool = True) -> Application:
    """The application that these settings describe. Loads the embedding model; opens nothing yet.

    `announced`: while it runs, the file `address` of the embedded store's directory tells others on this machine where it listens.
    """
    clock = SystemClock()
    for told in setting_warnings(settings):
        _log.warning("a setting needs attention", what=str(told))
    store, embedder, model = make_store(settings, clock), make_embedder(settings), make_model(settings)
    writers = make_writers(settings, model)
    reranking = make_reranking(settings)
    worker = make_worker(settings, store, embedder, writers, clock)
    return Application(settings, store, embedder, reranking, writers, make_answerer(model), worker, clock, announced)


def serve(settings: Settings, on_ready: Callable[[str], None] | None = None) -> None:
    """Runs the service until SIGTERM or SIGINT; a second signal ends it at once.

    Raises:
        InvalidSettings, StoreBusy, StoreUnavailable: it cannot start.
    """
    configure_logs(settings)
    # Asked again before it is bound; here, because opening a store may take long.
    ensure_free(settings.listen)
    bound_arenas()
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    gc.set_threshold(*_GC_THRESHOLDS)
    asyncio.run(_serve(settings, on_ready))


async def _serve(settings: Settings, on_ready: Callable[[str], None] | None) -> None:
    application = build(settings)
    # Else the first context would load a tokenizer, while which every other call waits (30 ms of CPU).
    count_tokens("")
    await application.start()
    # What start-up made lives as long as the process: a full collection, while which every thread waits, need not walk it (25 ms).
    gc.collect()
    gc.freeze()
    loop = asyncio.get_running_loop()
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    loop.add_signal_handler(signal.SIGHUP, application.reload_tokens)
    extractor = application.writers.extractors[ExtractionMode.EVENT].spec.name
    _log.info("ready", address=application.address, store=store_location(settings), embedder=settings.embedder, extractor=extractor)
    if on_ready is not None:
        on_ready(application.address)
    trimming = asyncio.create_task(trim_for_ever(), name="trimming")
    try:
        await ended.wait()
    finally:
        trimming.cancel()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
            signal.signal(number, signal.SIG_DFL)
        _log.info("stopping", grace_s=settings.shutdown_grace_s)
        await application.stop()
        _log.info("stopped")


def _report(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and task.exception() is not None:
        _log.error("worker_died", exc_info=task.exception())
