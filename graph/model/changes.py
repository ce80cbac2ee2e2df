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
class Supersessions:
    """All of a namespace. `version` grows whenever one comes or goes."""

    version: int
    edges: tuple[Supersession, ...]
