"""A conversation in a real store whose jobs are run one by one, as a worker would."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from extract.consolidate.local import LocalConsolidator
from extract.consolidate.pipeline import ConsolidationPipeline, ConsolidationSettings
from extract.consolidate.port import Consolidator
from extract.embed import HashingEmbedder
from extract.local import local_extractors
from extract.pipeline import ExtractionPipeline, PipelineSettings
from graph.model import Event, ExtractionMode, Job, JobKind, Role, Summary, SummaryLevel, UuidSource
from graph.store.port import AppendCommand, EventQuery, JobOutcome, MessageDraft, NamespaceSpec, SummaryQuery

LEASE = timedelta(seconds=30)
EMBEDDER = HashingEmbedder(64)
START = datetime(2023, 5, 17, 9, 0, tzinfo=UTC)
GARDEN = ("I planted tomatoes along the south wall of my garden.", "The tomatoes in my garden need a trellis by June.")
BOAT = ("I bought a wooden sailing boat in Porto.", "The sailing boat needs a new mast before summer.")
WINDOW, THREAD, PROFILE = SummaryLevel


class Talk:
    """A namespace with its jobs, run one by one as a worker would."""

    def __init__(self, store: Any, clock: Any, consolidator: Consolidator | None = None, **settings: Any) -> None:
        self.store, self.clock = store, clock
        self.memory = store.namespace("acme/maria")
        self.extraction = ExtractionPipeline(
            store, EMBEDDER, local_extractors(), UuidSource(), clock, PipelineSettings(lease=LEASE, consolidate=True)
        )
        how = ConsolidationSettings(lease=LEASE, **settings)
        self.consolidation = ConsolidationPipeline(store, EMBEDDER, consolidator or LocalConsolidator(), UuidSource(), clock, how)

    async def create(self) -> "Talk":
        await self.store.create_namespace(NamespaceSpec("acme/maria", EMBEDDER.spec, ExtractionMode.EVENT))
        return self

    async def say(self, texts: Sequence[str], session: str = "s1", at: timedelta = timedelta(0)) -> list[str]:
        drafts = tuple(MessageDraft("Maria", Role.USER, text, START + at + timedelta(minutes=n)) for n, text in enumerate(texts))
        said = await self.memory.append(AppendCommand(session, drafts, timedelta(0)))
        await self.memory.flush(session)
        await self.run(JobKind.EXTRACTION)
        return [message.id for message in said.messages]

    async def run(self, kind: JobKind = JobKind.CONSOLIDATION) -> list[JobOutcome | None]:
        """Runs the due jobs of a kind; how each turn ended."""
        outcomes = []
        for _ in range(100):
            lease = await self.store.lease_job("test", LEASE, {kind})
            if lease is None:
                return outcomes
            work = self.extraction if kind is JobKind.EXTRACTION else self.consolidation
            outcomes.append(await work.run(lease))
            if outcomes[-1] is not None:
                await self.memory.finish_job(lease, outcomes[-1])
        raise AssertionError("jobs never end")

    async def consolidate(self, anew: bool = False) -> Job:
        """As somebody who does not want to wait."""
        job = await self.memory.queue_consolidation(anew)
        await self.run()
        found: Job = await self.memory.get_job(job.id)
        return found

    async def summaries(self, *levels: SummaryLevel, **query: Any) -> list[Summary]:
        return list((await self.memory.list_summaries(SummaryQuery(frozenset(levels), **query), None, 1_000)).items)

    async def events(self) -> list[Event]:
        return list((await self.memory.list_events(EventQuery(), None, 1_000)).items)

    async def holds(self) -> None:
        """Every current event is told of by exactly one window, every sentence names what it rests on, and the store is whole."""
        told = [member for window in await self.summaries(WINDOW) for member in window.member_ids]
        assert sorted(told) == sorted(event.id for event in await self.events())
        for one in await self.summaries():
            assert all(sentence.source_ids and set(sentence.source_ids) <= set(one.member_ids) for sentence in one.sentences)
        assert await self.memory.check() == []
