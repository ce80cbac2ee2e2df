"""BM25+ over the columns of `Candidates`, with the statistics of the whole namespace; `graph.store.bm25` has the formula."""

import numpy as np
from numpy.typing import NDArray

from graph.store import bm25 as formula
from graph.store.bm25 import Bm25
from graph.store.candidates import LexicalStatistics

Float64 = NDArray[np.float64]


def idf(statistics: LexicalStatistics) -> Float64:
    """(t,) inverse document frequencies; 0 for terms that no passage has."""
    return formula.idf(statistics.count, statistics.document_frequency)


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
    norm = formula.length_norm(length, mean_length, parameters)
    return np.asarray(formula.gains(counts, norm, parameters) @ weights, dtype=np.float64)
