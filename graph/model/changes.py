"""What replaced what among the memories of a namespace."""

from dataclasses import dataclass
from datetime import datetime

from graph.model.edges import EdgeKind


@dataclass(frozen=True, slots=True)
class Supersession:
    """That one memory replaces, may replace or repeats another one.

    Attributes:
        kind: SUPERSEDES, MAY_SUPERSEDE or REPEATS.
        known_at: when the later of the two was said.     valid_from: from when on the older one no longer holds.
        newer_evidence_ids: the messages that the newer one rests on; its own id, for a message.
    """

    kind: EdgeKind
    newer_id: str
    older_id: str
    known_at: datetime
    valid_from: datetime
    reason: str
    confidence: float
    newer_evidence_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AsOf:
    """As of which moment something is wanted. None: now.

    Attributes:
        valid: what held then in the world.     known: what had been said before.
    """

    valid: datetime | None = None
    known: datetime | None = None

    def sees(self, change: Supersession) -> bool:
        """Whether the change was known, and had come about."""
        return (self.known is None or change.known_at < self.known) and (self.valid is None or change.valid_from <= self.valid)


@dataclass(frozen=True, slots=True)
class Supersessions:
    """All of a namespace. `version` grows whenever one comes or goes."""

    version: int
    edges: tuple[Supersession, ...]
