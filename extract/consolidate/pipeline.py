"""The consolidation of a namespace: windows of what waits, then threads of windows, then the profile; again until nothing is left."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from extract.consolidate.port import Consolidator
from extract.consolidate.writing import Left, Place, SummaryWriter, WritingBounds
from extract.embed.port import Embedder
from extract.leased_work import LeasedWork
from extract.port import ExtractorUnavailable
from graph.errors import StaleWrite
from graph.model import IdSource, Lease, SummaryLevel
from graph.store.port import Clock, ConsolidationWork, JobDeferred, JobOutcome, JobSucceeded, Store

# So often in a turn a write may come too late; and how long a job pauses then, or when some of its summaries could not be written.
_MOST_REFUSED = 3
_PAUSE = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class ConsolidationSettings:
    """How consolidation works.

    Attributes:
        lease: for how long a job is leased.
        idle: a namespace is consolidated once nothing was extracted for so long, or
        patience: once the oldest event has waited for so long.
        turn: for how long a job is worked on before others have their turn.
        events: how many waiting events are looked at together.
        bounds: what one summary is made of.
    """

    lease: timedelta = timedelta(seconds=30)
    idle: timedelta = timedelta(seconds=60)
    patience: timedelta = timedelta(minutes=10)
    turn: timedelta = timedelta(seconds=5)
    events: int = 1_000
    bounds: WritingBounds = field(default_factory=WritingBounds)


class ConsolidationPipeline(LeasedWork):
    """Runs leased consolidation jobs. An event waits until the write that tells of it: whatever dies in between is done again."""

    def __init__(
        self,
        store: Store,
        embedder: Embedder | None,
        consolidator: Consolidator,
        ids: IdSource,
        clock: Clock,
        settings: ConsolidationSettings = ConsolidationSettings(),  # frozen
    ) -> None:
        """`clock` is the store's."""
        super().__init__(store, clock, settings.lease)
        self._settings = settings
        self._writer = SummaryWriter(consolidator, embedder, ids, clock, settings.bounds)

    async def _work(self, lease: Lease, stopping: Callable[[], bool]) -> JobOutcome:
        memory, left, wrote, refused = self._store.namespace(lease.job.namespace), Left(), False, 0
        turn_ends = self._clock.now() + self._settings.turn

        def enough() -> bool:
            return stopping() or self._clock.now() >= turn_ends

        while not enough():
            namespace = await memory.settings()
            work = await memory.consolidation_work(lease, self._settings.events)
            waits = self._waits_until(work)
            place = Place(memory, lease, namespace, work, left, hold_back=waits is not None)
            try:
                before = len(left)
                if await self._step(place, enough):
                    wrote = True
                    continue
                if len(left) > before:
                    continue  # there may be something behind what is left
            except StaleWrite:
                # A deletion or another generation came first: read again, but not for ever where that goes on.
                refused += 1
                if refused < _MOST_REFUSED:
                    continue
                return JobDeferred(self._clock.now() + _PAUSE, pause=True)
            if not left:
                return JobSucceeded() if waits is None else JobDeferred(waits)
            break
        if not left:
            return JobDeferred(self._clock.now())
        if wrote:
            # What went on is no failed attempt; what is left is not asked for again at once.
            return JobDeferred(self._clock.now() + _PAUSE, pause=True)
        raise ExtractorUnavailable("some summaries could not be written")

    async def _step(self, place: Place, enough: Callable[[], bool]) -> bool:
        """Writes what is to be written of the lowest level that has such; whether anything was written."""
        stale = {level: [one for one in place.work.stale if one.level is level] for level in SummaryLevel}
        return (
            await self._writer.write_windows(place, stale[SummaryLevel.WINDOW], enough)
            or await self._writer.write_threads(place, stale[SummaryLevel.THREAD], enough)
            or await self._writer.write_profile(place)
        )

    def _waits_until(self, work: ConsolidationWork) -> datetime | None:
        """Until when events are given time to be joined by more; None when it is over."""
        if work.hurried or work.first_recorded_at is None or work.last_recorded_at is None:
            return None
        until = min(work.last_recorded_at + self._settings.idle, work.first_recorded_at + self._settings.patience)
        return until if until > self._clock.now() else None


class NoConsolidation(LeasedWork):
    """Ends consolidation jobs where nobody consolidates, left from before or made by a deletion. What waits goes on waiting."""

    async def _work(self, lease: Lease, stopping: Callable[[], bool]) -> JobOutcome:
        return JobSucceeded()
