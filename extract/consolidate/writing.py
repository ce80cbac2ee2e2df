"""Writing summaries, level by level: material from the graph, drafts of a consolidator, vectors, one write."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from extract.consolidate.composing import background_of, source_of_summary, summary_of_draft, thread_item
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


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job works, and what it has before it. `left` holds ids of events and summaries that are left for another attempt."""

    memory: Memory
    lease: Lease
    namespace: Namespace
    work: ConsolidationWork
    left: set[str]


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

    async def write_windows(self, place: Place, stale: Sequence[Summary], enough: Callable[[], bool]) -> None:
        """Windows of the events that wait, and those that are stale."""
        waiting = [event for event in _whole_sessions(place.work) if event.id not in place.left]
        sessions = list(dict.fromkeys(event.session for event in waiting))
        current = await summaries_of(place.memory, SummaryLevel.WINDOW, sessions) if sessions else []
        plan = planned_windows(waiting, current, stale, self._bounds.window)
        for start in range(0, len(plan), self._bounds.at_once):
            if start and enough():
                return
            some = plan[start : start + self._bounds.at_once]
            material = await window_material(place.memory, place.namespace, some, self._bounds.seeds)
            wanted = [_Wanted(SummaryLevel.WINDOW, one.group, one.planned.id, (one.planned.session,), seeds=one.seeds) for one in material]
            await self._write(place, self._consolidator.windows, wanted)

    async def write_threads(self, place: Place, stale: Sequence[Summary], enough: Callable[[], bool]) -> bool:
        """Threads that windows in no thread begin or join, and those that are stale; whether there were any."""
        windows = {one.id: one for one in await summaries_of(place.memory, SummaryLevel.WINDOW)}
        threads = await summaries_of(place.memory, SummaryLevel.THREAD)
        vectors = await vectors_of(place.memory, list(windows))
        background = await asyncio.to_thread(background_of, windows.values())
        changes = await asyncio.to_thread(_changes, windows, threads, vectors)
        changes = [change for change in changes if not place.left.issuperset(change.item_ids)]
        touched = {id_ for change in changes for id_ in (change.id, *change.absorbed)}
        changes += [ThreadChange(one.id, one.member_ids) for one in stale if one.id not in touched]
        for start in range(0, len(changes), self._bounds.at_once):
            if start and enough():
                break
            wanted = []
            for change in changes[start : start + self._bounds.at_once]:
                members = [windows[id_] for id_ in change.item_ids if id_ in windows]
                if members:
                    sessions = tuple(name for one in members for name in one.sessions)
                    group, middle = _group(members, background), _middle([vectors[one.id] for one in members if one.id in vectors])
                    wanted.append(_Wanted(SummaryLevel.THREAD, group, change.id, sessions, change.absorbed, vector=middle))
            await self._write(place, self._consolidator.threads, wanted)
        return bool(changes)

    async def write_profile(self, place: Place) -> bool:
        """The profile, if it is stale or there is none for the threads that there are; whether it was written."""
        profile = next(iter(await summaries_of(place.memory, SummaryLevel.PROFILE)), None)
        if profile is not None and (profile.stale_since is None or profile.id in place.left):
            return False
        threads = await summaries_of(place.memory, SummaryLevel.THREAD)
        if place.left.issuperset(thread.id for thread in threads):
            return False
        wanted = _Wanted(SummaryLevel.PROFILE, _group(threads, Background()), "" if profile is None else profile.id)
        await self._write(place, lambda groups: self._consolidator.profile(groups[0]), [wanted])
        return True

    async def _write(
        self, place: Place, ask: Callable[[Sequence[SourceGroup]], Awaitable[Consolidation]], wanted: Sequence[_Wanted]
    ) -> None:
        if not wanted:
            return
        async with store_usage(place.memory) as unstored:
            answer = await ask([one.group for one in wanted])
            unstored.extend(answer.usage)
            written = [(one, draft) for one, draft in zip(wanted, answer.drafts, strict=True) if draft is not None]
            summaries = tuple(self._summary(place, one, draft) for one, draft in written)
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
                place.left.update(source.id for source in one.group.sources)
                place.left.add(one.id)

    def _summary(self, place: Place, one: _Wanted, draft: SummaryDraft) -> Summary:
        id_ = one.id or self._ids.mint(PREFIXES[NodeKind.SUMMARY])
        written = (self._clock.now(), self._consolidator.fingerprint, place.work.generation)
        return summary_of_draft(id_, one.level, draft, one.group.sources, one.sessions, written, one.seeds)

    async def _text_vectors(self, namespace: Namespace, texts: Mapping[str, str]) -> tuple[PassageVector, ...]:
        """The vectors of summaries, where the namespace holds this embedder's."""
        if self._embedder is None or namespace.embedding != self._embedder.spec:
            return ()
        return await text_vectors(self._embedder, texts)


def _whole_sessions(work: ConsolidationWork) -> tuple[Event, ...]:
    """The events that wait; without those of the last session, of which more may wait than were read, unless there is no other."""
    last = work.events[-1].session if work.events else ""
    if not work.more or work.events[0].session == last:
        return work.events
    return tuple(event for event in work.events if event.session != last)


def _changes(windows: Mapping[str, Summary], threads: Sequence[Summary], vectors: Mapping[str, Float16Vector]) -> list[ThreadChange]:
    """What becomes of the threads when the windows that are in none are put into them."""
    items = {id_: thread_item(one, vectors.get(id_)) for id_, one in windows.items()}
    # Ids are minted in the order of time.
    known = [
        ThreadMembers(one.id, tuple(items[id_] for id_ in one.member_ids if id_ in items))
        for one in sorted(threads, key=lambda one: one.id)
    ]
    placed = {item.id for thread in known for item in thread.items}
    return changed_threads(known, [item for id_, item in items.items() if id_ not in placed and windows[id_].sentences])


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
