"""Between the ids of nodes and their keys in a file."""

from collections.abc import Iterable, Sequence

import apsw

from graph.model import PREFIXES
from graph.model.ids import id_of_number, number_of

_PREFIXES = {int(kind): prefix for kind, prefix in PREFIXES.items()}
_KINDS = {prefix: int(kind) for kind, prefix in PREFIXES.items()}


def node_id(kind: int, uuid: bytes) -> str:
    """The id of a node as its row holds it."""
    return id_of_number(_PREFIXES[kind], int.from_bytes(uuid, "big"))


def id_columns(id_: str) -> tuple[bytes, int]:
    """The columns (uuid, kind) of an id. Raises ValueError when it is none of a node."""
    number = number_of(id_)
    kind = _KINDS.get(id_.partition("_")[0])
    if kind is None:
        raise ValueError("not the id of a node")
    return number.to_bytes(16, "big"), kind


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
