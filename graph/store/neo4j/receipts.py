"""Receipts of deletions in the database: kept with the deletion, which may take several transactions, and read a page at a time."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import orjson

from graph.model import IdSource
from graph.store.neo4j.driver.handle import Handle
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.port import PAGE_BYTES, Cursor, DeletedItem, DeletionReceipt, Page
from graph.store.rules.receipts import (
    CHUNK_ITEMS,
    chunks,
    found_receipt,
    page_of_items,
    pieces_of_page,
    receipt_of,
    stored_receipt,
    unpacked,
)

# A receipt takes at most so many bytes, but for the ids that were missing, of which a deletion names at most 1,000.
_RECEIPT_BYTES = 60_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A deletion under way: how many nodes it has taken, and the keys of messages that are extracted anew."""

    id: str
    key: int
    count: int = 0
    again: frozenset[int] = frozenset()


def begun(tx: Transaction, ids: IdSource) -> Kept:
    """A new deletion."""
    return Kept(ids.mint("del"), tx.keys(1)[0])


_UNFINISHED = """MATCH (d:Deletion {namespace: $namespace, unfinished: $at.digest}) RETURN d.id, d.key, d.count, d.again LIMIT 1"""
_KEEP_UNFINISHED = """MERGE (d:Deletion {namespace: $namespace, id: $at.id})
    SET d.key = $at.key, d.count = $at.count, d.again = $at.again, d.unfinished = $at.digest"""
_KEEP_RECEIPT = """MERGE (d:Deletion {namespace: $namespace, id: $at.id})
    SET d.key = $at.key, d.receipt = $at.receipt REMOVE d.count, d.again, d.unfinished"""
_PIECE = "MATCH (i:DeletedItems {namespace: $namespace, deletion: $at.id, piece: $at.piece}) RETURN i.items"
_KEEP_PIECES = """UNWIND range(0, size($at.pieces) - 1) AS i
    MERGE (d:DeletedItems {namespace: $namespace, deletion: $at.id, piece: $at.first + i}) SET d.items = $at.pieces[i]"""
_PIECES = """MATCH (i:DeletedItems) WHERE i.namespace = $namespace AND i.deletion = $at.id AND i.piece >= 0
    WITH i ORDER BY i.piece RETURN collect(i.items)"""


async def unfinished(tx: Transaction, digest: bytes) -> Kept | None:
    """A deletion of this digest that was not ended."""
    found = await tx.rows(_UNFINISHED, {"digest": digest.hex()})
    for id_, key, count, again in found:
        return Kept(id_, key, count, frozenset(again))
    return None


async def keep_unfinished(tx: Transaction, kept: Kept, digest: bytes) -> None:
    """Keeps how far a deletion has come."""
    values = {"id": kept.id, "key": kept.key, "count": kept.count, "again": sorted(kept.again), "digest": digest.hex()}
    await tx.execute(_KEEP_UNFINISHED, values)


async def keep_items(tx: Transaction, kept: Kept, items: Sequence[DeletedItem], again: Collection[int]) -> Kept:
    """Adds to what a deletion has taken."""
    first, in_last = divmod(kept.count, CHUNK_ITEMS)
    before: tuple[DeletedItem, ...] = ()
    if in_last:
        [[piece]] = await tx.rows(_PIECE, {"id": kept.id, "piece": first})
        before = unpacked(piece)
    if items:
        await tx.execute(_KEEP_PIECES, {"id": kept.id, "first": first, "pieces": chunks([*before, *items])})
    return replace(kept, count=kept.count + len(items), again=kept.again | frozenset(again))


async def all_items(tx: Transaction, kept: Kept) -> list[bytes]:
    """The pieces of what a deletion has taken."""
    [[pieces]] = await tx.rows(_PIECES, {"id": kept.id})
    return list(pieces)


async def keep_receipt(tx: Transaction, kept: Kept, receipt: DeletionReceipt) -> None:
    """Keeps the receipt of a deletion, which ends it."""
    await tx.execute(_KEEP_RECEIPT, {"id": kept.id, "key": kept.key, "receipt": orjson.dumps(stored_receipt(receipt)).decode()})


_PAGE = """CALL (n) { MATCH (d:Deletion) WHERE d.namespace = n.name AND d.key < $before AND d.receipt IS NOT NULL
    WITH d ORDER BY d.namespace DESC, d.key DESC LIMIT $limit RETURN collect([d.key, d.receipt]) AS found } RETURN found"""
_RECEIPT = "OPTIONAL MATCH (d:Deletion {namespace: $namespace, id: $id}) RETURN d.receipt"
_SOME_PIECES = """CALL (n) { MATCH (i:DeletedItems) WHERE i.namespace = n.name AND i.deletion = $id AND i.piece >= $first AND i.piece < $end
    WITH i ORDER BY i.piece RETURN collect(i.items) AS pieces } RETURN pieces"""


async def deletions(handle: Handle, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[DeletionReceipt]:
    """See `Memory.deletions`."""
    limit = min(limit, max(1, max_bytes // _RECEIPT_BYTES))
    [found] = await handle.row(_PAGE, {"before": cursor[0] if cursor else 2**62, "limit": limit + 1})
    receipts = tuple(receipt_of(orjson.loads(text)) for _, text in found[:limit])
    return Page(receipts, (found[limit - 1][0],) if len(found) > limit else None)


async def deletion(handle: Handle, receipt_id: str) -> DeletionReceipt:
    """See `Memory.deletion`."""
    [text] = await handle.row(_RECEIPT, {"id": receipt_id})
    return found_receipt(text and orjson.loads(text), receipt_id)


async def deleted_items(handle: Handle, receipt_id: str, cursor: Cursor | None, limit: int) -> Page[DeletedItem]:
    """See `Memory.deleted_items`."""
    await deletion(handle, receipt_id)
    first = int(cursor[0]) if cursor else 0
    piece, count = pieces_of_page(first, limit)
    [pieces] = await handle.row(_SOME_PIECES, {"id": receipt_id, "first": piece, "end": piece + count})
    return page_of_items(pieces, first, limit)
