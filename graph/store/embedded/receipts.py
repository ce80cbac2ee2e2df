"""Receipts of deletions in the file: kept with the deletion, read a page at a time."""

from collections.abc import Sequence

import apsw
import orjson

from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.transaction import Transaction
from graph.store.port import PAGE_BYTES, Cursor, DeletedItem, DeletionReceipt, Page
from graph.store.rules.receipts import found_receipt, page_of_items, pieces_of_page, receipt_of, stored_receipt

# A receipt takes at most so many bytes, but for the ids that were missing, of which a deletion names at most 1,000.
_RECEIPT_BYTES = 60_000


def keep_receipt(tx: Transaction, receipt: DeletionReceipt, pieces: Sequence[bytes]) -> None:
    """Keeps a receipt with what it lists."""
    tx.db.execute("INSERT INTO deletions (id, receipt) VALUES (?, ?)", (receipt.id, orjson.dumps(stored_receipt(receipt)).decode()))
    key = tx.db.last_insert_rowid()
    tx.db.executemany("INSERT INTO deleted_items VALUES (?, ?, ?)", [(key, piece, items) for piece, items in enumerate(pieces)])


def deletions(db: apsw.Connection, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[DeletionReceipt]:
    """See `Memory.deletions`."""
    limit = min(limit, max(1, max_bytes // _RECEIPT_BYTES))
    found = rows(
        db, "SELECT key, receipt FROM deletions WHERE key < ? ORDER BY key DESC LIMIT ?", (cursor[0] if cursor else 2**62, limit + 1)
    )
    receipts = tuple(receipt_of(orjson.loads(text)) for _, text in found[:limit])
    return Page(receipts, (found[limit - 1][0],) if len(found) > limit else None)


def deletion(db: apsw.Connection, receipt_id: str) -> DeletionReceipt:
    """See `Memory.deletion`."""
    found = db.execute("SELECT receipt FROM deletions WHERE id = ?", (receipt_id,)).fetchone()
    return found_receipt(found and orjson.loads(found[0]), receipt_id)


def deleted_items(db: apsw.Connection, receipt_id: str, cursor: Cursor | None, limit: int) -> Page[DeletedItem]:
    """See `Memory.deleted_items`."""
    deletion(db, receipt_id)
    first = int(cursor[0]) if cursor else 0
    piece, count = pieces_of_page(first, limit)
    found = rows(
        db,
        """SELECT items FROM deleted_items WHERE deletion = (SELECT key FROM deletions WHERE id = ?) AND piece >= ? AND piece < ?
           ORDER BY piece""",
        (receipt_id, piece, piece + count),
    )
    return page_of_items([items for (items,) in found], first, limit)
