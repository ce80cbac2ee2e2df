"""The composition root: by the settings, the implementation of each port. Nothing else constructs a store, a model or an extractor."""

import asyncio
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from extract.consolidate.local import LocalConsolidator
from extract.consolidate.pipeline import ConsolidationPipeline, ConsolidationSettings, NoConsolidation
from extract.consolidate.port import Consolidator
from extract.consolidate.windows import WINDOW_LENGTH
from extract.consolidate.writing import WritingBounds
from extract.embed import HashingEmbedder, MiniLmEmbedder, ModelDamaged
from extract.embed.port import Embedder
from extract.leased_work import LeasedWork
from extract.llm.answering import Answerer
from extract.local import local_extractors
from extract.messages_use import MessagesUse
from extract.pipeline import ExtractionPipeline, PipelineSettings
from extract.port import Extractor
from extract.recorded import load_facts, recorded_extractors
from extract.segment import Segmentation, SegmentRecipe
from extract.worker import Worker
from graph.cypher import CypherLimits, CypherRunner, SpeaksCypher
from graph.cypher.snapshots import SnapshotCypher
from graph.errors import FieldViolation, InvalidArgument
from graph.model import ExtractionMode, JobKind, UuidSource
from graph.retrieval import Reranking
from graph.store.embedded import EmbeddedStore, holds_store
from graph.store.port import Clock, Store
from service.errors import InvalidSettings
from service.settings import Settings

if TYPE_CHECKING:
    from service.language_model import LanguageModel

_MB = 1024 * 1024


def make_store(settings: Settings, clock: Clock) -> Store:
    """The store of the data directory, or on Neo4j. Raises InvalidSettings when a file of Neo4j's settings cannot be used."""
    if settings.store == "neo4j":
        from service.neo4j_store import make_neo4j_store

        return make_neo4j_store(settings)
    return EmbeddedStore(
        settings.data_dir,
        clock=clock,
        max_open_namespaces=settings.max_open_namespaces,
        index_memory_bytes=settings.index_memory_mb * 1024 * 1024,
    )


def is_stored(settings: Settings) -> bool:
    """Whether there is a store where the settings say; opening one would make it. Raises StoreUnavailable when Neo4j cannot be asked."""
    if settings.store == "neo4j":
        from service.neo4j_store import is_stored_in_neo4j

        return asyncio.run(is_stored_in_neo4j(settings))
    return holds_store(settings.data_dir)


def store_location(settings: Settings) -> str:
    """Where the store is, for operators."""
    if settings.store == "neo4j":
        further = " and those of namespace_map" if settings.namespace_map else ""
        return f"{settings.neo4j_uri}, database {settings.neo4j_database}{further}"
    return str(settings.data_dir)


def make_embedder(settings: Settings) -> Embedder | None:
    """The embedder, with its model loaded; None for "none". Raises InvalidSettings when the model cannot be loaded."""
    match settings.embedder:
        case "minilm":
            try:
                return MiniLmEmbedder(settings.embedder_threads)
            except ModelDamaged:
                raise InvalidSettings.of("embedder", "the model's files are missing or damaged; install the service again") from None
        case "openai" | "sentence-transformers":
            from service.models import make_chosen_embedder

            return make_chosen_embedder(settings)
        case "hashing":
            return HashingEmbedder()
        case "none":
            return None


def make_reranking(settings: Settings) -> Reranking | None:
    """What is reranked, and by whom; None for "none". Raises InvalidSettings when the model cannot be loaded."""
    if settings.reranker == "none":
        return None
    from service.models import make_reranker

    timeout_s = settings.reranker_timeout_ms / 1000
    return Reranking(make_reranker(settings), settings.reranker_best, timeout_s, settings.reranker_weight)


def make_cypher(settings: Settings, store: Store) -> CypherRunner:
    """What runs Cypher on snapshots of a namespace. The engine is started, and found missing, with the first query."""
    return SnapshotCypher(store, _cypher_limits(settings))


def make_native_cypher(settings: Settings, store: Store) -> CypherRunner | None:
    """What runs Cypher on the store's own database; None where the store speaks none."""
    return store.native_cypher(_cypher_limits(settings)) if isinstance(store, SpeaksCypher) else None


def _cypher_limits(settings: Settings) -> CypherLimits:
    return CypherLimits(
        timeout=settings.cypher_timeout_s,
        rows=settings.cypher_max_rows,
        bytes=settings.cypher_max_mb * _MB,
        memory=settings.cypher_memory_mb * _MB,
        nodes=settings.cypher_max_nodes,
        snapshots=settings.cypher_snapshots,
    )


