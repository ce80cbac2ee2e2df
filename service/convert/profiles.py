"""Extraction profiles, both ways."""

from structmem.v1 import namespace_pb2 as pb

from graph.model import NO_PROFILE, EntityType, ExtractionProfile, RelationType, profile_problems
from service.convert.entity_kinds import entity_kind_from_proto, entity_kind_to_proto
from service.validate import Violations


def profile_to_proto(profile: ExtractionProfile) -> pb.ExtractionProfile | None:
    """A profile; None for one that never said anything."""
    if profile == NO_PROFILE:
        return None
    return pb.ExtractionProfile(
        entity_types=[
            pb.EntityType(name=one.name, kind=entity_kind_to_proto(one.kind), description=one.description) for one in profile.entity_types
        ],
        relation_types=[pb.RelationType(name=one.name, description=one.description) for one in profile.relation_types],
        instructions=profile.instructions,
        version=profile.version,
    )


def profile_from_proto(found: Violations, field: str, given: pb.ExtractionProfile) -> ExtractionProfile:
    """What a caller gives; its version counts only in an export."""
    profile = ExtractionProfile(
        tuple(
            EntityType(
                one.name,
                entity_kind_from_proto(found, f"{field}.entity_types[{index}].kind", one.kind),
                one.description,
            )
            for index, one in enumerate(given.entity_types)
        ),
        tuple(RelationType(one.name, one.description) for one in given.relation_types),
        given.instructions.strip(),
        given.version,
    )
    for where, problem in profile_problems(profile):
        found.add(f"{field}.{where}", problem)
    if given.version < 0:
        found.add(f"{field}.version", "must not be negative")
    return profile
