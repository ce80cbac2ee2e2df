"""The steps that extraction is made of: read what a leased job has before it, make segments of it, and what is written of each."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, timedelta, tzinfo
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

from extract.embed.port import Embedder
from extract.entities import short_names
from extract.messages_use import MessagesUse, set_aside
from extract.port import Extraction, Extractor, ReadingExtractor, Segment, spec_with
from extract.reconcile.reconciler import NewMessages, changes_of
from extract.resolve import resolve
from extract.segment import Segmentation, SegmentRecipe, Segments, segment_as_read
from extract.vectors import VectorWriter
from graph.model import NO_EXTRACTION, ExtractionMode, IdSource, Lease, Message, Namespace
from graph.store.port import Clock, ExtractedSpan, ExtractionWrite, GenerationStart, PendingWork, Store


@dataclass(frozen=True, slots=True)
class PipelineSettings:
    """How the pipeline works.

    Attributes:
        lease: for how long a job is leased; renewed at a third of it.
        turn: for how long a job is worked on before others that are due have theirs. What it began it ends: a step of embedding, a segment.
        batch: how many pending messages are looked at together; at least one more than the longest segment, so that one always closes.
        context: how many messages before a segment its extractor sees.
        recipe: when segments end.
        use: of whose messages something is extracted.
        consolidate: whether what is extracted gets a job that summarizes it.
        buffer_tokens: how many tokens of messages an extractor that joins segments is given at once, about: see `extract.joined`.
    """

    lease: timedelta = timedelta(seconds=30)
    turn: timedelta = timedelta(seconds=5)
    batch: int = 400
    context: int = 4
    recipe: SegmentRecipe = field(default_factory=SegmentRecipe)
    use: MessagesUse = MessagesUse.BOTH
    buffer_tokens: int = 1_024
    consolidate: bool = False


@dataclass(frozen=True, slots=True)
class SessionWork:
    """What a leased job has before it. `extractor` is None where nothing is extracted."""

    namespace: Namespace
    extractor: Extractor | None
    pending: PendingWork


class ExtractionSteps:
    """Each step by itself; `ExtractionPipeline` and `JoinedExtraction` put them together."""

    def __init__(
        self,
        store: Store,
        embedder: Embedder | None,
        extractors: Mapping[ExtractionMode, Extractor],
        ids: IdSource,
        clock: Clock,
        settings: PipelineSettings,
    ) -> None:
        self.store = store
        self.clock = clock
        self.settings = settings
        self._vectors = VectorWriter(store, embedder)
        self._extractors = extractors
        self._ids = ids
        self._writing: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    def new_call(self) -> str:
        """Names a call of a model that reads several sessions."""
        return self._ids.mint("call")

    def extractor_of(self, namespace: Namespace) -> Extractor | None:
        """The extractor of a namespace's mode; None where nothing is extracted."""
        return self._extractors.get(namespace.extraction_mode)

    async def read(self, lease: Lease, enough: Callable[[], bool]) -> SessionWork | None:
        """What waits, after the session's texts got their vectors and the generation is the extractor's.

        None when it was enough before all have their vectors.
        """
        memory = self.store.namespace(lease.job.namespace)
        namespace = await memory.settings()
        if not await self._vectors.embed_session(namespace, lease.job.session, enough):
            return None
        extractor = self.extractor_of(namespace)
        wanted = spec_with(extractor, namespace.profile) if extractor else NO_EXTRACTION
        if namespace.generation is None or namespace.generation.extractor != wanted:
            await memory.begin_generation(GenerationStart(wanted))
        pending = await memory.pending(lease, max(self.settings.batch, self.settings.recipe.longest + 1))
        return SessionWork(namespace, extractor, pending)

    async def cut(self, work: SessionWork) -> Segments:
        """The runs of messages that wait.

        Where attention is to part them, the extractor's compressor reads them; where it has none, similarity does alone.
        """
        pending, recipe = work.pending, self.settings.recipe
        reader = work.extractor.turn_reader if isinstance(work.extractor, ReadingExtractor) else None
        if recipe.by is not Segmentation.ATTENTION_AND_SIMILARITY:
            reader = None
        return await segment_as_read(pending.messages, pending.vectors, pending.flush_marks, recipe, reader)

    def segments(self, work: SessionWork, found: Segments) -> list[Segment]:
        """The closed runs as an extractor sees them, each with the messages before it."""
        namespace, session = work.namespace, work.pending.session
        zone = _zone(session.time_zone or namespace.time_zone)
        before: list[Message] = list(work.pending.context)
        made: list[Segment] = []
        for messages in found.closed:
            context = tuple(before[-self.settings.context :])
            aside = set_aside(messages, self.settings.use)
            importance = {message.id: found.importance[message.id] for message in messages if message.id in found.importance}
            made.append(Segment(namespace.name, session.name, context, messages, zone, namespace.profile, aside, importance))
            before.extend(messages)
        return made

    @asynccontextmanager
    async def writing(self, work: SessionWork, extraction: Extraction, one: Segment, watermark: int) -> AsyncIterator[ExtractionWrite]:
        """What is to be committed of an extraction within this context. What its vectors took goes to `record_usage`.

        One at a time of a namespace: what one session says replaces what another one said, and neither may miss the other.
        """
        namespace, generation = work.namespace, work.pending.generation
        names = short_names(extraction)
        memory = self.store.namespace(namespace.name)
        known = (await memory.query_scope(names)).entities if names else ()
        resolved = resolve(extraction, one, generation, self._ids, self.clock.now(), known)
        vectors = await self._vectors.statement_vectors(namespace, resolved.statements, one.zone)
        lock = self._writing.setdefault(namespace.uid, asyncio.Lock())
        async with lock:
            changes = await changes_of(memory, NewMessages(one.own, resolved.statements, work.pending.vectors))
            yield ExtractionWrite(
                generation=generation,
                expected_watermark=watermark,
                watermark=watermark if work.pending.again else one.messages[-1].seq,
                statements=resolved.statements,
                events=resolved.events,
                entities=resolved.entities,
                edges=(*resolved.edges, *changes),
                vectors=vectors,
                partial_failures=extraction.partial_failures,
                read_ids=read_ids(one),
                again_ids=tuple(message.id for message in one.messages) if work.pending.again else (),
                span=ExtractedSpan(one.messages[0].seq, one.messages[-1].seq, (*one.context, *one.messages)[0].seq),
                read_before=work.pending.read_before,
                consolidate=self.settings.consolidate,
            )


def read_ids(segment: Segment) -> tuple[str, ...]:
    """The messages that an extractor reads of a segment."""
    return tuple(message.id for message in (*segment.context, *segment.messages))


def _zone(name: str) -> tzinfo:
    return ZoneInfo(name) if name else UTC
