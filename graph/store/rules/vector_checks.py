"""What a vector must be like before a store takes it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.errors import InvalidArgument
from graph.model import EmbeddingSpec
from graph.store.port import Float16Vector, PassageVector
from graph.vectors import vector_fault


def checked_vector(vector: NDArray[Any], dimension: int, field: str) -> Float16Vector:
    """The vector as float16.

    Raises:
        InvalidArgument: another dimension, or a number that is not finite.
    """
    narrow = np.asarray(vector, dtype=np.float16)
    if fault := vector_fault(narrow, dimension, zero_allowed=True):
        raise InvalidArgument.of(field, fault)
    return narrow


def accepted_vectors(embedding: EmbeddingSpec, fingerprint: str, vectors: Sequence[PassageVector]) -> list[Float16Vector]:
    """The numbers of vectors that a model of this fingerprint made, for a namespace with these vectors.

    Raises:
        InvalidArgument: the model is not the namespace's, or a vector is not as `checked_vector` wants it.
    """
    if fingerprint != embedding.fingerprint:
        raise InvalidArgument.of("fingerprint", "is not that of the namespace's embedding model")
    return checked_passage_vectors(embedding, vectors)


def checked_passage_vectors(embedding: EmbeddingSpec, vectors: Sequence[PassageVector]) -> list[Float16Vector]:
    """The numbers of the field `vectors` of a request. Raises InvalidArgument as `checked_vector` does."""
    return [checked_vector(item.vector, embedding.dimension, f"vectors[{index}]") for index, item in enumerate(vectors)]


def checked_vectors(vectors: NDArray[Any], field: str) -> Float16Vector:
    """One vector or a matrix of them as float16.

    Raises:
        InvalidArgument: a number is not finite.
    """
    narrow = np.asarray(vectors, dtype=np.float16)
    if not np.isfinite(narrow).all():
        raise InvalidArgument.of(field, "has numbers that are not finite")
    return narrow
