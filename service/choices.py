"""Which implementation stands behind each port, by the settings. Nothing else constructs a store, a model or an extractor."""

import os
from collections.abc import Mapping
from datetime import timedelta

from extract.embed.port import Embedder
from extract.pipeline import ExtractionPipeline, PipelineSettings
from extract.port import Extractor
from extract.segment import SegmentRecipe
from extract.worker import ExtractionWorker
from graph.model import ExtractionMode, UuidSource
from graph.store.port import Clock, Store
from service.settings import Settings


def make_store(settings: Settings, clock: Clock) -> Store:
    """The store of the data directory."""
    from graph.store.embedded import EmbeddedStore

    return EmbeddedStore(
        settings.data_dir,
        clock=clock,
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


def make_extractors(settings: Settings) -> Mapping[ExtractionMode, Extractor]:
    """The extractor of each mode that extracts."""
    modes = (ExtractionMode.EVENT, ExtractionMode.FLAT)
    if settings.extractor == "recorded":
        from extract.recorded import RecordedExtractor

        assert settings.recorded_file is not None
        return {mode: RecordedExtractor(settings.recorded_file, mode) for mode in modes}
    from extract.local import LocalExtractor

    return {mode: LocalExtractor(mode) for mode in modes}


def make_worker(
    settings: Settings, store: Store, embedder: Embedder | None, extractors: Mapping[ExtractionMode, Extractor], clock: Clock
) -> ExtractionWorker | None:
    """The worker that runs the pipeline; None when no job is to run here."""
    if settings.workers == 0:
        return None
    lease = timedelta(seconds=settings.lease_s)
    recipe = SegmentRecipe(
        drop=settings.segment_drop,
        silence=timedelta(seconds=settings.segment_silence_s),
        most_messages=settings.segment_most_messages,
        most_words=settings.segment_most_words,
    )
    pipeline = ExtractionPipeline(store, embedder, extractors, UuidSource(), clock, PipelineSettings(lease=lease, recipe=recipe))
    return ExtractionWorker(store, pipeline, clock, name=f"service-{os.getpid()}", concurrency=settings.workers, lease=lease)
