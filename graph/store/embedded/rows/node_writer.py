"""Putting messages and statements, with their passages, into a file."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from graph.store.embedded.files.transaction import Transaction
from graph.store.memory_rows import MemoryRow

_INSERT_NODE = f"INSERT INTO nodes VALUES ({', '.join('?' * 17)})"
_INSERT_PASSAGE = "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_INSERT_EDGE = "INSERT OR IGNORE INTO edges VALUES (?, ?, ?, ?, ?, ?)"

NodeValues = tuple[Any, ...]
EdgeValues = tuple[int, int, int, int, int, str | None]


def insert_nodes(tx: Transaction, rows: Iterable[NodeValues]) -> None:
    """Rows in the order of the table's columns."""
    tx.db.executemany(_INSERT_NODE, rows)


def insert_edges(tx: Transaction, rows: Iterable[EdgeValues]) -> None:
    """Rows (src, kind, ordinal, dst, via, properties); one that is there already is left as it is."""
    tx.db.executemany(_INSERT_EDGE, rows)


def insert_labels(tx: Transaction, labels: Iterable[tuple[int, Mapping[str, str]]]) -> None:
    """The labels of messages, by their keys."""
    rows = [(name, value, key) for key, pairs in labels for name, value in pairs.items()]
    if rows:
        tx.db.executemany("INSERT INTO labels VALUES (?, ?, ?)", rows)


def insert_passages(tx: Transaction, owners: Sequence[tuple[int, int, MemoryRow]], *, wait: bool) -> dict[tuple[int, int], int]:
    """Stores the passages of (owner, session, columns) and returns their keys by (owner, ordinal). `wait`: they need vectors."""
    keys = iter(tx.passage_keys(sum(len(row.passages) for _, _, row in owners)))
    stored: dict[tuple[int, int], int] = {}
    rows: list[tuple[Any, ...]] = []
    for owner, session, row in owners:
        for passage in row.passages:
            key = stored[(owner, passage.ordinal)] = next(keys)
            rows.append((key, owner, passage.ordinal, session, passage.length, passage.terms, passage.counts, passage.digest, int(wait)))
    tx.db.executemany(_INSERT_PASSAGE, rows)
    return stored
