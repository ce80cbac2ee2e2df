"""What a consolidator is: from groups of what was remembered to a short text each, whose every sentence names what it rests on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from graph.model import JobError, TimeSpan
from graph.store.port import Float16Vector, UsageEntry


@dataclass(frozen=True, slots=True)
class SourceSentence:
    """One thing that a source says. `time` is when it happened; `vector` is its passage's, where it has one."""

    text: str
    time: TimeSpan | None = None
    vector: Float16Vector | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """What a summary rests on: an event with its statements (level 1), or a summary of the level below.

    `said_from` and `said_to` are when it was said; `time` is when it happened; `names` are those that take part; `size` is how many
    members a summary has.
    """

    id: str
    title: str
    sentences: tuple[SourceSentence, ...]
    said_from: datetime
    said_to: datetime
    time: TimeSpan | None = None
    names: tuple[str, ...] = ()
    size: int = 1


@dataclass(frozen=True, slots=True)
class Background:
    """In how many of a namespace's summaries each term stands, so that what stands in all of them tells nothing of one."""

    summaries: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SourceGroup:
    """What one summary is made of. `sources` stand oldest first; `context` helps to understand them, and nothing may rest on it alone:
    of a window earlier events, of a thread what stands of it so far.
    """

    sources: tuple[Source, ...]
    context: tuple[Source, ...] = ()
    zone: tzinfo = UTC
    background: Background = field(default_factory=Background)


@dataclass(frozen=True, slots=True)
class SentenceDraft:
    """A sentence of a summary, with the ids of the sources behind it: at least one, in the order of the sources."""

    text: str
    source_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SummaryDraft:
    """A summary as a consolidator gives it. It has no sentences where its sources say nothing worth keeping."""

    title: str
    sentences: tuple[SentenceDraft, ...]


@dataclass(frozen=True, slots=True)
class Consolidation:
    """A draft for each group, in their order.

    None where none could be made now: it is to be tried again. One without sentences where none will ever be made, because the sources say
    nothing worth keeping or a model cannot be made to say it. `partial_failures` tell both but for the sources that say nothing.
    `calls` has a number for each draft: those of one number were written by one call, which was shown their groups and no others.
    Empty: each draft was written by itself.
    """

    drafts: tuple[SummaryDraft | None, ...]
    usage: tuple[UsageEntry, ...] = ()
    partial_failures: tuple[JobError, ...] = ()
    calls: tuple[int, ...] = ()


class Consolidator(Protocol):
    """Writes summaries. Pure for rules; one that asks a model may raise ExtractorUnavailable, and is asked again later."""

    @property
    def fingerprint(self) -> str:
        """Which consolidator this is. What another one wrote stays until it is stale, or somebody asks for all of it anew."""
        ...

    async def windows(self, groups: Sequence[SourceGroup]) -> Consolidation:
        """Level 1: what the events of each window say."""
        ...

    async def threads(self, groups: Sequence[SourceGroup]) -> Consolidation:
        """Level 2: how each thread went, from the summaries of its windows."""
        ...

    async def profile(self, group: SourceGroup) -> Consolidation:
        """Level 3: who a namespace is about and what stands, from the summaries of its threads; one draft."""
        ...
