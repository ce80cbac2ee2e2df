"""A deletion: what may be deleted, and what goes with it."""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from typing import TypeVar

from graph.errors import InvalidArgument
from graph.model import NodeKind, to_micros
from graph.store.port import Deletion, MessageQuery
from graph.store.rules.requests import body_digest
from graph.text.names import folded

# How a store refers to a node: by a key, or by a kind and a key.
K = TypeVar("K")

# A message is in view of the step that extracts it and of those that come up to so many messages later. So many steps are looked at: more
# than there are messages in view, since each takes one at least, and room for messages that were extracted twice.
MOST_SPANS = 64
# The name of an entity that people still talk about when nobody who called it by a name is left.
FORGOTTEN_NAME = "(forgotten)"

# Kinds that a deletion may name by id. Sessions are named by name; entities go when nothing names them any more.
DELETABLE = frozenset({NodeKind.MESSAGE, NodeKind.EVENT, NodeKind.FACT, NodeKind.RELATION})


def check_deletion(deletion: Deletion) -> None:
    """Refuses a deletion that does not select in exactly one way, or whose query would find every message. Raises InvalidArgument."""
    if [bool(deletion.memory_ids), bool(deletion.session), deletion.messages is not None].count(True) != 1:
        raise InvalidArgument.of("selector", "give ids of memories, a session, or which messages; one of them")
    if deletion.messages == MessageQuery():
        raise InvalidArgument.of("selector", "say which messages; a namespace is deleted as a whole by its name")


def deletion_digest(deletion: Deletion) -> bytes:
    """Identifies the deletion among requests."""
    query = deletion.messages
    if query is None:
        return body_digest("delete", deletion.memory_ids, deletion.session)
    said = [to_micros(query.said.start), to_micros(query.said.end)] if query.said else []
    labels = [[[c.key, c.values] for c in part] for part in (query.labels.all_of, query.labels.any_of, query.labels.none_of)]
    before = to_micros(query.recorded_before) if query.recorded_before else 0
    return body_digest("delete", query.sessions, query.speakers, said, labels, before)


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


def suspicious_names(names: Iterable[str], deleted_texts: Iterable[str]) -> tuple[str, ...]:
    """Those among an entity's names that stand in texts that are about to be deleted. `deleted_texts` are folded."""
    texts = list(deleted_texts)
    return tuple(name for name in names if any(folded(name) in text for text in texts))


def kept_names(names: Sequence[str], suspicious: Collection[str], known: Collection[str]) -> tuple[str, ...]:
    """The names that an entity keeps, its own first. `known`: those among the suspicious ones that stand in messages that stay."""
    kept = tuple(name for name in names if name not in suspicious or name in known)
    return kept or (FORGOTTEN_NAME,)
