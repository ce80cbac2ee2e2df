"""Extraction profiles: what a namespace wants to be looked for in its conversations."""

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from graph.model.nodes import EntityKind

MAX_ENTITY_TYPES = 30
MAX_RELATION_TYPES = 60
MAX_TYPE_NAME = 40
MAX_TYPE_DESCRIPTION = 200
MAX_INSTRUCTIONS = 2_000
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class EntityType:
    """A type of entity by the namespace's own name, such as "medicine", and the kind that it counts as."""

    name: str
    kind: EntityKind
    description: str = ""


@dataclass(frozen=True, slots=True)
class RelationType:
    """A predicate that relations may have, such as "treated_with"."""

    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class ExtractionProfile:
    """Types and instructions of a namespace. Without types of a sort, everything is looked for. `version` counts the changes."""

    entity_types: tuple[EntityType, ...] = ()
    relation_types: tuple[RelationType, ...] = ()
    instructions: str = ""
    version: int = 0

    def __bool__(self) -> bool:
        return bool(self.entity_types or self.relation_types or self.instructions)

    @property
    def fingerprint(self) -> str:
        """Identifies what it says, whatever its version; empty for one that says nothing."""
        return hashlib.sha256(json.dumps(self.content()).encode()).hexdigest()[:16] if self else ""

    def content(self) -> list[object]:
        """What it says, as plain data, without its version."""
        return [
            [[one.name, int(one.kind), one.description] for one in self.entity_types],
            [[one.name, one.description] for one in self.relation_types],
            self.instructions,
        ]


NO_PROFILE = ExtractionProfile()


def profile_problems(profile: ExtractionProfile) -> Iterator[tuple[str, str]]:
    """What is wrong with a profile: a field and why, each."""
    yield from _types_problems("entity_types", [(one.name, one.description) for one in profile.entity_types], MAX_ENTITY_TYPES)
    yield from _types_problems("relation_types", [(one.name, one.description) for one in profile.relation_types], MAX_RELATION_TYPES)
    for index, entity_type in enumerate(profile.entity_types):
        if entity_type.kind is EntityKind.UNKNOWN:
            yield f"entity_types[{index}].kind", "is required: what the type counts as"
    if len(profile.instructions) > MAX_INSTRUCTIONS:
        yield "instructions", f"must be at most {MAX_INSTRUCTIONS:,} characters; there are {len(profile.instructions):,}"
    if "\0" in profile.instructions:
        yield "instructions", "must not contain NUL characters"


def _types_problems(field: str, types: Sequence[tuple[str, str]], most: int) -> Iterator[tuple[str, str]]:
    if len(types) > most:
        yield field, f"must be at most {most}; there are {len(types):,}"
        return
    seen: set[str] = set()
    for index, (name, description) in enumerate(types):
        yield from ((f"{field}[{index}].{part}", problem) for part, problem in _type_problems(name, description, seen))
        seen.add(name)


def _type_problems(name: str, description: str, seen: set[str]) -> Iterator[tuple[str, str]]:
    if not _NAME.match(name) or len(name) > MAX_TYPE_NAME:
        yield "name", f"must be a lower-case letter and then at most {MAX_TYPE_NAME - 1} of a-z, 0-9 and _"
    elif name in seen:
        yield "name", "is there twice"
    if len(description) > MAX_TYPE_DESCRIPTION:
        yield "description", f"must be at most {MAX_TYPE_DESCRIPTION} characters"
    if any(not character.isprintable() for character in description):
        yield "description", "must be one line without control characters"
