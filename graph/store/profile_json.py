"""A namespace's extraction profile as plain data."""

from typing import Any

from graph.model import NO_PROFILE, EntityKind, EntityType, ExtractionProfile, RelationType


def profile_json(profile: ExtractionProfile) -> list[object] | None:
    """The profile as plain data; None for one that never said anything."""
    return None if profile == NO_PROFILE else [profile.version, *profile.content()]


def profile_from_json(data: Any) -> ExtractionProfile:
    """The profile of `profile_json`. Namespaces from before there were profiles have none."""
    if data is None:
        return NO_PROFILE
    version, entity_types, relation_types, instructions = data
    return ExtractionProfile(
        tuple(EntityType(name, EntityKind(kind), description) for name, kind, description in entity_types),
        tuple(RelationType(name, description) for name, description in relation_types),
        str(instructions),
        int(version),
    )
