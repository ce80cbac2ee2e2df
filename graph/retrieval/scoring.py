"""BM25+ over the columns of `Candidates`, with the statistics of the whole namespace.

    score(d, q) = sum over terms t of q in d:  idf(t) * (delta + tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean length)))
    idf(t)      = ln((N + 1) / df(t))

That is BM25+ as Lv and Zhai gave it (Lower-Bounding Term Frequency Normalization, CIKM 2011, equation 14), and `rank_bm25.BM25Plus` but for
one thing: rank_bm25 adds `delta * idf` for terms that the document does not have, too, which is the same for all documents.
"""

import numpy as np
from numpy.typing import NDArray

from graph.store.candidates import Bm25, Candidates, LexicalStatistics, StatisticsGroup

Float64 = NDArray[np.float64]


def idf(statistics: LexicalStatistics) -> Float64:
    """(t,) inverse document frequencies; 0 for terms that no passage has."""
    frequency = statistics.document_frequency.astype(np.float64)
    with np.errstate(divide="ignore"):
        values = np.log((statistics.count + 1) / frequency)
    return np.where(frequency > 0, np.maximum(values, 0.0), 0.0)


def bm25(
    counts: NDArray[np.float32] | Float64, length: NDArray[np.int32] | Float64, weights: Float64, mean_length: float, parameters: Bm25
) -> Float64:
    """(p,) scores of passages from their (p, t) term counts, (p,) lengths and the (t,) idf of the terms."""
    if counts.shape[1] == 0 or len(counts) == 0:
        return np.zeros(len(counts))
    norm = parameters.k1 * (1 - parameters.b + parameters.b * length / max(mean_length, 1e-9))
    gain = counts * (parameters.k1 + 1) / (counts + norm[:, None])
    if parameters.delta:
        gain = gain + parameters.delta * (counts > 0)
    return np.asarray(gain @ weights, dtype=np.float64)


def passage_scores(candidates: Candidates, is_statement: NDArray[np.bool_], parameters: Bm25) -> Float64:
    """(p,) BM25+ of every passage, each with the statistics of its group. `is_statement` is by row."""
    of_statement = is_statement[candidates.passage_row]
    scores = np.zeros(len(candidates.passage_row))
    for group, mask in ((StatisticsGroup.MESSAGES, ~of_statement), (StatisticsGroup.STATEMENTS, of_statement)):
        if mask.any():
            statistics = candidates.statistics[group]
            scores[mask] = bm25(candidates.term_counts[mask], candidates.length[mask], idf(statistics), statistics.mean_length, parameters)
    return scores


def best_of_rows(values: Float64, passage_row: NDArray[np.int32], rows: int) -> Float64:
    """(n,) the best passage's value of every row; 0 for rows without a passage. `passage_row` ascends."""
    best = np.zeros(rows)
    if len(values):
        starts = np.flatnonzero(np.r_[True, passage_row[1:] != passage_row[:-1]])
        best[passage_row[starts]] = np.maximum.reduceat(values, starts)
    return best


def sum_of_rows(values: NDArray[np.float32], passage_row: NDArray[np.int32], rows: int) -> NDArray[np.float32]:
    """(n, t) the sums of the passages' (p, t) values by row."""
    sums = np.zeros((rows, values.shape[1]), dtype=np.float32)
    if len(values):
        starts = np.flatnonzero(np.r_[True, passage_row[1:] != passage_row[:-1]])
        sums[passage_row[starts]] = np.add.reduceat(values, starts, axis=0)
    return sums
