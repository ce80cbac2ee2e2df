"""Between the ids of nodes and their keys in a file."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import apsw

from graph.model import PREFIXES, NodeKind, id_of, kind_of, uuid_of


def node_id(kind: int, uuid: bytes) -> str:
    """The id of a node as its row holds it."""
    return id_of(PREFIXES[NodeKind(kind)], UUID(bytes=uuid))


def id_columns(id_: str) -> tuple[bytes, int]:
    """The columns (uuid, kind) of an id. Raises ValueError when it is none of a node."""
    kind = kind_of(id_)
    return uuid_of(id_).bytes, int(kind)


def keys_of(db: apsw.Connection, ids: Iterable[str]) -> dict[str, int]:
    """The keys of the nodes that exist among these ids; what is no id at all is not there either."""
    columns: dict[tuple[bytes, int], str] = {}
    for id_ in ids:
        try:
            columns[id_columns(id_)] = id_
        except ValueError:
            continue
    rows = db.executemany("SELECT key, uuid, kind FROM nodes WHERE uuid = ? AND kind = ?", columns)
    return {columns[(uuid, kind)]: key for key, uuid, kind in rows}


def ids_of(db: apsw.Connection, keys: Sequence[int]) -> dict[int, str]:
    """The ids of nodes by key."""
    rows = db.executemany("SELECT key, uuid, kind FROM nodes WHERE key = ?", [(key,) for key in keys])
    return {key: node_id(kind, uuid) for key, uuid, kind in rows}
