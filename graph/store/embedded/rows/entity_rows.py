"""Entities: found again by name, so that one person is one node."""

from collections.abc import Iterable, Sequence

import apsw
import orjson

from graph.model import Entity, EntityKind
from graph.store.embedded.files.connection import rows
from graph.store.embedded.files.transaction import Operation, Transaction
from graph.store.embedded.rows.node_bodies import entity_body
from graph.store.embedded.rows.node_keys import id_columns
from graph.store.embedded.rows.node_writer import insert_nodes
from graph.store.rules.entity_matching import KnownEntities, KnownEntity, names_of
from graph.text.names import folded


def resolve_entities(tx: Transaction, proposals: Sequence[Entity]) -> dict[str, int]:
    """The key of the entity that each proposal stands for, by the proposal's id; those that are new are stored."""
    known = _known(tx.db, {folded(name) for proposal in proposals for name in names_of(proposal)})
    resolved: dict[str, int] = {}
    for proposal in proposals:
        names = names_of(proposal)
        match = known.match(proposal.kind, names)
        if match is None:
            (key,) = tx.node_keys(1)
            insert_entity(tx, key, proposal, tx.now)
            tx.changed(Operation.ADDED, [key])
            match = KnownEntity(key, proposal.kind)
        else:
            _add_names(tx, match.key, names)
            if match.kind != proposal.kind and match.kind == EntityKind.UNKNOWN:
                match = _give_kind(tx, known, match, proposal.kind)
        known.add(match, names)
        resolved[proposal.id] = match.key
    return resolved


def insert_entity(tx: Transaction, key: int, entity: Entity, recorded_at: int) -> None:
    """Stores a new entity under a key."""
    uuid, kind = id_columns(entity.id)
    insert_nodes(tx, [(key, uuid, kind, None, 0, None, 0, 0, 0, 0, recorded_at, None, 0, 0, None, None, entity_body(entity))])
    tx.db.execute("INSERT INTO entities VALUES (?, ?, 0)", (key, int(entity.kind)))
    _insert_names(tx, key, names_of(entity))


def entity_keys_named(db: apsw.Connection, names: Iterable[str]) -> list[int]:
    """Keys of the entities with one of these names or aliases, oldest first."""
    wanted = orjson.dumps(list({folded(name) for name in names})).decode()
    found = rows(db, "SELECT DISTINCT entity FROM entity_names WHERE folded IN (SELECT value FROM json_each(?))", (wanted,))
    return sorted(key for (key,) in found)


def recount_mentions(tx: Transaction, entities: Iterable[int]) -> None:
    """Counts anew how many current nodes name each of these entities."""
    tx.db.executemany(
        """UPDATE entities SET mentions = (SELECT count(*) FROM edges e JOIN nodes n ON n.key = e.src
           WHERE e.dst = ?1 AND e.kind = 6 AND n.retired_at IS NULL) WHERE key = ?1""",
        [(key,) for key in entities],
    )


def _known(db: apsw.Connection, names: Iterable[str]) -> KnownEntities:
    found = db.executemany(
        "SELECT a.folded, a.entity, e.kind FROM entity_names a JOIN entities e ON e.key = a.entity WHERE a.folded = +? ORDER BY a.entity",
        [(name,) for name in names],
    )
    return KnownEntities((str(name), int(key), int(kind)) for name, key, kind in found)


def _give_kind(tx: Transaction, known: KnownEntities, entity: KnownEntity, kind: EntityKind) -> KnownEntity:
    """The entity with the kind that it now turned out to have, stored and known as such."""
    tx.db.execute("UPDATE entities SET kind = ? WHERE key = ?", (int(kind), entity.key))
    return known.give_kind(entity, kind)


def _add_names(tx: Transaction, key: int, names: Sequence[str]) -> None:
    body = orjson.loads(tx.db.execute("SELECT body FROM nodes WHERE key = ?", (key,)).get)
    taken = {folded(name) for name in (body["name"], *body["aliases"])}
    new = [name for name in names if folded(name) not in taken]
    if new:
        body["aliases"] += new
        tx.db.execute("UPDATE nodes SET body = ? WHERE key = ?", (orjson.dumps(body), key))
        _insert_names(tx, key, new)


def _insert_names(tx: Transaction, key: int, names: Iterable[str]) -> None:
    tx.db.executemany("INSERT OR IGNORE INTO entity_names VALUES (?, ?)", [(folded(name), key) for name in names])
