"""What an extraction does to a namespace's entities: which proposal is which entity, which entities are new, what changes of others."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from graph.model import Entity, EntityKind
from graph.store.rules.entity_matching import KnownEntities, KnownEntity, names_of
from graph.text.names import folded


class StoredEntity(NamedTuple):
    """An entity as the store has it."""

    key: int
    kind: int
    id: str
    name: str
    aliases: Sequence[str]


@dataclass(frozen=True, slots=True)
class EntityPlan:
    """What a store writes, all by the entities' keys.

    `keys`: of the entity that each proposal stands for, by the proposal's id. `new` entities are stored first; then `kinds` are set where
    they were unknown, `names` (its own, then all aliases) replace those of entities that got more, and `added_names` (an entity's id, and
    the names that it got) are made findable.
    """

    keys: dict[str, int] = field(default_factory=dict)
    new: dict[int, Entity] = field(default_factory=dict)
    kinds: dict[int, EntityKind] = field(default_factory=dict)
    names: dict[int, list[str]] = field(default_factory=dict)
    added_names: dict[int, tuple[str, list[str]]] = field(default_factory=dict)


def names_to_find(proposals: Iterable[Entity]) -> list[str]:
    """The folded names by which proposals may be found again, sorted."""
    return sorted({folded(name) for proposal in proposals for name in names_of(proposal)})


def planned_entities(proposals: Sequence[Entity], found: Iterable[tuple[str, StoredEntity]], new_key: Callable[[], int]) -> EntityPlan:
    """Decides what proposals stand for. `found`: stored entities with one of the names, each by the folded name that it was found by."""
    by_name = list(found)
    known = KnownEntities((name, entity.key, entity.kind) for name, entity in by_name)
    ids = {entity.key: entity.id for _, entity in by_name}
    names = {entity.key: [entity.name, *entity.aliases] for _, entity in by_name}
    plan = EntityPlan()
    for proposal in proposals:
        entity = known.match(proposal.kind, names_of(proposal))
        if entity is None:
            entity = KnownEntity(new_key(), proposal.kind)
            plan.new[entity.key] = proposal
            ids[entity.key] = proposal.id
            names[entity.key] = [proposal.name, *proposal.aliases]
        else:
            _add_names(plan, entity.key, ids[entity.key], names[entity.key], names_of(proposal))
            if entity.kind != proposal.kind and entity.kind == EntityKind.UNKNOWN:
                plan.kinds[entity.key] = proposal.kind
                entity = known.give_kind(entity, proposal.kind)
        known.add(entity, names_of(proposal))
        plan.keys[proposal.id] = entity.key
    return plan


def _add_names(plan: EntityPlan, key: int, id_: str, names: list[str], proposed: Iterable[str]) -> None:
    taken = {folded(name) for name in names}
    new = [name for name in proposed if folded(name) not in taken]
    if new:
        names += new
        plan.names[key] = names
        plan.added_names.setdefault(key, (id_, []))[1].extend(new)
