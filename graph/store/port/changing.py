"""Changing what is remembered: deleting memories, deciding links between entities."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from hashlib import sha256
from typing import Protocol

from graph.model import (
    Edge,
    LinkVerdict,
    NodeKind,
)
from graph.model.ids import kind_of, number_of
from graph.store.port.reading import PAGE_BYTES, Cursor, MessageQuery, Page


class DeletionCause(IntEnum):
    """Why a deletion took a node. The numbers are stored and are those of the contract."""

    SELECTED = 1  # the deletion named it, or its selector found it
    DERIVED = 2  # it rested, alone or in part, on what was deleted
    UNNAMED = 3  # an entity that nothing names any more


@dataclass(frozen=True, slots=True)
class Deletion:
    """What to delete: memories by id, a session by name, or all messages that a query finds. Exactly one of the three.

    With `dry_run` nothing is changed, and the receipt, which is not kept and has no id, says what would be. `deleted_by`: who asks for it.
    """

    memory_ids: tuple[str, ...] = ()
    session: str = ""
    messages: MessageQuery | None = None
    dry_run: bool = False
    deleted_by: str = ""
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class DeletionReceipt:
    """What a deletion did. It holds nothing of what was deleted but ids.

    Attributes:
        counts: how many nodes were deleted, by kind.
        missing_ids: asked for but not there.
        again: how many messages stay of which something that also rested on others was deleted; they are extracted anew.
        digest: SHA-256 of the deleted nodes in order, as `deleted_items` lists them: see `items_digest`.
    """

    id: str
    deleted_at: datetime
    counts: Mapping[NodeKind, int]
    revision: int
    missing_ids: tuple[str, ...] = ()
    deleted_by: str = ""
    again: int = 0
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class DeletedItem:
    """A node that a deletion took."""

    id: str
    cause: DeletionCause


def item_bytes(item: DeletedItem) -> bytes:
    """A deleted node as 18 bytes: its kind, the 16 bytes of its UUID, the cause."""
    return bytes([kind_of(item.id)]) + number_of(item.id).to_bytes(16, "big") + bytes([item.cause])


def items_digest(items: Iterable[DeletedItem]) -> bytes:
    """The digest of a receipt that lists these nodes, in order: SHA-256 of their bytes."""
    digest = sha256()
    for item in items:
        digest.update(item_bytes(item))
    return digest.digest()


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
        """Deletes memories and the closure of what rests on them, for good, in one transaction; of many messages a store may make several.

        With a message go the statements and events that rest on it alone or in part; with an event its statements; with the last
        statement of an event the event; entities that nothing names any more go too. NEXT is closed over the gap; seqs stay.
        Other messages that such a statement or event rests on, and those that were extracted with a deleted message in view, stay, lose
        all that was extracted of them, and are extracted anew. An entity that stays loses names that only deleted messages know.
        The receipt is kept with the namespace. Raises NotFound for an unknown session.
        """
        ...

    async def deletions(self, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[DeletionReceipt]:
        """Receipts, newest first."""
        ...

    async def deletion(self, receipt_id: str) -> DeletionReceipt:
        """One receipt. Raises NotFound."""
        ...

    async def deleted_items(self, receipt_id: str, cursor: Cursor | None, limit: int) -> Page[DeletedItem]:
        """What a receipt's deletion took, in the order that its digest has. Raises NotFound."""
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
