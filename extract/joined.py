"""Several sessions in one call: what a worker does where an extractor pays for every call.

The closed segments of a namespace's due jobs, each under a lease of its own, fill one buffer; a call reads what is in it. Each session is
committed by itself, so that watermarks and events move together and what happens to one job is nothing to the others.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from extract.leased_work import OtherJobs, kept, while_kept
from extract.outcome import failed_attempt, log_fields
from extract.port import Extraction, ExtractorUnavailable, JoiningExtractor, Segment
from extract.profile import keep_types
from extract.steps import ExtractionSteps, SessionWork, read_ids
from extract.tokens import count_tokens
from extract.usage import store_usage, write_with_usage
from graph.errors import LeaseLost, NotFound, StaleWrite, StructMemError
from graph.model import Lease
from graph.store.port import JobDeferred, JobOutcome, JobSucceeded, Memory, UsageEntry

_log = logging.getLogger(__name__)

# So many sessions at most are held for one call: a session of one word costs as much to look at as a long one.
_MOST_SESSIONS = 32
# A call may exceed the buffer by a third, so that segments stay whole: sessions of LoCoMo, 640 tokens on average, then take 15.7 calls a
# conversation at 1,024 tokens; 22.2 where none may exceed it, 14.4 where any one may.
_SLACK = 4 / 3
# So many buffers are held to choose from: with one, 17.3 calls in place of 15.7; with six, 15.6.
_CHOICE = 3
# Before a call that is not full: time for a job that another worker has just leased to come along.
_MOMENT_S = 0.05


@dataclass(slots=True, eq=False)
class _Held:
    """A leased job, and which segments of its session wait for a call. `due`: they wait for no others, as it is idle or flushed."""

    lease: Lease
    renewal: asyncio.Task[None]
    work: SessionWork | None = None
    segments: list[Segment] = field(default_factory=list)
    tokens: list[int] = field(default_factory=list)
    due: bool = False
    looked_at: bool = False
    flushed: bool = False
    watermark: int = 0


class JoinedExtraction:
    """One turn of a worker: fills the buffer from the first job and as many more as it takes, and extracts what is in it, call by call.

    A segment waits while the buffer is not full, at most until its session's idle time, or until it is flushed.
    """

    def __init__(
        self,
        steps: ExtractionSteps,
        first: Lease,
        stopping: Callable[[], bool],
        others: OtherJobs | None = None,
        filling: "dict[str, JoinedExtraction] | None" = None,
    ) -> None:
        """`others`: see `LeasedWork.run`. `filling`: by namespace, who of this process fills a buffer just now; shared by all of them."""
        self._steps = steps
        self._first = first
        self._filling = {} if filling is None else filling
        self._given: list[Lease] = []
        self._stopping = stopping
        self._others = others
        self._memory: Memory = steps.store.namespace(first.job.namespace)
        self._turn_ends = steps.clock.now() + steps.settings.turn
        self._outcome: JobOutcome | None = None
        self._seen: set[str] = set()
        self._held: list[_Held] = []
        self._renewals: list[asyncio.Task[None]] = []

    async def run(self) -> JobOutcome | None:
        """Works for a turn. Returns the first job's outcome where there is nobody else to tell it to."""
        filling = self._filling.get(self._first.job.namespace)
        if filling is not None and filling.takes(self._first):
            return None
        self._hold(self._first)
        try:
            while not self._stopping():
                await self._fill()
                call = self._next_call()
                if not call or not await self._is_wanted(call[0][0]):
                    break
                if not await self._extract(call) or self._enough():
                    await self._look_again()
                    break
        finally:
            # What is left goes back into the queue, behind all that are due.
            await asyncio.shield(self._hand_back())
            await asyncio.gather(*self._renewals, return_exceptions=True)
        return self._outcome

    # Filling the buffer

    def takes(self, lease: Lease) -> bool:
        """Takes over a job that another worker has just leased, so that two sessions that are due at once are not two calls."""
        if self._given or self._others is None:
            return False
        self._given.append(lease)
        return True

    async def _fill(self) -> None:
        """Leases further jobs until there is enough to choose from or nothing more is due."""
        namespace = self._first.job.namespace
        mine = self._others is not None and self._filling.setdefault(namespace, self) is self
        try:
            await self._take_more()
        finally:
            if mine:
                del self._filling[namespace]
            for lease in self._given:
                self._hold(lease)
            self._given.clear()
        await self._look_again()

    async def _take_more(self) -> None:
        await self._look_again()
        while self._others is not None and 0 < len(self._held) < _MOST_SESSIONS and not self._is_full(_CHOICE) and not self._enough():
            lease = self._given.pop() if self._given else await self._others.lease() or await self._given_soon()
            if lease is None:
                return
            again = lease.job.id in self._seen
            self._hold(lease)
            if again:
                # Put back in this very turn: it would be leased again and again.
                return
            await self._look_again()

    async def _given_soon(self) -> Lease | None:
        if not self._given and any(one.due for one in self._held):
            await asyncio.sleep(_MOMENT_S)
        return self._given.pop() if self._given else None

    async def _look_again(self) -> None:
        """Reads what waits for those jobs that nothing is known to wait for; those for which nothing does are finished."""
        for one in [one for one in self._held if not one.looked_at and not one.segments]:
            try:
                outcome = await self._look(one)
            except (LeaseLost, NotFound):
                self._drop(one)
            except Exception as error:  # noqa: BLE001  # an attempt may fail on anything, and must end as an outcome
                await self._fail(one, error)
            else:
                if outcome is not None:
                    await self._finish(one, outcome)

    async def _look(self, one: _Held) -> JobOutcome | None:
        """Reads the segments that wait; the outcome where there are none."""
        one.looked_at = True
        work = await self._steps.read(one.lease, self._enough)
        if work is None:
            return self._again()
        if not work.pending.messages:
            return JobSucceeded()
        if not isinstance(work.extractor, JoiningExtractor):
            return self._again()  # the namespace's mode is another one by now
        found = await self._steps.cut(work)
        due = self._steps.clock.now() >= work.pending.idle_until
        if due and found.open and not one.flushed:
            one.flushed = True
            await self._memory.flush(one.lease.job.session)
            return await self._look(one)
        if not found.closed:
            # Where it is due, a mark fell after messages that came later: leased again, the job covers them, too.
            return self._again() if due else JobDeferred(work.pending.idle_until)
        segments = self._steps.segments(work, found)
        one.tokens = await asyncio.to_thread(lambda: [_tokens(segment) for segment in segments])
        one.work, one.segments, one.due, one.watermark = work, segments, due, work.pending.watermark
        return None

    def _is_full(self, times: int = 1) -> bool:
        return sum(sum(one.tokens) for one in self._held) >= times * self._steps.settings.buffer_tokens

    # Calls

    def _next_call(self) -> list[tuple[_Held, Segment]]:
        """What the next call reads, a segment of each session; nothing when all that is held can wait for more."""
        waiting = [one for one in self._held if one.segments]
        if not self._is_full() and not any(one.due for one in waiting):
            return []
        # Those that are due first: the others may as well come along, if they are asked about in the same words.
        waiting.sort(key=lambda one: not one.due)
        waiting = [one for one in waiting if one.segments[0].profile == waiting[0].segments[0].profile]
        taken: dict[_Held, list[Segment]] = {}
        room = self._steps.settings.buffer_tokens * _SLACK
        while room > self._steps.settings.buffer_tokens * (_SLACK - 1):
            # The largest that fits; of a session, its segments in their order.
            fitting = [one for one in waiting if one.segments and (one.tokens[0] <= room or not taken)]
            if not fitting:
                break
            best = max(fitting, key=lambda one: one.tokens[0]) if taken else fitting[0]
            taken.setdefault(best, []).append(best.segments.pop(0))
            room -= best.tokens.pop(0)
        return [(one, _in_one(segments)) for one, segments in taken.items()]

    async def _is_wanted(self, one: _Held) -> bool:
        """Whether the namespace still wants what was read of it to be extracted so, for calls are paid for."""
        assert one.work is not None
        try:
            now = await self._memory.settings()
        except StructMemError:
            return False
        return (now.extraction_mode, now.profile) == (one.work.namespace.extraction_mode, one.work.namespace.profile)

    async def _extract(self, call: Sequence[tuple[_Held, Segment]]) -> bool:
        """Makes the call and commits each session; whether the extractor could be asked."""
        first = call[0][0].work
        assert first is not None
        assert isinstance(first.extractor, JoiningExtractor)
        async with store_usage(self._memory) as unstored:
            try:
                asking = first.extractor.extract_many([segment for _, segment in call])
                found = await while_kept(asking, [one.renewal for one, _ in call])
            except ExtractorUnavailable as error:
                for one, _ in call:
                    await self._fail(one, error)
                return False
            except Exception as error:  # noqa: BLE001  # see _look_again
                if len(call) == 1:
                    await self._fail(call[0][0], error)
                    return True
                # Whatever it is, it may be the fault of one: the others shall not fail with it.
                fields = log_fields(error, call[0][0].lease.job)
                _log.warning("a call for several sessions failed; each is asked about by itself", exc_info=error, extra=fields)
                return all([await self._extract([one]) for one in call])
            if found is None:  # all leases were lost
                for one, _ in call:
                    self._drop(one)
                return True
            for extraction in found:
                unstored.extend(extraction.usage)
            read = tuple(dict.fromkeys(id_ for _, segment in call for id_ in read_ids(segment)))
            name = self._steps.new_call() if len(call) > 1 else ""
            for (one, segment), extraction in zip(call, found, strict=True):
                await self._commit(one, segment, extraction, read, name, unstored)
        return True

    async def _commit(
        self, one: _Held, segment: Segment, extraction: Extraction, read: tuple[str, ...], name: str, unstored: list[UsageEntry]
    ) -> None:
        """Writes what was found of one session, with what the call took if no other one has.

        `read`: all messages that the call showed; `name`: of the call, if it showed several sessions.
        """
        assert one.work is not None
        one.looked_at = False
        try:
            kept_types = keep_types(extraction, segment.profile)
            async with self._steps.writing(one.work, kept_types, segment, one.watermark) as write:
                span = write.span and replace(write.span, call=name)
                whole = replace(write, read_ids=read, span=span)
                await write_with_usage(
                    unstored, lambda usage: self._memory.commit_extraction(one.lease, replace(whole, usage=tuple(usage)))
                )
            one.watermark = write.watermark
        except StaleWrite:
            # A deletion, a flush or another generation came first: it is read again, in this turn or the next.
            one.segments, one.tokens = [], []
        except (LeaseLost, NotFound):
            self._drop(one)
        except Exception as error:  # noqa: BLE001  # see _look_again
            await self._fail(one, error)

    # How jobs end

    def _hold(self, lease: Lease) -> None:
        self._seen.add(lease.job.id)
        renewal = asyncio.create_task(kept(self._steps.store, lease, self._steps.settings.lease))
        self._renewals.append(renewal)
        self._held.append(_Held(lease, renewal))

    def _drop(self, one: _Held) -> None:
        """Lets go of a job of which there is nothing left to say."""
        one.renewal.cancel()
        if one in self._held:
            self._held.remove(one)

    async def _fail(self, one: _Held, error: Exception) -> None:
        job = one.lease.job
        _log.exception("an attempt at a job failed", exc_info=error, extra={"attempt": job.attempts, **log_fields(error, job)})
        await self._finish(one, failed_attempt(error, job.attempts, self._steps.clock.now()))

    async def _finish(self, one: _Held, outcome: JobOutcome) -> None:
        self._drop(one)
        if self._others is None:
            self._outcome = outcome
        else:
            await self._others.finish(one.lease, outcome)

    async def _hand_back(self) -> None:
        """Puts back what is held. What may wait for more waits until its idle time, all else is due again at once."""
        for one in [*self._held]:
            waits = one.work is not None and one.segments and not one.due and not self._is_full()
            await self._finish(one, JobDeferred(one.work.pending.idle_until) if waits and one.work else self._again())

    def _again(self) -> JobDeferred:
        return JobDeferred(self._steps.clock.now())

    def _enough(self) -> bool:
        return self._stopping() or self._steps.clock.now() >= self._turn_ends


def _tokens(segment: Segment) -> int:
    return sum(count_tokens(message.text) for message in segment.messages)


def _in_one(segments: Sequence[Segment]) -> Segment:
    """Segments of one session that follow one another, as one."""
    messages = tuple(message for segment in segments for message in segment.messages)
    importance = {id_: words for segment in segments for id_, words in segment.importance.items()}
    return replace(segments[0], messages=messages, aside=_united(segment.aside for segment in segments), importance=importance)


def _united(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset().union(*sets)
