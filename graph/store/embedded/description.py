"""Counts of a namespace."""

import apsw

from graph.model import NodeKind, from_micros
from graph.store.embedded.files.connection import row, rows
from graph.store.embedded.files.namespace_file import NamespaceFile
from graph.store.port import GraphDescription, UsageEntry

_MAX_SPEAKERS = 1_000


def describe(file: NamespaceFile) -> GraphDescription:
    """See `Store.describe`."""
    with file.read_apart() as db:
        counts = rows(db, "SELECT kind, retired_at IS NULL, count(*) FROM nodes GROUP BY 1, 2")
        first, last = row(db, "SELECT min(first_sent_at), max(last_sent_at) FROM sessions")
        return GraphDescription(
            nodes={NodeKind(kind): count for kind, current, count in counts if current},
            retired={NodeKind(kind): count for kind, current, count in counts if not current},
            edges=dict(rows(db, "SELECT kind, count(*) FROM edges GROUP BY kind")),
            vectors=int(db.execute("SELECT count(*) FROM vectors").get),
            vectors_pending=int(db.execute("SELECT count(*) FROM passages WHERE waits = 1").get),
            first_sent_at=None if first is None else from_micros(first),
            last_sent_at=None if last is None else from_micros(last),
            revision=int(db.execute("SELECT revision FROM state").get),
            bytes=sum(path.stat().st_size for path in file.path.parent.glob(f"{file.uid}.*")),
        )


def speakers(db: apsw.Connection) -> tuple[str, ...]:
    """See `Store.speakers`; the most frequent first."""
    found = rows(db, f"SELECT name FROM speakers ORDER BY messages DESC, name LIMIT {_MAX_SPEAKERS}")
    return tuple(name for (name,) in found)


def usage(db: apsw.Connection) -> list[UsageEntry]:
    """See `Store.usage`."""
    return [UsageEntry(*values) for values in rows(db, "SELECT * FROM usage ORDER BY step, model")]
