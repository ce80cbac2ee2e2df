"""The entities of one draft: which names are one and the same."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from extract.port import EntityMention, Extraction
from graph.model import PREFIXES, Entity, EntityKind, IdSource, NodeKind
from graph.text.names import folded, is_role_name

_LONGEST_NAME = 5
# The role of a mention that is another name of the subject of its relation: "Maria's boss" in "Nora is Maria's boss".
ALIAS = "alias"


@dataclass(frozen=True, slots=True)
class SameName:
    """Two names that may be of one entity. Both stay entities of their own, joined by a link that can be taken away again."""

    name_id: str
    other_id: str
    confidence: float
    reason: str


class EntityBook:
    """Entities by folded name. Names that may mean the same one are linked, never made one: what was told apart cannot be had back."""

    def __init__(self, extraction: Extraction, ids: IdSource, now: datetime, known: Iterable[Entity] = ()) -> None:
        """`known` are entities that the namespace has already, among those that `short_names` asks for."""
        self._kinds: dict[str, EntityKind] = {}
        names: dict[str, str] = {}
        for mention in _all_mentions(extraction):
            key = folded(mention.name)
            if not key or is_role_name(key):
                continue
            names.setdefault(key, " ".join(mention.name.split()))
            if self._kinds.get(key, EntityKind.UNKNOWN) is EntityKind.UNKNOWN:
                self._kinds[key] = mention.kind
        self._entities = [Entity(ids.mint(PREFIXES[NodeKind.ENTITY]), name, self._kinds[key], now) for key, name in names.items()]
        self._ids = {folded(entity.name): entity.id for entity in self._entities}
        self._known = {folded(entity.name): entity for entity in known if folded(entity.name) not in self._ids}

    def entities(self) -> tuple[Entity, ...]:
        """All of them, in the order in which they were first named."""
        return tuple(self._entities)

    def id_of(self, name: str) -> str | None:
        """The id of the entity of this name."""
        return self._ids.get(folded(name))

    def ids_of(self, mentions: Iterable[EntityMention]) -> list[str]:
        """The ids of what is mentioned, each once, in order."""
        found = (self.id_of(mention.name) for mention in mentions)
        return list(dict.fromkeys(one for one in found if one))

    def head_of(self, words: str) -> str | None:
        """The id of the entity that some words begin with: "Lisbon with Tom"."""
        parts = folded(words).removeprefix("the ").split()
        candidates = (self._ids.get(" ".join(parts[:length]).rstrip(",.")) for length in range(min(len(parts), _LONGEST_NAME), 0, -1))
        return next((one for one in candidates if one), None)

    def same_names(self) -> Iterator[SameName]:
        """First names with the one full name that begins so: surer when both were said together."""
        kinds = self._kinds | {key: entity.kind for key, entity in self._known.items()}
        ids = self._ids | {key: entity.id for key, entity in self._known.items()}
        for short, full in _full_names(kinds).items():
            if full in self._ids:
                yield SameName(ids[short], ids[full], 0.8 if short in self._ids else 0.6, "first name")


def short_names(extraction: Extraction) -> list[str]:
    """The first names of the people whom a draft names in full: entities that may be known under them alone."""
    full = {mention.name for mention in _all_mentions(extraction) if mention.kind is EntityKind.PERSON and _is_full(mention.name)}
    return sorted({name.split()[0] for name in full})


def _is_full(name: str) -> bool:
    return " " in name and "'s " not in name and not name.split()[0].endswith(".")


def _all_mentions(extraction: Extraction) -> Iterator[EntityMention]:
    for event in extraction.events:
        yield from event.participants
        for statement in event.statements:
            yield from statement.mentions
    for mentions in extraction.mentions.values():
        yield from mentions


def _full_names(kinds: dict[str, EntityKind]) -> dict[str, str]:
    """Short name to full name, among people (and what might be people), where only one full name begins so."""
    people = [key for key, kind in kinds.items() if "'s " not in key and kind in {EntityKind.PERSON, EntityKind.UNKNOWN}]
    full: dict[str, str] = {}
    for short in people:
        if " " in short:
            continue
        candidates = [key for key in people if key.startswith(short + " ") and EntityKind.PERSON in {kinds[key], kinds[short]}]
        if len(candidates) == 1:
            full[short] = candidates[0]
    return full
