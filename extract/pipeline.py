"""The extraction of one session: embed, segment, extract, resolve, write; again until nothing is left."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, timedelta, tzinfo
from zoneinfo import ZoneInfo

from extract.embed.port import Embedder
from extract.entities import short_names
from extract.leased_work import LeasedWork
from extract.messages_use import MessagesUse, set_aside
from extract.port import Extraction, Extractor, Segment, spec_with
from extract.profile import keep_types
from extract.resolve import resolve
from extract.segment import SegmentRecipe, Segments, segment
from extract.usage import store_usage, write_with_usage
from extract.vectors import VectorWriter
from graph.errors import StaleWrite
from graph.model import NO_EXTRACTION, ExtractionMode, IdSource, Lease, Message, Namespace
from graph.store.port import Clock, ExtractionWrite, GenerationStart, JobDeferred, JobOutcome, JobSucceeded, Memory, PendingWork, Store


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
    """

    lease: timedelta = timedelta(seconds=30)
    turn: timedelta = timedelta(seconds=5)
    batch: int = 400
    context: int = 4
    recipe: SegmentRecipe = field(default_factory=SegmentRecipe)
    use: MessagesUse = MessagesUse.BOTH


class ExtractionPipeline(LeasedWork):
    """Runs leased extraction jobs. Whatever dies in between: events and watermark move together, so that each message is extracted once."""

    def __init__(
        self,
        store: Store,
        embedder: Embedder | None,
        extractors: Mapping[ExtractionMode, Extractor],
        ids: IdSource,
        clock: Clock,
        settings: PipelineSettings = PipelineSettings(),  # frozen
    ) -> None:
        """`extractors` has one for EVENT and one for FLAT; `clock` is the store's."""
        super().__init__(store, clock, settings.lease)
        self._vectors = VectorWriter(store, embedder)
        self._extractors = extractors
        self._ids = ids
        self._settings = settings

    async def _work(self, lease: Lease, stopping: Callable[[], bool]) -> JobOutcome:
        job, flushed, turn_ends = lease.job, False, self._clock.now() + self._settings.turn
        memory = self._store.namespace(job.namespace)

        def enough() -> bool:
            return stopping() or self._clock.now() >= turn_ends

        while not enough():
            namespace = await memory.settings()
            if not await self._vectors.embed_session(namespace, job.session, enough):
                break
            extractor = self._extractors.get(namespace.extraction_mode)
            wanted = spec_with(extractor, namespace.profile) if extractor else NO_EXTRACTION
            if namespace.generation is None or namespace.generation.extractor != wanted:
                await memory.begin_generation(GenerationStart(wanted))
            work = await memory.pending(lease, max(self._settings.batch, self._settings.recipe.longest + 1))
            if not work.messages:
                return JobSucceeded()
            try:
                if extractor is None:
                    await _skip(memory, lease, work)
                    continue
                found = await asyncio.to_thread(segment, work.messages, work.vectors, work.flush_marks, self._settings.recipe)
                if await self._extract(memory, lease, namespace, extractor, work, found, stopping, enough):
                    continue
            except StaleWrite:
                continue  # a deletion, a flush or another generation came first: read again
            if self._clock.now() < work.idle_until:
                return JobDeferred(work.idle_until)
            if flushed:
                # The mark fell after messages that came later. Leased again, the job covers them, too.
                break
            await memory.flush(job.session)
            flushed = True
        return JobDeferred(self._clock.now())

    async def _extract(
        self,
        memory: Memory,
        lease: Lease,
        namespace: Namespace,
        extractor: Extractor,
        work: PendingWork,
        found: Segments,
        stopping: Callable[[], bool],
        enough: Callable[[], bool],
    ) -> bool:
        """Extracts and commits the closed segments one by one, one at least before it is enough; whether there were any."""
        zone = _zone(work.session.time_zone or namespace.time_zone)
        before: list[Message] = list(work.context)
        watermark = work.watermark
        for messages in found.closed:
            if stopping():
                break
            context = tuple(before[-self._settings.context :])
            aside = set_aside(messages, self._settings.use)
            one = Segment(namespace.name, work.session.name, context, messages, zone, namespace.profile, aside)
            watermark = await self._extract_segment(memory, lease, namespace, extractor, one, work.generation, watermark)
            before.extend(messages)
            if enough():
                break
        return bool(found.closed)

    async def _extract_segment(
        self, memory: Memory, lease: Lease, namespace: Namespace, extractor: Extractor, one: Segment, generation: int, watermark: int
    ) -> int:
        async with store_usage(memory) as unstored:
            extraction = keep_types(await extractor.extract(one), one.profile) if one.own else Extraction(())
            unstored.extend(extraction.usage)
            write = await self._written(memory, namespace, extraction, one, generation, watermark)
            await write_with_usage(unstored, lambda usage: memory.commit_extraction(lease, replace(write, usage=tuple(usage))))
        return write.watermark

    async def _written(
        self, memory: Memory, namespace: Namespace, extraction: Extraction, one: Segment, generation: int, watermark: int
    ) -> ExtractionWrite:
        """What is written of an extraction."""
        names = short_names(extraction)
        known = (await memory.query_scope(names)).entities if names else ()
        resolved = resolve(extraction, one, generation, self._ids, self._clock.now(), known)
        return ExtractionWrite(
            generation=generation,
            expected_watermark=watermark,
            watermark=one.messages[-1].seq,
            statements=resolved.statements,
            events=resolved.events,
            entities=resolved.entities,
            edges=resolved.edges,
            vectors=await self._vectors.statement_vectors(namespace, resolved.statements, one.zone),
            partial_failures=extraction.partial_failures,
            read_ids=tuple(message.id for message in (*one.context, *one.messages)),
        )


async def _skip(memory: Memory, lease: Lease, work: PendingWork) -> None:
    """Extraction is off: the watermark moves over the messages."""
    await memory.commit_extraction(lease, ExtractionWrite(work.generation, work.watermark, work.messages[-1].seq))


def _zone(name: str) -> tzinfo:
    return ZoneInfo(name) if name else UTC
