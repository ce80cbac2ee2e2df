"""What the pipeline asks of a namespace: vectors, pending work, and committing an extraction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from graph.model import (
    Edge,
    Entity,
    Event,
    ExtractorSpec,
    JobError,
    Lease,
    Message,
    Session,
    Statement,
)

Float16Vector = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class PassageText:
    """A passage that waits for its vector. `text` is what the embedder reads; `version` tells texts of an edited message apart."""

    owner_id: str
    ordinal: int
    text: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class PassageVector:
    """The vector of one passage of a node: float16, unit length. `version`: that of its `PassageText`, 0 where there was none."""

    owner_id: str
    ordinal: int
    vector: Float16Vector
    version: int = 0


@dataclass(frozen=True, slots=True)
class PendingWork:
    """What a leased extraction has before it.

    `messages` follow the watermark, in order, up to the job's target or the limit asked for (`more` tells which). `context` holds the
    few messages before them. `vectors` has the first passage's vector of each message of both that has one.
    `idle_until` is when the buffer must be extracted even if it is half full; a flush mark at the last message says the same at once.

    With `again` the messages do not follow the watermark: they were extracted before, and are to be anew, since something of what was
    extracted was deleted with another message. They come before all others, as one run. `read_before` fences out edits: a message of which
    there is a newer version by the time of the commit was not read as it is.
    """

    session: Session
    generation: int
    watermark: int
    context: tuple[Message, ...]
    messages: tuple[Message, ...]
    more: bool
    flush_marks: frozenset[int]
    vectors: Mapping[str, Float16Vector]
    idle_until: datetime
    again: bool = False
    read_before: int = 0


@dataclass(frozen=True, slots=True)
class UsageEntry:
    """What one model was called for in one step ("embed", "extract")."""

    step: str
    model: str
    calls: int = 0
    items: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True)
class ExtractedSpan:
    """What one step of a session's extraction read, by seq: it took messages from `first` to `last`, in view of those from `read_from` on.

    Steps of several sessions that one call of a model read have the same `call`; "" where it read no other session.
    """

    first: int
    last: int
    read_from: int
    call: str = ""


@dataclass(frozen=True, slots=True)
class ExtractionWrite:
    """All that one extraction step writes, atomically with the session's watermark.

    `entities` are proposals: an entity of the same kind whose name or alias matches (case-folded) is used instead, and every reference to
    the proposal's id in statements, events and edges follows it; its new aliases are added. `edges` are those that no node implies.
    `vectors` belong to the statements. The write is refused with StaleWrite when the watermark, the generation or a message that serves as
    evidence is not as expected. `read_ids` are the messages that the extractor read: the write is refused as well when one of them is gone,
    because what it said may stand in any statement. With `consolidate` the events get a job that summarizes them. `again_ids` are the
    messages that were to be extracted anew and are now; such a write leaves the watermark where it is. `span` is what it read: when one of
    these messages is deleted, all that was extracted with it in view is deleted, too, and extracted anew without it. `read_before` is that
    of the `PendingWork`: the write is refused when a message of the span has been edited since.
    """

    generation: int
    expected_watermark: int
    watermark: int
    statements: tuple[Statement, ...] = ()
    events: tuple[Event, ...] = ()
    entities: tuple[Entity, ...] = ()
    edges: tuple[Edge, ...] = ()
    vectors: tuple[PassageVector, ...] = ()
    usage: tuple[UsageEntry, ...] = ()
    partial_failures: tuple[JobError, ...] = ()
    read_ids: tuple[str, ...] = ()
    again_ids: tuple[str, ...] = ()
    span: ExtractedSpan | None = None
    read_before: int = 0
    consolidate: bool = False


@dataclass(frozen=True, slots=True)
class GenerationStart:
    """Asks for answers of this extractor from now on; what another one extracted is retired and its sessions are queued anew."""

    extractor: ExtractorSpec


class Extracts(Protocol):
    """What the pipeline asks of a namespace: vectors, pending work, and committing an extraction."""

    async def begin_generation(self, start: GenerationStart) -> int:
        """Makes this extractor's generation the current one and returns its number.

        Changes nothing when it is the current one already. Otherwise what was extracted before is retired, watermarks go back to 0 and
        every session with messages gets a job.
        """
        ...

    async def pending(self, lease: Lease, limit: int) -> PendingWork:
        """What the leased extraction has before it. Raises LeaseLost."""
        ...

    async def commit_extraction(self, lease: Lease, write: ExtractionWrite) -> int:
        """Writes events, statements, entities, edges and vectors and moves the watermark, in one transaction; returns the revision.

        Raises LeaseLost, StaleWrite.
        """
        ...

    async def missing_vectors(self, session: str, limit: int) -> list[PassageText]:
        """Passages of current messages of the session that wait for a vector, oldest first; none where the client gives vectors."""
        ...

    async def put_vectors(self, fingerprint: str, vectors: Sequence[PassageVector], usage: Sequence[UsageEntry] = ()) -> int:
        """Stores vectors of passages that still exist and lack one; returns how many.

        Raises InvalidArgument when the model's fingerprint or the dimension is not the namespace's.
        """
        ...

    async def add_usage(self, usage: Sequence[UsageEntry]) -> None:
        """Adds model calls that no other write tells of, such as those of an extraction that failed."""
        ...

    async def usage(self) -> list[UsageEntry]:
        """Sums of model calls by step and model."""
        ...
