"""Counts of a namespace."""

from pathlib import Path

import apsw

from graph.model import NodeKind, from_micros
from graph.store.commands import GraphDescription, UsageEntry
from graph.store.embedded.namespace_file import NamespaceFile

_MAX_SPEAKERS = 1_000


def describe(file: NamespaceFile) -> GraphDescription:
    """See `Store.describe`."""
    with file.read_apart() as db:
        rows = db.execute("SELECT kind, retired_at IS NULL, count(*) FROM nodes GROUP BY 1, 2").fetchall()
        first, last = db.execute("SELECT min(first_sent_at), max(last_sent_at) FROM sessions").fetchone()
        return GraphDescription(
            nodes={NodeKind(kind): count for kind, current, count in rows if current},
            retired={NodeKind(kind): count for kind, current, count in rows if not current},
            edges={kind: count for kind, count in db.execute("SELECT kind, count(*) FROM edges GROUP BY kind")},
            vectors=int(db.execute("SELECT count(*) FROM vectors").get),
            vectors_pending=int(db.execute("SELECT count(*) FROM passages WHERE waits = 1").get),
            first_sent_at=None if first is None else from_micros(first),
            last_sent_at=None if last is None else from_micros(last),
            revision=int(db.execute("SELECT revision FROM state").get),
            bytes=sum(_size(file.path.with_suffix(suffix)) for suffix in (".db", ".db-wal", ".index")),
        )


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def speakers(db: apsw.Connection) -> tuple[str, ...]:
    """See `Store.speakers`; the most frequent first."""
    rows = db.execute("SELECT name FROM speakers ORDER BY messages DESC, name LIMIT ?", (_MAX_SPEAKERS,))
    return tuple(name for (name,) in rows)


def usage(db: apsw.Connection) -> list[UsageEntry]:
    """See `Store.usage`."""
    return [UsageEntry(*row) for row in db.execute("SELECT * FROM usage ORDER BY step, model")]
