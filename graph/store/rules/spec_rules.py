"""Where a namespace's vectors come from."""

from graph.model import EmbeddingSpec


def takes_vectors(spec: EmbeddingSpec) -> bool:
    """Whether the namespace has vectors at all."""
    return spec.dimension > 0


def takes_client_vectors(spec: EmbeddingSpec) -> bool:
    """Whether vectors come with the messages, from a model that only the client has."""
    return spec.dimension > 0 and not spec.fingerprint


def waits_for_vectors(spec: EmbeddingSpec) -> bool:
    """Whether passages wait for vectors that a worker makes."""
    return spec.dimension > 0 and bool(spec.fingerprint)
