"""Changing what is remembered: deleting memories, deciding links between entities."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from graph.model import (
    Edge,
    LinkVerdict,
    NodeKind,
)


@dataclass(frozen=True, slots=True)
class Deletion:
    """What to delete: memories by id, or a session by name. Exactly one of the two."""

    memory_ids: tuple[str, ...] = ()
    session: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class DeletionReceipt:
    """What a deletion did. `counts` by kind; `missing_ids` were asked for but not there."""

    id: str
    deleted_at: datetime
    counts: Mapping[NodeKind, int]
    revision: int
    missing_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkDecision:
    """Whether two entities are one and the same, as somebody decided; UNDECIDED takes back what was decided before."""

    entity_id: str
    other_id: str
    verdict: LinkVerdict
    decided_by: str = ""


@dataclass(frozen=True, slots=True)
class LinkDecided:
    """The links between two entities after a decision: the decision first, if there is one, then what extractions propose."""

    edges: tuple[Edge, ...]
    revision: int


class Changes(Protocol):
    """Changing what is remembered: deleting memories, deciding links between entities."""

    async def delete(self, deletion: Deletion) -> DeletionReceipt:
        """Deletes memories and the closure of what rests on them, for good, in one transaction; of a long session a store may make several.

        With a message go the statements and events that rest on it alone or in part; with an event its statements; with the last
        statement of an event the event; entities that nothing names any more go too. NEXT is closed over the gap; seqs stay.
        """
        ...

    async def decide_link(self, decision: LinkDecision) -> LinkDecided:
        """Keeps what somebody decided of two entities, in one transaction; in whichever direction they are given, it is one decision.

        SAME: an edge SAME_AS from the one to the other, with confidence 1. DIFFERENT: an edge DIFFERENT_FROM, and every SAME_AS between
        them that an extraction proposes, now or later, is kept as DIFFERENT_FROM. UNDECIDED: what is proposed stands as it was. The edge of
        the decision has the properties `decided_at` and `decided_by`; another generation leaves it, a deletion of either entity takes it.
        What is so already changes nothing and makes no revision.

        Raises:
            NotFound: there is no such entity.     InvalidArgument: the two are one id, or no entities.
        """
        ...
