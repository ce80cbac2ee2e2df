"""What could not take part in an answer, and why: the answer is given without it."""

from dataclasses import dataclass
from enum import IntEnum


class DegradationReason(IntEnum):
    """Why something did not take part. The numbers are those of the contract."""

    NO_VECTORS = 1
    VECTOR_NOT_GIVEN = 2
    MODEL_NOT_SERVED = 3
    EMBEDDER_UNAVAILABLE = 4
    NOT_EMBEDDED_YET = 5
    NO_TERMS = 6
    RERANKER_TOO_LATE = 7
    RERANKER_FAILED = 8


@dataclass(frozen=True, slots=True)
class Degradation:
    """One reason, and a sentence for people; `namespace` is the one that it is about, "" when that is the whole answer."""

    reason: DegradationReason
    message: str
    namespace: str = ""

    @classmethod
    def of(cls, reason: DegradationReason, namespace: str = "") -> "Degradation":
        """The degradation with the reason's own sentence."""
        return cls(reason, _MESSAGES[reason], namespace)


_MESSAGES = {
    DegradationReason.NO_VECTORS: "dense: the namespace has no vectors",
    DegradationReason.VECTOR_NOT_GIVEN: "dense: the namespace holds its client's vectors and the request gives none",
    DegradationReason.MODEL_NOT_SERVED: "dense: the model of the namespace's vectors is not served here",
    DegradationReason.EMBEDDER_UNAVAILABLE: "dense: the embedder gives no vectors now",
    DegradationReason.NOT_EMBEDDED_YET: "dense: the namespace has no vectors yet",
    DegradationReason.NO_TERMS: "lexical: the query has no terms",
    DegradationReason.RERANKER_FAILED: "reranker: it failed; the order is that without it",
}
