"""Entities: found again by name, their names kept where they can be looked up."""

from collections.abc import Iterable, Sequence
from typing import Any

from graph.model import Entity, EntityKind, NodeKind
from graph.store.neo4j.driver.change_log import Operation
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.rows.edge_rows import NodeRef
from graph.store.neo4j.rows.node_rows import Placed, Properties, entity_properties
from graph.store.neo4j.rows.node_writer import Writer, create_nodes
from graph.store.rules.entity_matching import KnownEntities, KnownEntity, names_of
from graph.text.names import folded

_NAMED = """UNWIND $at.names AS name MATCH (a:EntityName) WHERE a.namespace = $namespace AND a.folded = name AND a.entity_id > ''
    MATCH (e:Entity {namespace: $namespace, id: a.entity_id}) RETURN collect([a.folded, e.key, e.kind, e.id, e.name, e.aliases])"""
_CREATE_NAMES = "UNWIND $at.names AS name CREATE (a:EntityName) SET a = name"
_CHANGE = "UNWIND $at.rows AS row MATCH (e:Entity {namespace: $namespace, key: row.key}) SET e += row.properties"
_COUNT = """UNWIND $at.rows AS row MATCH (e:Entity {namespace: $namespace, key: row[0]}) SET e.mention_count = e.mention_count + row[1]"""


def name_rows(namespace: str, entity_id: str, names: Iterable[str]) -> list[Properties]:
    """The :EntityName nodes of an entity's names."""
    return [{"namespace": namespace, "folded": name, "entity_id": entity_id} for name in dict.fromkeys(map(folded, names)) if name]


async def create_entities(writer: Writer, namespace: str, entities: Sequence[tuple[Entity, Placed]]) -> None:
    """Stores new entities with their names."""
    await create_nodes(writer, NodeKind.ENTITY, [entity_properties(entity, place) for entity, place in entities])
    names = [row for entity, _ in entities for row in name_rows(namespace, entity.id, names_of(entity))]
    if names:
        await writer.execute(_CREATE_NAMES, {"names": names})


async def count_mentions(writer: Writer, counts: Iterable[tuple[int, int]]) -> None:
    """Adds to how many nodes name each of these entities, (key, how many more)."""
    rows = [list(pair) for pair in counts]
    if rows:
        await writer.execute(_COUNT, {"rows": rows})


class _Resolution:
    """What proposals do to the stored entities, gathered so that it is written at once."""

    def __init__(self, found: Sequence[Sequence[Any]]) -> None:
        self.known = KnownEntities((name, key, EntityKind[kind]) for name, key, kind, *_ in found)
        self.ids: dict[int, str] = {key: id_ for _, key, _, id_, *_ in found}
        self.new: dict[int, tuple[Entity, int]] = {}
        self.changes: dict[int, Properties] = {}
        self.new_names: list[tuple[str, list[str]]] = []
        self._names: dict[int, list[str]] = {key: [name, *aliases] for _, key, _, _, name, aliases in found}

    def take(self, proposal: Entity, match: KnownEntity) -> KnownEntity:
        """The proposal stands for a known entity: its new names are added, and its kind where that was unknown."""
        self._add_names(match.key, names_of(proposal))
        if match.kind == proposal.kind or match.kind != EntityKind.UNKNOWN:
            return match
        self._change(match.key, kind=proposal.kind.name)
        return self.known.give_kind(match, proposal.kind)

    def create(self, proposal: Entity, key: int) -> KnownEntity:
        """The proposal is a new entity."""
        self.new[key] = (proposal, key)
        self.ids[key] = proposal.id
        self._names[key] = [proposal.name, *proposal.aliases]
        return KnownEntity(key, proposal.kind)

    def _add_names(self, key: int, names: Iterable[str]) -> None:
        taken = {folded(name) for name in self._names[key]}
        new = [name for name in names if folded(name) not in taken]
        if new:
            self._names[key] += new
            self._change(key, aliases=self._names[key][1:])
            self.new_names.append((self.ids[key], new))

    def _change(self, key: int, **properties: Any) -> None:
        self.changes.setdefault(key, {}).update(properties)


async def resolve_entities(tx: Transaction, proposals: Sequence[Entity]) -> dict[str, NodeRef]:
    """The entity that each proposal stands for, by the proposal's id; those that are new are stored."""
    if not proposals:
        return {}
    names = {folded(name) for proposal in proposals for name in names_of(proposal)}
    [[found]] = await tx.rows(_NAMED, {"names": sorted(names)})
    resolution = _Resolution(found)
    resolved: dict[str, NodeRef] = {}
    for proposal in proposals:
        match = resolution.known.match(proposal.kind, names_of(proposal))
        entity = resolution.create(proposal, tx.keys(1)[0]) if match is None else resolution.take(proposal, match)
        resolution.known.add(entity, names_of(proposal))
        resolved[proposal.id] = NodeRef(NodeKind.ENTITY, entity.key)
    await _store(tx, resolution)
    return resolved


async def _store(tx: Transaction, resolution: _Resolution) -> None:
    if resolution.new:
        new = [(entity, Placed(tx.name, key, 0, tx.now)) for entity, key in resolution.new.values()]
        await create_entities(tx, tx.name, new)
        tx.changed(Operation.ADDED, resolution.new)
    if resolution.changes:
        await tx.execute(_CHANGE, {"rows": [{"key": key, "properties": more} for key, more in resolution.changes.items()]})
    added = [row for entity_id, names in resolution.new_names for row in name_rows(tx.name, entity_id, names)]
    if added:
        await tx.execute(_CREATE_NAMES, {"names": added})
