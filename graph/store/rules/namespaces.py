"""Namespaces that are made and changed."""

from dataclasses import replace
from datetime import datetime

from graph.model import NO_PROFILE, ExtractionProfile, Namespace
from graph.store.port import NamespaceChange, NamespaceSpec


def new_namespace(spec: NamespaceSpec, uid: str, created_at: datetime) -> Namespace:
    """The namespace that is made of a spec."""
    return Namespace(
        spec.name,
        uid,
        spec.embedding,
        spec.extraction_mode,
        created_at,
        spec.time_zone,
        spec.description,
        profile=_next_version(NO_PROFILE, spec.profile),
        retention=spec.retention,
    )


def changed_namespace(before: Namespace, change: NamespaceChange) -> Namespace:
    """The namespace with what is to change."""
    return replace(
        before,
        extraction_mode=before.extraction_mode if change.extraction_mode is None else change.extraction_mode,
        time_zone=before.time_zone if change.time_zone is None else change.time_zone,
        description=before.description if change.description is None else change.description,
        profile=before.profile if change.profile is None else _next_version(before.profile, change.profile),
        retention=before.retention if change.retention is None else change.retention,
    )


def _next_version(before: ExtractionProfile, after: ExtractionProfile) -> ExtractionProfile:
    """The profile with the version that it gets in place of another one: a higher one if it says something else."""
    changed = after.content() != before.content()
    return replace(after, version=before.version + 1 if changed else before.version)
