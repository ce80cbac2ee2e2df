"""A namespace as a stream of records, and its integrity."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from graph.model import (
    Edge,
    Node,
)
from graph.store.port.extracting import ExtractedSpan, PassageVector


@dataclass(frozen=True, slots=True)
class SessionProgress:
    """How far a session was extracted, for export and import; `again` are the seqs of messages that are to be extracted anew; `spans`
    what each step of its extraction read."""

    session: str
    extracted_seq: int
    flush_marks: tuple[int, ...]
    again: tuple[int, ...] = ()
    spans: tuple[ExtractedSpan, ...] = ()


ExportRecord = Node | Edge | SessionProgress | PassageVector


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an integrity check found wrong: a stable word for what, the node concerned, and a sentence."""

    problem: str
    node_id: str
    detail: str


class Moves(Protocol):
    """A namespace as a stream of records, and its integrity."""

    def export(self, with_vectors: bool = True) -> AsyncIterator[Sequence[ExportRecord]]:
        """Everything of one revision, in batches.

        Sessions, messages, entities, statements, events, summaries from the lowest level on, edges that no node implies, progress, vectors.
        """
        ...

    async def check(self) -> list[Finding]:
        """Integrity: the file itself, orphans, dangling edges and evidence, vectors that do not match their text, indexes out of step."""
        ...
