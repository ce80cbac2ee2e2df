"""BM25+ over the columns of `Candidates`, with the statistics of the whole namespace.

    score(d, q) = sum over terms t of q in d:  idf(t) * (delta + tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)))
    idf(t)      = ln((N + 1) / df(t))

That is BM25+ as Lv and Zhai gave it (Lower-Bounding Term Frequency Normalization, CIKM 2011, equation 14), and `rank_bm25.BM25Plus` but for
one thing: rank_bm25 adds `delta * idf` for terms that the document does not have, too, which is the same for all documents.
"""

import numpy as np
from numpy.typing import NDArray

from graph.store.candidates import Bm25, LexicalStatistics

Float64 = NDArray[np.float64]


def idf(statistics: LexicalStatistics) -> Float64:
    """(t,) inverse document frequencies; 0 for terms that no passage has."""
    frequency = statistics.document_frequency
    values = np.log((statistics.count + 1) / np.maximum(frequency, 1))
    values[frequency == 0] = 0.0
    return np.asarray(np.maximum(values, 0.0), dtype=np.float64)


def bm25(
    counts: NDArray[np.float32] | Float64,
    length: NDArray[np.int32] | Float64,
    weights: Float64,
    mean_length: float | Float64,
    parameters: Bm25,
) -> Float64:
    """(p,) scores of passages from their (p, t) term counts, (p,) lengths and the (t,) idf of the terms.

    Passages of several groups may be scored at once: `mean_length` then is (p,), `weights` (t, g) and the scores (p, g).
    """
    norm = parameters.k1 * (1 - parameters.b + parameters.b * length / np.maximum(mean_length, 1e-9))
    gain = counts * (parameters.k1 + 1) / (counts + norm[:, None])
    if parameters.delta:
        gain = gain + parameters.delta * (counts > 0)
    return np.asarray(gain @ weights, dtype=np.float64)
