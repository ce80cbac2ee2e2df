"""Namespaces, both ways."""

from structmem.v1 import namespace_pb2, namespace_service_pb2

from graph.model import NO_EMBEDDING, EmbeddingSpec, ExtractionMode, ExtractorSpec, Generation, Namespace
from graph.store.port import NamespaceChange, NamespaceSpec
from service.convert.profiles import profile_from_proto, profile_to_proto
from service.convert.retention import retention_from_proto, retention_to_proto
from service.convert.times import timestamp
from service.validate import Violations, enum_value, instant, text, zone_name

MAX_DESCRIPTION = 1000
MAX_MODEL = 200
MAX_DIMENSION = 4096


def embedding_to_proto(spec: EmbeddingSpec) -> namespace_pb2.EmbeddingSpec:
    """The model of a namespace's vectors."""
    return namespace_pb2.EmbeddingSpec(model=spec.model, fingerprint=spec.fingerprint, dimension=spec.dimension)


def namespace_to_proto(namespace: Namespace) -> namespace_pb2.Namespace:
    """A namespace."""
    return namespace_pb2.Namespace(
        name=namespace.name,
        embedding=embedding_to_proto(namespace.embedding),
        extraction_mode=namespace_pb2.ExtractionMode.ValueType(namespace.extraction_mode),
        time_zone=namespace.time_zone,
        description=namespace.description,
        revision=namespace.revision,
        generation=_generation(namespace.generation),
        created_at=timestamp(namespace.created_at),
        profile=profile_to_proto(namespace.profile),
        retention=retention_to_proto(namespace.retention),
    )


def _generation(generation: Generation | None) -> namespace_pb2.Generation | None:
    if generation is None:
        return None
    return namespace_pb2.Generation(
        number=generation.number,
        extractor=generation.extractor.name,
        fingerprint=generation.extractor.fingerprint,
        mode=namespace_pb2.ExtractionMode.ValueType(generation.extractor.mode),
        started_at=timestamp(generation.started_at),
    )


def spec_from_proto(
    found: Violations, request: namespace_service_pb2.CreateNamespaceRequest, served: EmbeddingSpec, mode: ExtractionMode
) -> NamespaceSpec:
    """A namespace to create; `served` and `mode` fill what the request leaves open."""
    embedding = served
    if request.HasField("embedding"):
        embedding = embedding_from_proto(found, "embedding", request.embedding, served)
    return NamespaceSpec(
        name=request.namespace,
        embedding=embedding,
        extraction_mode=enum_value(found, "extraction_mode", request.extraction_mode, ExtractionMode) or mode,
        time_zone=zone_name(found, "time_zone", request.time_zone),
        description=text(found, "description", request.description, MAX_DESCRIPTION, required=False),
        profile=profile_from_proto(found, "profile", request.profile),
        retention=retention_from_proto(found, "retention", request.retention),
    )


def embedding_from_proto(found: Violations, field: str, spec: namespace_pb2.EmbeddingSpec, served: EmbeddingSpec) -> EmbeddingSpec:
    """The model that a caller names: the service's own, "none", or one that only the caller has."""
    model = text(found, f"{field}.model", spec.model, MAX_MODEL)
    text(found, f"{field}.fingerprint", spec.fingerprint, MAX_MODEL, required=False)
    if model == NO_EMBEDDING.model:
        if spec.dimension:
            found.add(f"{field}.dimension", "must be 0 without vectors")
        return NO_EMBEDDING
    if model == served.model:
        if spec.dimension not in (0, served.dimension):
            found.add(f"{field}.dimension", f"the model {model} has {served.dimension}")
        if spec.fingerprint not in ("", served.fingerprint):
            found.add(f"{field}.fingerprint", "is not that of the model that the service runs")
        return served
    if spec.fingerprint:
        found.add(f"{field}.fingerprint", "is set by the service, for models that it serves")
    if not 1 <= spec.dimension <= MAX_DIMENSION:
        found.add(f"{field}.dimension", f"must be from 1 to {MAX_DIMENSION:,}")
    return EmbeddingSpec(model, "", spec.dimension)


def change_from_proto(found: Violations, request: namespace_service_pb2.UpdateNamespaceRequest) -> NamespaceChange:
    """What to change of a namespace."""
    mode = None
    if request.HasField("extraction_mode"):
        mode = enum_value(found, "extraction_mode", request.extraction_mode, ExtractionMode)
        if request.extraction_mode == 0:
            found.add("extraction_mode", "must be a mode; leave the field out to keep the present one")
    return NamespaceChange(
        extraction_mode=mode,
        time_zone=zone_name(found, "time_zone", request.time_zone) if request.HasField("time_zone") else None,
        description=text(found, "description", request.description, MAX_DESCRIPTION, required=False)
        if request.HasField("description")
        else None,
        profile=profile_from_proto(found, "profile", request.profile) if request.HasField("profile") else None,
        retention=retention_from_proto(found, "retention", request.retention) if request.HasField("retention") else None,
    )


def exported_namespace_from_proto(
    found: Violations, field: str, namespace: namespace_pb2.Namespace
) -> tuple[EmbeddingSpec, ExtractionMode, Generation | None]:
    """What an export's header says of its namespace, besides names and texts."""
    spec = namespace.embedding
    text(found, f"{field}.embedding.model", spec.model, MAX_MODEL)
    text(found, f"{field}.embedding.fingerprint", spec.fingerprint, MAX_MODEL, required=False)
    if not 0 <= spec.dimension <= MAX_DIMENSION or (spec.dimension == 0) != (spec.model == NO_EMBEDDING.model):
        found.add(f"{field}.embedding.dimension", f'must be from 1 to {MAX_DIMENSION:,}, or 0 for the model "none"')
    mode = enum_value(found, f"{field}.extraction_mode", namespace.extraction_mode, ExtractionMode)
    if mode is None:
        found.add(f"{field}.extraction_mode", "is required")
    generation = None
    if namespace.HasField("generation"):
        generation = _generation_from_proto(found, f"{field}.generation", namespace.generation)
    return EmbeddingSpec(spec.model, spec.fingerprint, spec.dimension), mode or ExtractionMode.EVENT, generation


def _generation_from_proto(found: Violations, field: str, generation: namespace_pb2.Generation) -> Generation | None:
    if generation.number < 1:
        found.add(f"{field}.number", "must be at least 1")
    name = text(found, f"{field}.extractor", generation.extractor, MAX_MODEL)
    fingerprint = text(found, f"{field}.fingerprint", generation.fingerprint, MAX_MODEL, required=False)
    mode = enum_value(found, f"{field}.mode", generation.mode, ExtractionMode)
    if mode is None:
        found.add(f"{field}.mode", "is required")
        return None
    started = instant(found, f"{field}.started_at", generation.started_at)
    return Generation(generation.number, ExtractorSpec(name, fingerprint, mode), started)
