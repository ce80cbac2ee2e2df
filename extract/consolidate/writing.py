"""Writing summaries, level by level: material from the graph, drafts of a consolidator, vectors, one write."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import numpy as np

from extract.consolidate.composing import background_of, source_of_summary, summary_of_draft, thread_item
from extract.consolidate.local import LocalConsolidator
from extract.consolidate.material import summaries_of, vectors_of, window_material
from extract.consolidate.port import Background, Consolidation, Consolidator, SourceGroup, SummaryDraft
from extract.consolidate.threads import ThreadChange, ThreadMembers, changed_threads
from extract.consolidate.window_plan import planned_windows
from extract.consolidate.windows import WINDOW_LENGTH
from extract.embed.port import Embedder
from extract.usage import store_usage, write_with_usage
from extract.vectors import text_vectors
from graph.model import PREFIXES, Event, IdSource, Lease, Namespace, NodeKind, Seed, Summary, SummaryLevel
from graph.store.port import Clock, ConsolidationWork, ConsolidationWrite, Float16Vector, Memory, PassageVector

# Windows that are put into threads at once: each is compared with every thread, and all of them are written before others have their turn.
_MOST_CLUSTERED = 256
# From this attempt of a job on, rules write what the model did not.
_MODEL_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class WritingBounds:
    """What a summary is made of.

    Attributes:
        window: how much time a window covers; None: a session.
        at_once: how many summaries are written together.
        seeds: how many earlier events help to understand a window (StructMem's K).
    """

    window: timedelta | None = WINDOW_LENGTH
    at_once: int = 32
    seeds: int = 15


@dataclass(slots=True)
class Left:
    """What is left for another attempt, because no draft could be made of it: ids of events, of windows that threads are made of, of
    summaries that were there already; and the profile.
    """

    events: set[str] = field(default_factory=set)
    windows: set[str] = field(default_factory=set)
    summaries: set[str] = field(default_factory=set)
    profile: bool = False

    def __len__(self) -> int:
        return len(self.events) + len(self.windows) + len(self.summaries) + self.profile

    def add(self, level: SummaryLevel, id_: str, source_ids: Iterable[str]) -> None:
        """Leaves a summary of a level that was to be made of these sources; `id_` is "" of one that is new."""
        match level:
            case SummaryLevel.WINDOW:
                self.events.update(source_ids)
            case SummaryLevel.THREAD:
                self.windows.update(source_ids)
            case SummaryLevel.PROFILE:
                self.profile = True
        if id_:
            self.summaries.add(id_)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job works, and what it has before it. `hold_back`: events that wait are given more time."""

    memory: Memory
    lease: Lease
    namespace: Namespace
    work: ConsolidationWork
    left: Left
    hold_back: bool = False


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A summary to be written: of these sources, in the place of the one with this id or of those that it takes up.

    `vector` is that of a thread; a window's is made of its text, and a profile, which is about everything, has none.
    """

    level: SummaryLevel
    group: SourceGroup
    id: str = ""
    sessions: tuple[str, ...] = ()
    retired: tuple[str, ...] = ()
    seeds: tuple[Seed, ...] = ()
    vector: Float16Vector | None = None


class SummaryWriter:
    """Writes the summaries of one level. Each raises StaleWrite or LeaseLost; what no draft could be made of is noted in `Place.left`."""

    def __init__(self, consolidator: Consolidator, embedder: Embedder | None, ids: IdSource, clock: Clock, bounds: WritingBounds) -> None:
        self._consolidator = consolidator
        self._embedder = embedder
        self._ids = ids
        self._clock = clock
        self._bounds = bounds
        self._rules = LocalConsolidator()

    async def write_windows(self, place: Place, stale: Sequence[Summary], enough: Callable[[], bool]) -> bool:
        """Windows of the events that wait, and those that are stale; whether anything was written."""
        stale = [one for one in stale if one.id not in place.left.summaries]
        waiting = [] if place.hold_back else _whole_sessions(place.work, place.left.events)
        sessions = list(dict.fromkeys(event.session for event in waiting))
        current = await summaries_of(place.memory, SummaryLevel.WINDOW, sessions) if sessions else []
        plan = await asyncio.to_thread(planned_windows, waiting, current, stale, self._bounds.window)
        written = 0
        for start in range(0, len(plan), self._bounds.at_once):
            if start and enough():
                break
            some = plan[start : start + self._bounds.at_once]
            material = await window_material(place.memory, place.namespace, some, self._bounds.seeds)
            wanted = [_Wanted(SummaryLevel.WINDOW, one.group, one.planned.id, (one.planned.session,), seeds=one.seeds) for one in material]
            written += await self._write(place, self._consolidator.windows, wanted)
        return written > 0

    async def write_threads(self, place: Place, stale: Sequence[Summary], enough: Callable[[], bool]) -> bool:
        """Threads that windows in no thread begin or join, and those that are stale; whether anything was written."""
        left, written = place.left, 0
        stale = [one for one in stale if one.id not in left.summaries]
        if not place.work.loose and not stale:
            return False
        windows = {one.id: one for one in await summaries_of(place.memory, SummaryLevel.WINDOW)}
        threads = await summaries_of(place.memory, SummaryLevel.THREAD)
        known = {one.id: one for one in threads}
        vectors = await vectors_of(place.memory, list(windows))
        background = await asyncio.to_thread(background_of, windows.values())
        changes = await asyncio.to_thread(_changes, windows, threads, vectors, left.windows)
        computed = len(changes)
        touched = {id_ for change in changes for id_ in (change.id, *change.absorbed)}
        changes += [ThreadChange(one.id, one.member_ids) for one in stale if one.id not in touched]
        for start in range(0, len(changes), self._bounds.at_once):
            # What was clustered is written, though the turn is over: it would have to be clustered again.
            if start >= computed and start and enough():
                break
            some = changes[start : start + self._bounds.at_once]
            wanted = await asyncio.to_thread(_wanted_threads, some, windows, known, vectors, background)
            written += await self._write(place, self._consolidator.threads, wanted)
        return written > 0

    async def write_profile(self, place: Place) -> bool:
        """The profile, if it is stale or there is none for the threads that there are; whether it was written."""
        profile = next(iter(await summaries_of(place.memory, SummaryLevel.PROFILE)), None)
        if place.left.profile or (profile is not None and profile.stale_since is None):
            return False
        threads = await summaries_of(place.memory, SummaryLevel.THREAD)
        if not threads:
            return False
        wanted = _Wanted(SummaryLevel.PROFILE, _group(threads, Background()), "" if profile is None else profile.id)
        return await self._write(place, lambda groups: self._consolidator.profile(groups[0]), [wanted]) > 0

    async def _write(
        self, place: Place, ask: Callable[[Sequence[SourceGroup]], Awaitable[Consolidation]], wanted: Sequence[_Wanted]
    ) -> int:
        """Asks for the drafts and stores what comes; how many summaries that were."""
        if not wanted:
            return 0
        async with store_usage(place.memory) as unstored:
            answer = await ask([one.group for one in wanted])
            unstored.extend(answer.usage)
            answer = await self._settled(place, answer, wanted)
            marks = self._marks(answer)
            written = [(one, draft) for one, draft in zip(wanted, answer.drafts, strict=True) if draft is not None]
            made = zip(wanted, answer.drafts, marks, strict=True)
            summaries = tuple(replace(self._summary(place, one, draft), calls=calls) for one, draft, calls in made if draft is not None)
            texts = {one.id: one.text for one in summaries if one.level is SummaryLevel.WINDOW and one.sentences}
            middles = zip(summaries, (one.vector for one, _ in written), strict=True)
            write = ConsolidationWrite(
                place.work.revision,
                place.work.generation,
                summaries,
                tuple(gone for one, _ in written for gone in one.retired),
                (
                    *await self._text_vectors(place.namespace, texts),
                    *(PassageVector(one.id, 0, vector) for one, vector in middles if vector is not None and one.sentences),
                ),
                partial_failures=answer.partial_failures,
            )
            commit = place.memory.commit_consolidation
            await write_with_usage(unstored, lambda usage: commit(place.lease, replace(write, usage=tuple(usage))))
        for one, draft in zip(wanted, answer.drafts, strict=True):
            if draft is None:
                place.left.add(one.level, one.id, (source.id for source in one.group.sources))
        return len(written)

    async def _settled(self, place: Place, answer: Consolidation, wanted: Sequence[_Wanted]) -> Consolidation:
        """What a model could not be made to say in several attempts the rules say: no summary is waited for without end."""
        unreachable = any(failure.reason == "EXTRACTOR_UNAVAILABLE" for failure in answer.partial_failures)
        if place.lease.job.attempts < _MODEL_ATTEMPTS or unreachable:
            return answer
        drafts = list(answer.drafts)
        for number, (one, draft) in enumerate(zip(wanted, answer.drafts, strict=True)):
            if draft is None:
                by_rules = {SummaryLevel.WINDOW: self._rules.windows, SummaryLevel.THREAD: self._rules.threads}
                made = await (self._rules.profile(one.group) if one.level is SummaryLevel.PROFILE else by_rules[one.level]([one.group]))
                drafts[number] = made.drafts[0]
        return replace(answer, drafts=tuple(drafts))

    def _marks(self, answer: Consolidation) -> list[tuple[str, ...]]:
        """For each draft the mark of the call that wrote it together with others: what any was shown may stand in all of them."""
        calls = answer.calls or range(len(answer.drafts))
        together = {call: self._ids.mint("call") for call, count in Counter(calls).items() if count > 1}
        return [(together[call],) if call in together else () for call in calls]

    def _summary(self, place: Place, one: _Wanted, draft: SummaryDraft) -> Summary:
        id_ = one.id or self._ids.mint(PREFIXES[NodeKind.SUMMARY])
        written = (self._clock.now(), self._consolidator.fingerprint, place.work.generation)
        return summary_of_draft(id_, one.level, draft, one.group.sources, one.sessions, written, one.seeds)

    async def _text_vectors(self, namespace: Namespace, texts: Mapping[str, str]) -> tuple[PassageVector, ...]:
        """The vectors of summaries, where the namespace holds this embedder's."""
        if self._embedder is None or namespace.embedding != self._embedder.spec:
            return ()
        return await text_vectors(self._embedder, texts)


def _whole_sessions(work: ConsolidationWork, left: Container[str]) -> list[Event]:
    """The events that wait and are not left; without those of the last session, of which more may wait than were read, unless there is
    no other.
    """
    events = [event for event in work.events if event.id not in left]
    if not work.more or not events or events[0].session == events[-1].session:
        return events
    return [event for event in events if event.session != events[-1].session]


def _changes(
    windows: Mapping[str, Summary], threads: Sequence[Summary], vectors: Mapping[str, Float16Vector], left: Container[str]
) -> list[ThreadChange]:
    """What becomes of the threads when the windows that are in none, and not `left`, are put into them: the oldest, so many at a time."""
    items = {id_: thread_item(one, vectors.get(id_)) for id_, one in windows.items()}
    # Ids are minted in the order of time.
    known = [
        ThreadMembers(one.id, tuple(items[id_] for id_ in one.member_ids if id_ in items))
        for one in sorted(threads, key=lambda one: one.id)
    ]
    placed = {item.id for thread in known for item in thread.items}
    loose = [item for id_, item in items.items() if id_ not in placed and id_ not in left and windows[id_].sentences]
    return changed_threads(known, sorted(loose, key=lambda item: (item.said_from, item.id))[:_MOST_CLUSTERED])


def _wanted_threads(
    changes: Sequence[ThreadChange],
    windows: Mapping[str, Summary],
    threads: Mapping[str, Summary],
    vectors: Mapping[str, Float16Vector],
    background: Background,
) -> list[_Wanted]:
    """What the changed threads are written from: all of their windows, and what stands of each so far."""
    wanted = []
    for change in changes:
        members = [windows[id_] for id_ in change.item_ids if id_ in windows]
        if members:
            before = threads.get(change.id)
            context = (source_of_summary(before),) if before is not None and before.sentences else ()
            group = replace(_group(members, background), context=context)
            sessions = tuple(name for one in members for name in one.sessions)
            middle = _middle([vectors[one.id] for one in members if one.id in vectors])
            wanted.append(_Wanted(SummaryLevel.THREAD, group, change.id, sessions, change.absorbed, vector=middle))
    return wanted


def _middle(vectors: Sequence[Float16Vector]) -> Float16Vector | None:
    """The direction of the mean: a thread is where its windows are, and need not be embedded each time that it grows."""
    if not vectors:
        return None
    mean = np.mean(np.asarray(vectors, dtype=np.float32), axis=0)
    length = float(np.linalg.norm(mean))
    middle: Float16Vector | None = (mean / length).astype(np.float16) if length else None
    return middle


def _group(summaries: Sequence[Summary], background: Background) -> SourceGroup:
    """Summaries as the sources of the one above them, oldest first."""
    ordered = sorted(summaries, key=lambda one: (one.said_from, one.said_to, one.id))
    return SourceGroup(tuple(source_of_summary(one) for one in ordered), background=background)
