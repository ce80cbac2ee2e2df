"""What an extractor is: from a segment of a session to a draft of events."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Protocol, runtime_checkable

from extract.compress.port import TurnReader
from graph.model import NO_PROFILE, EntityKind, ExtractionProfile, ExtractorSpec, JobError, Message, NodeKind, TimeSpan
from graph.store.port import UsageEntry


@dataclass(frozen=True, slots=True)
class Segment:
    """A run of messages about one topic, with the few messages before it, in the session's time zone, and what its namespace looks for.

    `aside` are ids of its messages that are read to understand the others, and of which nothing is extracted. `importance` is what the
    model of a compressor told of the words of its messages already, by message id (`extract.compress.ReadTurn`).
    """

    namespace: str
    session: str
    context: tuple[Message, ...]
    messages: tuple[Message, ...]
    zone: tzinfo
    profile: ExtractionProfile = NO_PROFILE
    aside: frozenset[str] = frozenset()
    importance: Mapping[str, tuple[float, ...]] = field(default_factory=dict)

    @property
    def own(self) -> tuple[Message, ...]:
        """The messages of which something is extracted."""
        return tuple(message for message in self.messages if message.id not in self.aside)


@dataclass(frozen=True, slots=True)
class EntityMention:
    """A name in a text, what it seems to name, and its part in the event (speaker, subject, object, place, ...)."""

    name: str
    kind: EntityKind
    role: str = ""


@dataclass(frozen=True, slots=True)
class StatementDraft:
    """A fact or relation as an extractor gives it. `evidence` are ids of messages of the segment (or its context)."""

    kind: NodeKind
    text: str
    speaker: str
    evidence: tuple[str, ...]
    mentions: tuple[EntityMention, ...] = ()
    predicate: str = ""
    subject: str = ""
    object: str = ""
    time: TimeSpan | None = None
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class EventDraft:
    """An event as an extractor gives it: the statements that share an anchor, when it happened, who takes part."""

    title: str
    statements: tuple[StatementDraft, ...]
    time: TimeSpan | None = None
    participants: tuple[EntityMention, ...] = ()
    causes: tuple[int, ...] = ()
    """Indexes, within the draft's events, of events that this one is a cause of."""
    enables: tuple[int, ...] = ()
    """Indexes of events that this one makes possible, or is done for."""


@dataclass(frozen=True, slots=True)
class Extraction:
    """What an extractor found in a segment. `mentions` are the entities that each message names, by message id."""

    events: tuple[EventDraft, ...]
    mentions: Mapping[str, tuple[EntityMention, ...]] = field(default_factory=dict)
    usage: tuple[UsageEntry, ...] = ()
    partial_failures: tuple[JobError, ...] = ()


class ExtractorUnavailable(Exception):
    """The extractor cannot answer now, though nothing is wrong with the segment; it is worth asking again."""


class Extractor(Protocol):
    """Finds the events of a segment. Pure for rules; an LLM's may raise ExtractorUnavailable, and is asked again later."""

    @property
    def spec(self) -> ExtractorSpec:
        """Which extractor this is."""
        ...

    async def extract(self, segment: Segment) -> Extraction:
        """The events of the segment, with what they took. What calls that failed or were cancelled took goes to `record_usage`."""
        ...


@runtime_checkable
class JoiningExtractor(Extractor, Protocol):
    """An extractor that works in calls, and reads several segments in one: what a call costs besides is then paid once."""

    async def extract_many(self, segments: Sequence[Segment]) -> list[Extraction]:
        """The events of each segment, in their order. All are of one namespace and its profile; each is of another session.

        Nothing that is found rests on messages of two segments, and what cannot be taken of one is told with that one alone. The usage of
        all stands with the first. Raises as `extract` does, for all of them.
        """
        ...


@runtime_checkable
class ReadingExtractor(Extractor, Protocol):
    """An extractor whose compressor reads turns with a model, which can tell where topics end as well."""

    @property
    def turn_reader(self) -> TurnReader | None:
        """What reads them; None where it has no compressor, or one without a model."""
        ...


def spec_with(extractor: Extractor, profile: ExtractionProfile) -> ExtractorSpec:
    """Which extractor this is for a namespace with such a profile: another profile is another extraction."""
    if not profile:
        return extractor.spec
    both = f"{extractor.spec.fingerprint}-{profile.fingerprint}"
    return replace(extractor.spec, fingerprint=hashlib.sha256(both.encode()).hexdigest()[:16])
