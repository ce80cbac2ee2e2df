"""Entities: found again by name, so that one person is one node."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import apsw
import orjson

from graph.model import Entity, EntityKind
from graph.store.embedded.connection import rows
from graph.store.embedded.node_bodies import entity_body
from graph.store.embedded.node_keys import id_columns
from graph.store.embedded.node_writer import insert_nodes
from graph.store.embedded.transaction import Operation, Transaction
from graph.store.entity_names import folded


@dataclass(frozen=True, slots=True)
class _Known:
    key: int
    kind: int


def resolve_entities(tx: Transaction, proposals: Sequence[Entity]) -> dict[str, int]:
    """The key of the entity that each proposal stands for, by the proposal's id; those that are new are stored.

    An entity matches by a shared name or alias and kind. A proposal of unknown kind also takes the only one of that name, whatever its
    kind; one of a known kind gives that kind to an entity of unknown kind, if no other kind bears the name. Two known kinds stay apart.
    """
    known = _known(tx.db, {folded(name) for proposal in proposals for name in _names(proposal)})
    resolved: dict[str, int] = {}
    for proposal in proposals:
        names = _names(proposal)
        match = _match(known, proposal.kind, names)
        if match is None:
            (key,) = tx.node_keys(1)
            insert_entity(tx, key, proposal, tx.now)
            tx.changed(Operation.ADDED, [key])
            match = _Known(key, proposal.kind)
        else:
            _add_names(tx, match.key, names)
            if match.kind != proposal.kind and match.kind == EntityKind.UNKNOWN:
                match = _give_kind(tx, known, match, proposal.kind)
        for name in names:
            if match not in known[folded(name)]:
                known[folded(name)].append(match)
        resolved[proposal.id] = match.key
    return resolved


def insert_entity(tx: Transaction, key: int, entity: Entity, recorded_at: int) -> None:
    """Stores a new entity under a key."""
    uuid, kind = id_columns(entity.id)
    insert_nodes(tx, [(key, uuid, kind, None, 0, None, 0, 0, 0, 0, recorded_at, None, 0, 0, None, None, entity_body(entity))])
    tx.db.execute("INSERT INTO entities VALUES (?, ?, 0)", (key, int(entity.kind)))
    _insert_names(tx, key, _names(entity))


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


def _names(entity: Entity) -> tuple[str, ...]:
    return tuple(dict.fromkeys((entity.name, *entity.aliases)))


def _known(db: apsw.Connection, names: Iterable[str]) -> defaultdict[str, list[_Known]]:
    known: defaultdict[str, list[_Known]] = defaultdict(list)
    found = db.executemany(
        "SELECT a.folded, a.entity, e.kind FROM entity_names a JOIN entities e ON e.key = a.entity WHERE a.folded = +? ORDER BY a.entity",
        [(name,) for name in names],
    )
    for name, key, kind in found:
        known[name].append(_Known(key, kind))
    return known


def _match(known: Mapping[str, Sequence[_Known]], kind: EntityKind, names: Sequence[str]) -> _Known | None:
    found = [entity for name in names for entity in known.get(folded(name), ())]
    same = {entity for entity in found if entity.kind == kind}
    single = len(set(found)) == 1 if kind is EntityKind.UNKNOWN else all(entity.kind == EntityKind.UNKNOWN for entity in found)
    return min(same or (found if single else ()), key=lambda entity: entity.key, default=None)


def _give_kind(tx: Transaction, known: Mapping[str, list[_Known]], entity: _Known, kind: EntityKind) -> _Known:
    """The entity with the kind that it now turned out to have, stored and known as such."""
    tx.db.execute("UPDATE entities SET kind = ? WHERE key = ?", (int(kind), entity.key))
    told = _Known(entity.key, int(kind))
    for entities in known.values():
        entities[:] = [told if one == entity else one for one in entities]
    return told


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
