"""Namespaces to create and to change, and the point in a namespace's history that a read has to see."""

from dataclasses import dataclass

from graph.model import EmbeddingSpec, ExtractionMode, ExtractionProfile, RetentionRule
from graph.model.profiles import NO_PROFILE


@dataclass(frozen=True, slots=True)
class NamespaceSpec:
    """A namespace to create."""

    name: str
    embedding: EmbeddingSpec
    extraction_mode: ExtractionMode
    time_zone: str = ""
    description: str = ""
    profile: ExtractionProfile = NO_PROFILE
    retention: tuple[RetentionRule, ...] = ()


@dataclass(frozen=True, slots=True)
class NamespaceChange:
    """What to change of a namespace; None leaves it as it is. The store counts a profile's version."""

    extraction_mode: ExtractionMode | None = None
    time_zone: str | None = None
    description: str | None = None
    profile: ExtractionProfile | None = None
    retention: tuple[RetentionRule, ...] | None = None


@dataclass(frozen=True, slots=True)
class ConsistencyPoint:
    """A write that a read has to see.

    Of a namespace that was deleted and made anew under its name it asks nothing: that write is gone.

    Attributes:
        position: see `Memory.position`.
        others: points of namespaces that had, or have, the same name; the one of the namespace that is read counts.
    """

    namespace_uid: str
    revision: int
    position: tuple[str, ...] = ()
    others: tuple["ConsistencyPoint", ...] = ()
