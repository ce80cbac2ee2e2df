"""A deletion: what may be deleted, what goes with it, and the receipt."""

from collections import Counter
from collections.abc import Collection, Container, Iterable, Mapping
from typing import Any, TypeVar

from graph.errors import InvalidArgument
from graph.model import NodeKind, from_micros, to_micros
from graph.store.port import Deletion, DeletionReceipt
from graph.store.rules.requests import body_digest

# How a store refers to a node: by a key, or by a kind and a key.
K = TypeVar("K")

# Kinds that a deletion may name by id. Sessions are named by name; entities go when nothing names them any more.
DELETABLE = frozenset({NodeKind.MESSAGE, NodeKind.EVENT, NodeKind.FACT, NodeKind.RELATION})


def check_deletion(deletion: Deletion) -> None:
    """Refuses a deletion that names both memories and a session, or neither. Raises InvalidArgument."""
    if bool(deletion.memory_ids) == bool(deletion.session):
        raise InvalidArgument.of("memory_ids", "give either ids of memories or a session")


def deletion_digest(deletion: Deletion) -> bytes:
    """Identifies the deletion among requests."""
    return body_digest("delete", deletion.memory_ids, deletion.session)


def missing_ids(deletion: Deletion, found: Mapping[str, K], doomed: Container[K]) -> tuple[str, ...]:
    """The ids that the deletion names and that are not of `doomed` nodes. `found`: nodes by id."""
    return tuple(id_ for id_ in dict.fromkeys(deletion.memory_ids) if id_ not in found or found[id_] not in doomed)


def newly_doomed(doomed: Container[K], dependents: Iterable[K], stating: Mapping[K, Collection[K]]) -> list[K]:
    """What goes besides the nodes that are `doomed`.

    `dependents`: what rests on messages among them, and what is stated by events among them; it goes. `stating`: events that state
    something among them, each with all that it states; one goes with its last statement.
    """
    found = dict.fromkeys(dependents)
    found |= dict.fromkeys(event for event, stated in stating.items() if all(one in doomed or one in found for one in stated))
    return [node for node in found if node not in doomed]


def deleted_counts(doomed: Iterable[NodeKind], entities: int, *, session: bool) -> Counter[NodeKind]:
    """How many nodes of each kind a deletion took: those doomed, entities that nothing names any more, and perhaps the session."""
    counts = Counter(doomed)
    counts.update({NodeKind.ENTITY: entities, NodeKind.SESSION: int(session)})
    return +counts


def stored_receipt(receipt: DeletionReceipt) -> list[Any]:
    """The receipt as JSON values, for repeats of the request."""
    counts = {str(int(kind)): count for kind, count in receipt.counts.items()}
    return [receipt.id, to_micros(receipt.deleted_at), counts, receipt.revision, list(receipt.missing_ids)]


def receipt_of(stored: list[Any]) -> DeletionReceipt:
    """The receipt that `stored_receipt` made."""
    id_, deleted_at, counts, revision, missing = stored
    by_kind = {NodeKind(int(kind)): count for kind, count in counts.items()}
    return DeletionReceipt(id_, from_micros(deleted_at), by_kind, revision, tuple(missing))
