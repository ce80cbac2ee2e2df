"""Consolidation: which events wait for a summary, and writing summaries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from graph.model import AsOf, Event, Job, JobError, Lease, Summary, SummaryLevel, TimeRange
from graph.store.port.extracting import Float16Vector, PassageVector, UsageEntry
from graph.store.port.reading import PAGE_BYTES, Cursor, Page

# A language model may be made to say anything; what is stored of it is bounded. Characters.
MAX_TITLE = 300
MAX_SENTENCE = 2_000
MAX_SENTENCES = 60


@dataclass(frozen=True, slots=True)
class ConsolidationWork:
    """What a leased consolidation has before it.

    Attributes:
        revision: of this read; a write that rests on it names it.
        generation: the current one; all of it is of that one.
        events: that no window summarizes, by session, then oldest said first; as many as were asked for. `more` tells of others.
        last_recorded_at, first_recorded_at: when the newest and the oldest of all those events were stored; None where there are none.
        stale: summaries to be written anew, of the lowest level first, as many as were asked for.
        loose: whether a window that says something is in no thread.
        hurried: whether somebody asked not to wait for more events.
    """

    revision: int
    generation: int
    events: tuple[Event, ...]
    more: bool
    first_recorded_at: datetime | None
    last_recorded_at: datetime | None
    stale: tuple[Summary, ...]
    loose: bool
    hurried: bool


@dataclass(frozen=True, slots=True)
class ConsolidationWrite:
    """Summaries to be written, atomically.

    A summary whose id is there already replaces it; its `recorded_at` and `stale_since` are not read. `retire_ids` are summaries that go.
    `vectors` (ordinal 0): a window's is of its text, a thread's is what the writer gives it, a profile has none. The write is refused with
    StaleWrite when something was deleted since `revision`, another generation has begun, or a member is gone or is another summary's of the
    same level; with InvalidArgument when a member is not of the level below, or there would be a second profile. A summary keeps those
    marks in `calls` of the one in whose place it is that others have, too.
    """

    revision: int
    generation: int
    summaries: tuple[Summary, ...] = ()
    retire_ids: tuple[str, ...] = ()
    vectors: tuple[PassageVector, ...] = ()
    usage: tuple[UsageEntry, ...] = ()
    partial_failures: tuple[JobError, ...] = ()


@dataclass(frozen=True, slots=True)
class SummaryQuery:
    """Which summaries to list, by when what they tell of was first said.

    `stale`: those alone, or those alone that are not. `as_of`: only those of which all was said before `known`.
    """

    levels: frozenset[SummaryLevel] = frozenset()
    sessions: tuple[str, ...] = ()
    happened: TimeRange | None = None
    stale: bool | None = None
    as_of: AsOf | None = None


@dataclass(frozen=True, slots=True)
class SearchedSummaries:
    """All summaries that say something, as a search reads them: without members and seeds, with the vectors that they have."""

    revision: int
    summaries: tuple[Summary, ...]
    vectors: Mapping[str, Float16Vector] = field(default_factory=dict)


class Consolidates(Protocol):
    """Consolidation of one namespace.

    An event waits from the transaction that stores it until a window of its generation summarizes it: there is no mark up to which all is
    consolidated, so that what comes late is not passed over. What changes below a summary marks it and those above it stale in the same
    transaction; a deletion takes the words of all that rests on what is deleted at once, and leaves their place to be filled anew.
    """

    async def consolidation_work(self, lease: Lease, limit: int) -> ConsolidationWork:
        """What the leased consolidation has before it: at most `limit` events and as many stale summaries. Raises LeaseLost."""
        ...

    async def commit_consolidation(self, lease: Lease, write: ConsolidationWrite) -> int:
        """Writes summaries in one transaction; returns the revision. Raises LeaseLost, StaleWrite, InvalidArgument."""
        ...

    async def queue_consolidation(self, anew: bool = False) -> Job:
        """The job that consolidates what waits, due now: the open one, or a new one. `anew`: every summary is stale from now on."""
        ...

    async def list_summaries(self, query: SummaryQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Summary]:
        """Summaries."""
        ...

    async def first_vectors(self, ids: Sequence[str]) -> Mapping[str, Float16Vector]:
        """The vectors of the first passages of messages and statements, and those of windows and threads, by id, where they have one."""
        ...

    async def searched_summaries(self, seen: int) -> SearchedSummaries | None:
        """All summaries that say something; None when none was written, marked or deleted since the revision `seen`."""
        ...
