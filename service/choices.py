"""Which implementation stands behind each port, by the settings. Nothing else constructs a store, a model or an extractor."""

from datetime import timedelta
from typing import Protocol

from extract.embed.port import Embedder
from extract.port import Extractor
from graph.store.port import Store
from service.settings import Settings


def make_store(settings: Settings) -> Store:
    """The store of the data directory."""
    from graph.store.embedded import EmbeddedStore

    return EmbeddedStore(
        settings.data_dir,
        max_open_namespaces=settings.max_open_namespaces,
        index_memory_bytes=settings.index_memory_mb * 1024 * 1024,
    )


def make_embedder(settings: Settings) -> Embedder | None:
    """The embedder, with its model loaded; None for "none"."""
    match settings.embedder:
        case "minilm":
            from extract.embed import MiniLmEmbedder

            return MiniLmEmbedder(settings.embedder_threads)
        case "hashing":
            from extract.embed import HashingEmbedder

            return HashingEmbedder()
        case "none":
            return None


def make_extractor(settings: Settings) -> Extractor:
    """The extractor."""
    if settings.extractor == "recorded":
        from extract.recorded import RecordedExtractor

        assert settings.recorded_file is not None
        return RecordedExtractor(settings.recorded_file)
    from extract.local import LocalExtractor

    return LocalExtractor()


class Worker(Protocol):
    """Does the store's background work until it is told to stop."""

    async def run(self) -> None:
        """Leases and does jobs; returns after `stop`."""
        ...

    async def stop(self) -> None:
        """Finishes the step at hand, hands the job back and lets `run` return."""
        ...


def make_worker(settings: Settings, store: Store, embedder: Embedder | None, extractor: Extractor) -> Worker | None:
    """The worker that runs the pipeline; None when no job is to run here."""
    if settings.workers == 0:
        return None
    from extract.worker import ExtractionWorker

    return ExtractionWorker(store, embedder, extractor, concurrency=settings.workers, lease=timedelta(seconds=settings.lease_s))
