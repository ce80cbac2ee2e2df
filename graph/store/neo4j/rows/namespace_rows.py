"""Namespaces as properties of their node."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import orjson

from graph.model import EmbeddingSpec, ExtractionMode, ExtractorSpec, Generation, Namespace, from_micros, to_micros
from graph.store.neo4j.rows.node_rows import Properties
from graph.store.profile_json import profile_from_json, profile_json
from graph.store.retention_json import retention_from_json, retention_json
from graph.text import ANALYSER_VERSION


class NamespaceState(StrEnum):
    """Where a namespace stands. Only ACTIVE ones are seen; the others are swept."""

    CREATING = "CREATING"
    ACTIVE = "ACTIVE"
    DELETING = "DELETING"


def namespace_of(row: Mapping[str, Any]) -> Namespace:
    """The namespace that the properties of a :Namespace hold."""
    return Namespace(
        name=row["name"],
        uid=row["uid"],
        embedding=EmbeddingSpec(row["embedding_model"], row["embedding_fingerprint"], row["embedding_dimension"]),
        extraction_mode=ExtractionMode[row["extraction_mode"]],
        created_at=from_micros(row["created_at"]),
        time_zone=row["time_zone"],
        description=row["description"],
        revision=row["revision"],
        generation=_generation_of(row),
        profile=profile_from_json(orjson.loads(row["profile"]) if row.get("profile") else None),
        retention=retention_from_json(orjson.loads(row["retention"]) if row.get("retention") else None),
    )


def _generation_of(row: Mapping[str, Any]) -> Generation | None:
    if not row["generation"]:
        return None
    spec = ExtractorSpec(row["extractor"], row["extractor_fingerprint"], ExtractionMode[row["extractor_mode"]])
    return Generation(row["generation"], spec, from_micros(row["generation_started_at"]))


def settings_properties(namespace: Namespace) -> Properties:
    """What `update_namespace` may change; None for what is not there."""
    profile = profile_json(namespace.profile)
    return {
        "extraction_mode": namespace.extraction_mode.name,
        "time_zone": namespace.time_zone,
        "description": namespace.description,
        "profile": None if profile is None else orjson.dumps(profile).decode(),
        "retention": orjson.dumps(retention_json(namespace.retention)).decode() if namespace.retention else None,
    }


def generation_properties(generation: Generation) -> Properties:
    """The current generation."""
    return {
        "generation": generation.number,
        "extractor": generation.extractor.name,
        "extractor_fingerprint": generation.extractor.fingerprint,
        "extractor_mode": generation.extractor.mode.name,
        "generation_started_at": to_micros(generation.started_at),
    }


def new_properties(namespace: Namespace, token: str, state: NamespaceState) -> Properties:
    """A namespace with nothing in it."""
    return {
        "name": namespace.name,
        "uid": namespace.uid,
        "token": token,
        "state": state.value,
        "locked": "",
        "last_write": "",
        "revision": 0,
        "next_key": 1,
        "next_job": 1,
        "epoch": 0,
        "generation": 0,
        "statistics_revision": 0,
        "statistics_terms": 0,
        "statistics_tail": 0,
        "removed_revision": 0,
        "summaries_revision": 0,
        "changes_revision": 0,
        "analyser": ANALYSER_VERSION,
        "embedding_model": namespace.embedding.model,
        "embedding_fingerprint": namespace.embedding.fingerprint,
        "embedding_dimension": namespace.embedding.dimension,
        "created_at": to_micros(namespace.created_at),
        **settings_properties(namespace),
    }
