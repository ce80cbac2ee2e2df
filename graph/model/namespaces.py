"""Namespaces: the unit of isolation, and what is recorded of each."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from graph.model.profiles import NO_PROFILE, ExtractionProfile
from graph.model.retention import RetentionRule

_SEGMENT = re.compile(r"[A-Za-z0-9_.@-]+\Z")
# Characters of the name of a namespace, a session or a speaker: at most 800 bytes in UTF-8. Searches filter by these names inside Neo4j's
# vector index, whose limit of length is a matter of the server's safety. This cap is far below it, and is not to be raised.
MAX_NAME_LENGTH = 200
MAX_SEGMENTS = 8


class ExtractionMode(IntEnum):
    """How much an extractor looks for. The numbers are stored and are those of the contract."""

    EVENT = 1
    FLAT = 2
    OFF = 3


@dataclass(frozen=True, slots=True)
class EmbeddingSpec:
    """The one model of a namespace's vectors. `model` "none" means no vectors; `fingerprint` is empty for vectors the client gives."""

    model: str
    fingerprint: str
    dimension: int


NO_EMBEDDING = EmbeddingSpec("none", "", 0)


@dataclass(frozen=True, slots=True)
class ExtractorSpec:
    """Identifies an extractor: its name, its exact rules or prompts, and its mode."""

    name: str
    fingerprint: str
    mode: ExtractionMode


NO_EXTRACTION = ExtractorSpec("none", "", ExtractionMode.OFF)


@dataclass(frozen=True, slots=True)
class Generation:
    """One extraction of a namespace by one extractor in one mode. Answers never mix generations."""

    number: int
    extractor: ExtractorSpec
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Namespace:
    """A namespace as its readers see it. `uid` is immutable and never reused: tokens and files are bound to it, not to the name."""

    name: str
    uid: str
    embedding: EmbeddingSpec
    extraction_mode: ExtractionMode
    created_at: datetime
    time_zone: str = ""
    description: str = ""
    revision: int = 0
    generation: Generation | None = None
    profile: ExtractionProfile = NO_PROFILE
    retention: tuple[RetentionRule, ...] = ()


def namespace_name_problem(name: str) -> str | None:
    """What is wrong with a namespace's name, or None."""
    if not name:
        return "is required"
    if len(name) > MAX_NAME_LENGTH:
        return f"must be at most {MAX_NAME_LENGTH} characters"
    segments = name.split("/")
    if len(segments) > MAX_SEGMENTS:
        return f"must have at most {MAX_SEGMENTS} segments"
    for segment in segments:
        if not _SEGMENT.match(segment) or segment in {".", ".."}:
            return 'must be segments of letters, digits and "-_.@" joined by "/"'
    return None
