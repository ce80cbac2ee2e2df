"""BM25+: the one formula by which stores find passages, retrieval ranks memories, and an explanation tells by how much one fell short.

    score(d, q) = sum over terms t of q in d:  idf(t) * (delta + tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)))
    idf(t)      = ln((N + 1) / df(t))

That is BM25+ as Lv and Zhai gave it (Lower-Bounding Term Frequency Normalization, CIKM 2011, equation 14), and `rank_bm25.BM25Plus` but for
one thing: rank_bm25 adds `delta * idf` for terms that the document does not have, too, which is the same for all documents.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bm25:
    """Parameters of BM25+: saturation of the term frequency, length normalization, lower bound."""

    k1: float = 0.9
    b: float = 0.3
    delta: float = 0.0


DEFAULT_BM25 = Bm25()


def idf(count: int | NDArray[Any], document_frequency: NDArray[Any]) -> Float64:
    """Inverse document frequencies among `count` passages, in the shape of `document_frequency`; 0 for terms that no passage has."""
    values = np.log((count + 1.0) / np.maximum(document_frequency, 1))
    return np.asarray(np.where(document_frequency > 0, np.maximum(values, 0.0), 0.0), dtype=np.float64)


def length_norm(length: Any, mean_length: Any, parameters: Bm25) -> Any:
    """What a passage's length adds to the term frequency in the denominator, by passage."""
    return parameters.k1 * (1 - parameters.b + parameters.b * length / np.maximum(mean_length, 1e-9))


def gains(counts: NDArray[Any], norm: NDArray[Any], parameters: Bm25) -> NDArray[Any]:
    """(p, t) what each term adds to each passage, before its idf, from (p, t) term counts and (p,) length norms; of the counts' dtype
    if `norm` has it, too."""
    # The floor only matters where a term does not occur and k1 is 0.
    floor = counts.dtype.type(1e-9)
    gain = counts * counts.dtype.type(parameters.k1 + 1) / np.maximum(counts + norm[:, None], floor)
    if parameters.delta:
        gain += counts.dtype.type(parameters.delta) * (counts > 0)
    return np.asarray(gain)
