"""Entities: found again by name, their names kept where they can be looked up."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from graph.model import Entity, EntityKind, NodeKind
from graph.store.neo4j.driver.change_log import Operation
from graph.store.neo4j.driver.transaction import Transaction
from graph.store.neo4j.rows.edge_rows import NodeRef
from graph.store.neo4j.rows.node_rows import Properties, SystemFields, entity_properties
from graph.store.neo4j.rows.node_writer import Writer, create_nodes
from graph.store.rules.entity_matching import names_of
from graph.store.rules.entity_plan import StoredEntity, names_to_find, planned_entities
from graph.text.names import folded

_NAMED = """UNWIND $at.names AS name MATCH (a:EntityName) WHERE a.namespace = $namespace AND a.folded = name AND a.entity_id > ''
    MATCH (e:Entity {namespace: $namespace, id: a.entity_id}) RETURN collect([a.folded, e.key, e.kind, e.id, e.name, e.aliases])"""
CREATE_NAMES = "UNWIND $at.names AS name CREATE (a:EntityName) SET a = name"
_CHANGE = "UNWIND $at.rows AS row MATCH (e:Entity {namespace: $namespace, key: row.key}) SET e += row.properties"
_COUNT = """UNWIND $at.rows AS row MATCH (e:Entity {namespace: $namespace, key: row[0]}) SET e.mention_count = e.mention_count + row[1]"""


def name_rows(namespace: str, entity_id: str, names: Iterable[str]) -> list[Properties]:
    """The :EntityName nodes of an entity's names."""
    return [{"namespace": namespace, "folded": name, "entity_id": entity_id} for name in dict.fromkeys(map(folded, names)) if name]


async def create_entities(writer: Writer, namespace: str, entities: Sequence[tuple[Entity, SystemFields]]) -> None:
    """Stores new entities with their names."""
    await create_nodes(writer, NodeKind.ENTITY, [entity_properties(entity, system) for entity, system in entities])
    names = [row for entity, _ in entities for row in name_rows(namespace, entity.id, names_of(entity))]
    if names:
        await writer.execute(CREATE_NAMES, {"names": names})


async def count_mentions(writer: Writer, counts: Iterable[tuple[int, int]]) -> None:
    """Adds to how many nodes name each of these entities, (key, how many more)."""
    rows = [list(pair) for pair in counts]
    if rows:
        await writer.execute(_COUNT, {"rows": rows})


async def resolve_entities(tx: Transaction, proposals: Sequence[Entity]) -> dict[str, NodeRef]:
    """The entity that each proposal stands for, by the proposal's id; those that are new are stored."""
    if not proposals:
        return {}
    [[rows]] = await tx.rows(_NAMED, {"names": names_to_find(proposals)})
    found = [(name, StoredEntity(key, EntityKind[kind], *stored)) for name, key, kind, *stored in rows]
    plan = planned_entities(proposals, found, lambda: tx.keys(1)[0])
    if plan.new:
        await create_entities(tx, tx.name, [(entity, SystemFields(tx.name, key, 0, tx.now)) for key, entity in plan.new.items()])
        tx.changed(Operation.ADDED, plan.new)
    changes: defaultdict[int, Properties] = defaultdict(dict)
    for key, kind in plan.kinds.items():
        changes[key]["kind"] = kind.name
    for key, (_, *aliases) in plan.names.items():
        changes[key]["aliases"] = aliases
    if changes:
        await tx.execute(_CHANGE, {"rows": [{"key": key, "properties": properties} for key, properties in changes.items()]})
    added = [row for entity_id, names in plan.added_names.values() for row in name_rows(tx.name, entity_id, names)]
    if added:
        await tx.execute(CREATE_NAMES, {"names": added})
    return {id_: NodeRef(NodeKind.ENTITY, key) for id_, key in plan.keys.items()}
