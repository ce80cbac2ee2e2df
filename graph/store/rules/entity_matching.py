"""Which entity a name stands for: the rule that every store finds entities again by, so that one person is one node."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from graph.model import Entity, EntityKind
from graph.text.names import folded


def names_of(entity: Entity) -> tuple[str, ...]:
    """The distinct names of an entity, its own first."""
    return tuple(dict.fromkeys((entity.name, *entity.aliases)))


@dataclass(frozen=True, slots=True)
class KnownEntity:
    """A stored entity, or one that is about to be. `key` numbers entities in the order in which they came."""

    key: int
    kind: int


class KnownEntities:
    """Entities by folded name."""

    def __init__(self, found: Iterable[tuple[str, int, int]]) -> None:
        """`found`: (folded name, key, kind)."""
        self._by_name: defaultdict[str, list[KnownEntity]] = defaultdict(list)
        for name, key, kind in found:
            self._by_name[name].append(KnownEntity(key, kind))

    def match(self, kind: EntityKind, names: Sequence[str]) -> KnownEntity | None:
        """The entity that a proposal of this kind with these names stands for, the oldest where there are several.

        An entity matches by a shared name and kind. A proposal of unknown kind also takes the only one of that name, whatever its kind; one
        of a known kind takes an entity of unknown kind, if no other kind bears the name. Two known kinds stay apart.
        """
        return _match(self._by_name, kind, names)

    def add(self, entity: KnownEntity, names: Iterable[str]) -> None:
        """The entity bears these names too."""
        for name in names:
            if entity not in self._by_name[folded(name)]:
                self._by_name[folded(name)].append(entity)

    def give_kind(self, entity: KnownEntity, kind: EntityKind) -> KnownEntity:
        """The entity with the kind that it now turned out to have, known as such."""
        told = KnownEntity(entity.key, int(kind))
        for entities in self._by_name.values():
            entities[:] = [told if one == entity else one for one in entities]
        return told


def _match(known: Mapping[str, Sequence[KnownEntity]], kind: EntityKind, names: Sequence[str]) -> KnownEntity | None:
    found = [entity for name in names for entity in known.get(folded(name), ())]
    same = {entity for entity in found if entity.kind == kind}
    single = len(set(found)) == 1 if kind is EntityKind.UNKNOWN else all(entity.kind == EntityKind.UNKNOWN for entity in found)
    return min(same or (found if single else ()), key=lambda entity: entity.key, default=None)
