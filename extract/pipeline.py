"""The extraction of one session: embed, segment, extract, resolve, write; again until nothing is left."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from extract.embed.port import Embedder
from extract.joined import JoinedExtraction
from extract.leased_work import LeasedWork, OtherJobs
from extract.port import Extraction, Extractor, JoiningExtractor, Segment
from extract.profile import keep_types
from extract.segment import Segments
from extract.steps import ExtractionSteps, PipelineSettings, SessionWork
from extract.usage import store_usage, write_with_usage
from graph.errors import StaleWrite, StructMemError
from graph.model import ExtractionMode, IdSource, Lease
from graph.store.port import Clock, ExtractionWrite, JobDeferred, JobOutcome, JobSucceeded, Memory, PendingWork, Store

__all__ = ["ExtractionPipeline", "PipelineSettings"]


class ExtractionPipeline(LeasedWork):
    """Runs leased extraction jobs. Whatever dies in between: events and watermark move together, so that each message is extracted once."""

    def __init__(
        self,
        store: Store,
        embedder: Embedder | None,
        extractors: Mapping[ExtractionMode, Extractor],
        ids: IdSource,
        clock: Clock,
        settings: PipelineSettings = PipelineSettings(),  # noqa: B008  # frozen
    ) -> None:
        """`extractors` has one for EVENT and one for FLAT; `clock` is the store's."""
        super().__init__(store, clock, settings.lease)
        self._steps = ExtractionSteps(store, embedder, extractors, ids, clock, settings)
        self._settings = settings
        self._filling: dict[str, JoinedExtraction] = {}

    async def run(self, lease: Lease, stopping: Callable[[], bool] = lambda: False, others: OtherJobs | None = None) -> JobOutcome | None:
        """See `LeasedWork.run`. Where the namespace's extractor joins segments, several jobs are worked on at once."""
        if await self._joins(lease):
            return await JoinedExtraction(self._steps, lease, stopping, others, self._filling).run()
        return await super().run(lease, stopping, others)

    async def _joins(self, lease: Lease) -> bool:
        """Whether the namespace's extractor joins segments. A store that cannot say is asked again by the attempt, which tells of it."""
        try:
            namespace = await self._store.namespace(lease.job.namespace).settings()
        except StructMemError:
            return False
        return isinstance(self._steps.extractor_of(namespace), JoiningExtractor)

    async def _work(self, lease: Lease, stopping: Callable[[], bool]) -> JobOutcome:
        job, flushed, turn_ends = lease.job, False, self._clock.now() + self._settings.turn
        memory = self._store.namespace(job.namespace)

        def enough() -> bool:
            return stopping() or self._clock.now() >= turn_ends

        while not enough():
            work = await self._steps.read(lease, enough)
            if work is None:
                break
            pending = work.pending
            if not pending.messages:
                return JobSucceeded()
            try:
                if work.extractor is None:
                    await _skip(memory, lease, pending)
                    continue
                found = await self._steps.cut(work)
                if await self._extract(lease, work, work.extractor, found, stopping, enough):
                    continue
            except StaleWrite:
                continue  # a deletion, a flush or another generation came first: read again
            if self._clock.now() < pending.idle_until:
                return JobDeferred(pending.idle_until)
            if flushed:
                # The mark fell after messages that came later. Leased again, the job covers them, too.
                break
            await memory.flush(job.session)
            flushed = True
        return JobDeferred(self._clock.now())

    async def _extract(
        self,
        lease: Lease,
        work: SessionWork,
        extractor: Extractor,
        found: Segments,
        stopping: Callable[[], bool],
        enough: Callable[[], bool],
    ) -> bool:
        """Extracts and commits the closed segments one by one, one at least before it is enough; whether there were any."""
        watermark = work.pending.watermark
        for one in self._steps.segments(work, found):
            if stopping():
                break
            watermark = await self._extract_segment(lease, work, extractor, one, watermark)
            if enough():
                break
        return bool(found.closed)

    async def _extract_segment(self, lease: Lease, work: SessionWork, extractor: Extractor, one: Segment, watermark: int) -> int:
        memory = self._store.namespace(lease.job.namespace)
        async with store_usage(memory) as unstored:
            extraction = keep_types(await extractor.extract(one), one.profile) if one.own else Extraction(())
            unstored.extend(extraction.usage)
            async with self._steps.writing(work, extraction, one, watermark) as write:
                await write_with_usage(unstored, lambda usage: memory.commit_extraction(lease, replace(write, usage=tuple(usage))))
        return write.watermark


async def _skip(memory: Memory, lease: Lease, work: PendingWork) -> None:
    """Extraction is off: the watermark moves over the messages."""
    again = tuple(message.id for message in work.messages) if work.again else ()
    watermark = work.watermark if work.again else work.messages[-1].seq
    await memory.commit_extraction(lease, ExtractionWrite(work.generation, work.watermark, watermark, again_ids=again))
