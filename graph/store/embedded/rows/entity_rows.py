"""Entities: found again by name, so that one person is one node."""

from collections.abc import Iterable, Iterator, Sequence

import apsw
import orjson

from graph.model import EdgeKind, Entity
from graph.store.embedded.files.connection import json_list, rows
from graph.store.embedded.files.transaction import Operation, Transaction
from graph.store.embedded.rows.node_bodies import entity_body
from graph.store.embedded.rows.node_keys import id_columns, node_id
from graph.store.embedded.rows.node_writer import insert_nodes
from graph.store.rules.entity_matching import names_of
from graph.store.rules.entity_plan import StoredEntity, names_to_find, planned_entities
from graph.text.names import folded


def resolve_entities(tx: Transaction, proposals: Sequence[Entity]) -> dict[str, int]:
    """The key of the entity that each proposal stands for, by the proposal's id; those that are new are stored."""
    plan = planned_entities(proposals, _named(tx.db, names_to_find(proposals)), lambda: tx.node_keys(1)[0])
    for key, entity in plan.new.items():
        insert_entity(tx, key, entity, tx.now)
    if plan.new:
        tx.changed(Operation.ADDED, plan.new)
    tx.db.executemany("UPDATE entities SET kind = ? WHERE key = ?", [(int(kind), key) for key, kind in plan.kinds.items()])
    bodies = [(entity_body(name, aliases), key) for key, (name, *aliases) in plan.names.items()]
    tx.db.executemany("UPDATE nodes SET body = ? WHERE key = ?", bodies)
    for key, (_, names) in plan.added_names.items():
        _insert_names(tx, key, names)
    return plan.keys


def insert_entity(tx: Transaction, key: int, entity: Entity, recorded_at: int) -> None:
    """Stores a new entity under a key."""
    uuid, kind = id_columns(entity.id)
    insert_nodes(
        tx, [(key, uuid, kind, None, 0, None, 0, 0, 0, 0, recorded_at, None, 0, 0, None, None, entity_body(entity.name, entity.aliases))]
    )
    tx.db.execute("INSERT INTO entities VALUES (?, ?, 0)", (key, int(entity.kind)))
    _insert_names(tx, key, names_of(entity))


def entity_keys_named(db: apsw.Connection, names: Iterable[str]) -> list[int]:
    """Keys of the entities with one of these names or aliases, oldest first."""
    wanted = json_list({folded(name) for name in names})
    found = rows(db, "SELECT DISTINCT entity FROM entity_names WHERE folded IN (SELECT value FROM json_each(?))", (wanted,))
    return sorted(key for (key,) in found)


def recount_mentions(tx: Transaction, entities: Iterable[int]) -> None:
    """Counts anew how many current nodes name each of these entities."""
    tx.db.executemany(
        f"""UPDATE entities SET mentions = (SELECT count(*) FROM edges e JOIN nodes n ON n.key = e.src
           WHERE e.dst = ?1 AND e.kind = {EdgeKind.MENTIONS:d} AND n.retired_at IS NULL) WHERE key = ?1""",
        [(key,) for key in entities],
    )


def names_of_entity(db: apsw.Connection, key: int) -> tuple[str, ...]:
    """The names of an entity, its own first."""
    stored = orjson.loads(db.execute("SELECT body FROM nodes WHERE key = ?", (key,)).get)
    return (stored["name"], *stored["aliases"])


def rename_entity(tx: Transaction, key: int, names: Sequence[str]) -> None:
    """Gives an entity these names, and no others."""
    tx.db.execute("UPDATE nodes SET body = ? WHERE key = ?", (entity_body(names[0], names[1:]), key))
    tx.db.execute("DELETE FROM entity_names WHERE entity = ?", (key,))
    _insert_names(tx, key, names)


def _named(db: apsw.Connection, names: Iterable[str]) -> Iterator[tuple[str, StoredEntity]]:
    found = db.executemany(
        """SELECT a.folded, a.entity, e.kind, n.uuid, n.kind, n.body FROM entity_names a JOIN entities e ON e.key = a.entity
           JOIN nodes n ON n.key = a.entity WHERE a.folded = +? ORDER BY a.entity""",
        [(name,) for name in names],
    )
    for name, key, kind, uuid, node_kind, body in found:
        stored = orjson.loads(body)
        yield str(name), StoredEntity(int(key), int(kind), node_id(node_kind, uuid), stored["name"], stored["aliases"])


def _insert_names(tx: Transaction, key: int, names: Iterable[str]) -> None:
    tx.db.executemany("INSERT OR IGNORE INTO entity_names VALUES (?, ?)", [(folded(name), key) for name in names])