@dataclass(frozen=True, slots=True)
class Writers:
    """What makes memories of messages: the extractor of each mode that extracts, and what consolidates, if anything does."""

    extractors: Mapping[ExtractionMode, Extractor]
    consolidator: Consolidator | None


def make_model(settings: Settings) -> "LanguageModel | None":
    """The language model that the settings name; None where they name none, or its provider wants a key and there is none.

    Raises:
        InvalidSettings: a file of exchanges cannot be used.
    """
    if not settings.llm_model:
        return None
    from service.language_model import make_language_model

    return make_language_model(settings)


def make_answerer(model: "LanguageModel | None") -> Answerer | None:
    """What answers questions; None without a model to ask."""
    return model.answerer() if model else None


def make_writers(settings: Settings, model: "LanguageModel | None") -> Writers:
    """Extractors and consolidator. Where there is no language model, its work is done by rules.

    Raises:
        InvalidSettings: a file that one of them needs, or the compressor, cannot be used.
    """
    extractors = model.extractors(settings) if model and settings.extractor == "llm" else _extractors(settings)
    match settings.consolidator:
        case "none":
            return Writers(extractors, None)
        case "llm" if model is not None:
            return Writers(extractors, model.consolidator())
        case _:
            return Writers(extractors, LocalConsolidator())


def _extractors(settings: Settings) -> Mapping[ExtractionMode, Extractor]:
    if settings.recorded_file is None or settings.extractor != "recorded":
        return local_extractors()
    try:
        return recorded_extractors(load_facts(settings.recorded_file))
    except OSError as error:
        raise InvalidSettings.of("recorded_file", f"cannot be read ({error.strerror})") from None
    except InvalidArgument as error:
        raise InvalidSettings([FieldViolation(f"recorded_file: {found.field}", found.reason) for found in error.violations]) from None


def _pays_by_tokens(extractors: Mapping[ExtractionMode, Extractor]) -> bool:
    """Whether a language model extracts: without a key, the rules do in its place."""
    return any(one.spec.name == "llm" for one in extractors.values())


def _buffer_tokens(settings: Settings) -> int:
    """What a call reads, about. Of exchanges that are recorded or replayed, one segment: which sessions are due together is chance, and
    requests must come again as they were."""
    recorded = settings.llm_record is not None or settings.llm_replay is not None
    return 1 if recorded else settings.sensory_buffer_tokens


def make_worker(settings: Settings, store: Store, embedder: Embedder | None, writers: Writers, clock: Clock) -> Worker | None:
    """The worker that runs the pipelines; None when no job is to run here."""
    if settings.workers == 0:
        return None
    extractors = writers.extractors
    lease = timedelta(seconds=settings.lease_s)
    recipe = SegmentRecipe(
        depth=settings.segment_depth,
        silence=timedelta(seconds=settings.segment_silence_s),
        most_messages=settings.segment_most_messages,
        most_words=settings.segment_most_words,
        most_tokens=settings.sensory_buffer_tokens if _pays_by_tokens(extractors) else 0,
        by=Segmentation(settings.segmentation),
    )
    how = PipelineSettings(lease=lease, recipe=recipe, use=MessagesUse(settings.messages_use), consolidate=writers.consolidator is not None)
    if _pays_by_tokens(extractors):
        # A model is paid for every message that it reads, and two tell it what the next one speaks of; the rules look further back.
        how = replace(how, context=2, buffer_tokens=_buffer_tokens(settings))
    works: dict[JobKind, LeasedWork] = {JobKind.EXTRACTION: ExtractionPipeline(store, embedder, extractors, UuidSource(), clock, how)}
    if writers.consolidator is None:
        works[JobKind.CONSOLIDATION] = NoConsolidation(store, clock, lease)
    else:
        bounds = WritingBounds(window=WINDOW_LENGTH if settings.consolidation_window == "hour" else None)
        consolidation = ConsolidationSettings(lease, idle=timedelta(seconds=settings.consolidation_idle_s), bounds=bounds)
        works[JobKind.CONSOLIDATION] = ConsolidationPipeline(store, embedder, writers.consolidator, UuidSource(), clock, consolidation)
    return Worker(store, works, clock, name=f"service-{socket.gethostname()}-{os.getpid()}", concurrency=settings.workers, lease=lease)
