"""Opening SQLite files the way that every file of the store is opened."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import apsw
import orjson

# What each connection may cache at least: 256 KiB keep a thousand open namespaces affordable; the operating system caches the rest.
CACHE_KIB = 256
_STATEMENTS = 48
BUSY_TIMEOUT_MS = 5_000


def connect(
    path: Path,
    vfs: str | None = None,
    *,
    read_only: bool = False,
    create: bool = False,
    verify: Callable[[apsw.Connection], None] | None = None,
) -> apsw.Connection:
    """A connection: write-ahead log, every commit synced, deleted content overwritten.

    `verify` looks at the file before anything is written to it, and raises when it is not the right one.

    Raises:
        apsw.Error: the file cannot be opened, or is not a database.
    """
    flags = apsw.SQLITE_OPEN_READWRITE | (apsw.SQLITE_OPEN_CREATE if create else 0)
    db = apsw.Connection(str(path), flags=flags, vfs=vfs, statementcachesize=_STATEMENTS)
    try:
        db.set_busy_timeout(BUSY_TIMEOUT_MS)
        db.pragma("cache_size", -CACHE_KIB)
        db.pragma("temp_store", "MEMORY")
        db.pragma("query_only", int(read_only))
        if verify is not None:
            verify(db)
        if not read_only:
            db.pragma("journal_mode", "WAL")
            db.pragma("synchronous", "FULL")
            db.pragma("secure_delete", "ON")
            db.pragma("journal_size_limit", 4 << 20)
    except BaseException:
        db.close()
        raise
    return db


def rows(db: apsw.Connection, sql: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
    """All rows of a query; the schema gives their types."""
    found: list[tuple[Any, ...]] = db.execute(sql, values).fetchall()
    return found


def json_list(values: Iterable[int | str]) -> str:
    """Values as one parameter, for `IN (SELECT value FROM json_each(?))`."""
    return orjson.dumps(list(values)).decode()


def row(db: apsw.Connection, sql: str, values: Sequence[object] = ()) -> tuple[Any, ...]:
    """The one row of a query that always has one."""
    (found,) = rows(db, sql, values)
    return found
