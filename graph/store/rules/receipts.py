"""Receipts of deletions: what is kept of them.

The nodes that a receipt lists are kept in pieces, so that one of any size is read a page at a time.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from graph.errors import NotFound
from graph.model import NodeKind, from_micros, to_micros
from graph.model.ids import PREFIXES, id_of_number, kind_of
from graph.store.port import DeletedItem, DeletionCause, DeletionReceipt, Page, item_bytes

_ITEM_BYTES = 18
CHUNK_ITEMS = 1_000


def packed(items: Iterable[DeletedItem]) -> bytes:
    """The items as they are kept."""
    return b"".join(map(item_bytes, items))


def unpacked(chunk: bytes) -> tuple[DeletedItem, ...]:
    """The items that `packed` made."""
    items = (chunk[at : at + _ITEM_BYTES] for at in range(0, len(chunk), _ITEM_BYTES))
    return tuple(
        DeletedItem(id_of_number(PREFIXES[NodeKind(one[0])], int.from_bytes(one[1:17], "big")), DeletionCause(one[17])) for one in items
    )


def chunks(items: Sequence[DeletedItem]) -> list[bytes]:
    """The items in the pieces that are kept."""
    return [packed(items[at : at + CHUNK_ITEMS]) for at in range(0, len(items), CHUNK_ITEMS)]


def page_of_items(pieces: Sequence[bytes], first: int, limit: int) -> Page[DeletedItem]:
    """A page of the items from this place on. `pieces`: those from the one on that holds it, one more than the page needs."""
    items = [item for piece in pieces for item in unpacked(piece)][first % CHUNK_ITEMS :]
    return Page(tuple(items[:limit]), (first + limit,) if len(items) > limit else None)


def pieces_of_page(first: int, limit: int) -> tuple[int, int]:
    """Which pieces a page is made of, the one that tells of a next page included: the first one, and how many."""
    return first // CHUNK_ITEMS, (first % CHUNK_ITEMS + limit) // CHUNK_ITEMS + 1


def counted(items: Iterable[DeletedItem]) -> Counter[NodeKind]:
    """How many nodes of each kind."""
    return Counter(kind_of(item.id) for item in items)


def stored_receipt(receipt: DeletionReceipt) -> list[Any]:
    """The receipt as JSON values."""
    counts = {str(int(kind)): count for kind, count in receipt.counts.items()}
    at = to_micros(receipt.deleted_at)
    return [receipt.id, at, counts, receipt.revision, list(receipt.missing_ids), receipt.deleted_by, receipt.again, receipt.digest.hex()]


def receipt_of(stored: Sequence[Any]) -> DeletionReceipt:
    """The receipt that `stored_receipt` made."""
    id_, deleted_at, counts, revision, missing, *later = stored
    by_kind = {NodeKind(int(kind)): count for kind, count in counts.items()}
    # Answers to requests from before receipts were kept end here.
    deleted_by, again, digest = later or ("", 0, "")
    return DeletionReceipt(id_, from_micros(deleted_at), by_kind, revision, tuple(missing), deleted_by, again, bytes.fromhex(digest))


def found_receipt(stored: Sequence[Any] | None, receipt_id: str) -> DeletionReceipt:
    """The receipt that was looked for. Raises NotFound."""
    if stored is None:
        raise NotFound("the namespace has no receipt with this id", metadata={"receipt_id": receipt_id})
    return receipt_of(stored)
