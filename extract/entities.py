"""The entities of one draft: which names are one and the same."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from functools import lru_cache

from extract.port import EntityMention, Extraction
from graph.model import PREFIXES, Entity, EntityKind, IdSource, NodeKind

# Names of roles in assistant chats, not of people: an entity of this name would join everything with everything.
GENERIC_SPEAKERS = frozenset({"user", "assistant", "system", "tool", "human", "ai", "bot", "agent", "model", "the user", "the assistant"})


@lru_cache(maxsize=4096)
def is_generic(name: str) -> bool:
    """Whether a speaker's name names a role rather than a person."""
    return fold(name) in GENERIC_SPEAKERS


def fold(name: str) -> str:
    """A name as it is compared: case and spaces do not count."""
    return " ".join(name.split()).casefold()


class EntityBook:
    """Entities by folded name. A first name stands for the one full name of a person that begins with it, if there is just one."""

    def __init__(self, extraction: Extraction, ids: IdSource, now: datetime) -> None:
        kinds: dict[str, EntityKind] = {}
        names: dict[str, str] = {}
        for mention in _all_mentions(extraction):
            key = fold(mention.name)
            if not key or key in GENERIC_SPEAKERS:
                continue
            names.setdefault(key, " ".join(mention.name.split()))
            if kinds.get(key, EntityKind.UNKNOWN) is EntityKind.UNKNOWN:
                kinds[key] = mention.kind
        full_names = _full_names(kinds)
        self._ids: dict[str, str] = {}
        self._entities: list[Entity] = []
        for key, name in names.items():
            if key in full_names:
                continue
            aliases = tuple(names[short] for short, full in full_names.items() if full == key)
            entity = Entity(ids.mint(PREFIXES[NodeKind.ENTITY]), name, kinds[key], now, aliases)
            self._entities.append(entity)
            self._ids[key] = entity.id
        for short, full in full_names.items():
            self._ids[short] = self._ids[full]

    def entities(self) -> tuple[Entity, ...]:
        """All of them, in the order in which they were first named."""
        return tuple(self._entities)

    def id_of(self, name: str) -> str | None:
        """The id of the entity of this name."""
        return self._ids.get(fold(name))

    def ids_of(self, mentions: Iterable[EntityMention]) -> list[str]:
        """The ids of what is mentioned, each once, in order."""
        found = (self.id_of(mention.name) for mention in mentions)
        return list(dict.fromkeys(one for one in found if one))


def _all_mentions(extraction: Extraction) -> Iterator[EntityMention]:
    for event in extraction.events:
        yield from event.participants
        for statement in event.statements:
            yield from statement.mentions
    for mentions in extraction.mentions.values():
        yield from mentions


def _full_names(kinds: dict[str, EntityKind]) -> dict[str, str]:
    """Short name to full name, among people (and what might be people), where only one full name begins so."""
    people = [key for key, kind in kinds.items() if kind in {EntityKind.PERSON, EntityKind.UNKNOWN}]
    full: dict[str, str] = {}
    for short in people:
        if " " in short:
            continue
        candidates = [key for key in people if key.startswith(short + " ") and EntityKind.PERSON in {kinds[key], kinds[short]}]
        if len(candidates) == 1:
            full[short] = candidates[0]
    return full
