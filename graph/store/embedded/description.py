"""Counts of a namespace, what its models were called for, and what understanding a query needs to know of it."""

from collections.abc import Sequence

import apsw

from graph.model import Entity, Namespace, NodeKind, from_micros
from graph.store.embedded.files.connection import row, rows
from graph.store.embedded.files.namespace_file import NamespaceFile
from graph.store.embedded.namespaces import complete
from graph.store.embedded.rows.entity_rows import entity_keys_named
from graph.store.embedded.rows.node_rows import read_nodes
from graph.store.port import MAX_SCOPE_SPEAKERS, GraphDescription, QueryScope, UsageEntry


def describe(file: NamespaceFile) -> GraphDescription:
    """See `Memory.describe`."""
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


def query_scope(db: apsw.Connection, settings: Namespace, names: Sequence[str]) -> QueryScope:
    """See `Memory.query_scope`; the most frequent speakers first."""
    found = rows(db, f"SELECT name FROM speakers ORDER BY messages DESC, name LIMIT {MAX_SCOPE_SPEAKERS}")
    entities = read_nodes(db, entity_keys_named(db, names)).values() if names else ()
    return QueryScope(
        complete(db, settings), tuple(name for (name,) in found), tuple(node for node in entities if isinstance(node, Entity))
    )


def usage(db: apsw.Connection) -> list[UsageEntry]:
    """See `Memory.usage`."""
    return [UsageEntry(*values) for values in rows(db, "SELECT * FROM usage ORDER BY step, model")]
