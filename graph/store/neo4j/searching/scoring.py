"""BM25+ and cosines of passages that Neo4j's indexes proposed: the numbers by which the search index of small namespaces ranks, too."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from graph.store.bm25 import Bm25, gains, idf, length_norm
from graph.store.candidates import LexicalStatistics, StatisticsGroup
from graph.store.search.half_precision import dots


def term_counts(terms: NDArray[np.uint64], hashes: Sequence[bytes], counts: Sequence[bytes]) -> NDArray[np.float32]:
    """How often each of t terms occurs in each of p passages, (p, t), from the hashes and counts of the passages' terms."""
    found = np.zeros((len(hashes), len(terms)), np.float32)
    if not len(terms) or not len(hashes):
        return found
    stored = np.frombuffer(b"".join(hashes), "<u8")
    numbers = np.frombuffer(b"".join(counts), np.uint8)
    passages = np.repeat(np.arange(len(hashes)), [len(blob) // 8 for blob in hashes])
    order = np.argsort(terms)
    index = np.minimum(terms[order].searchsorted(stored), len(terms) - 1)
    hit = np.flatnonzero(terms[order][index] == stored)
    found[passages[hit], order[index[hit]]] = numbers[hit]
    return found


def idf_by_group(statistics: Mapping[StatisticsGroup, LexicalStatistics]) -> NDArray[np.float32]:
    """The weight of each term in each group, (t, 2)."""
    columns = [idf(statistics[group].count, statistics[group].document_frequency) for group in StatisticsGroup]
    return np.stack(columns, axis=1).astype(np.float32)


def bm25_scores(
    counts: NDArray[np.float32],
    lengths: NDArray[np.int32],
    groups: NDArray[np.int8],
    statistics: Mapping[StatisticsGroup, LexicalStatistics],
    bm25: Bm25,
) -> NDArray[np.float32]:
    """BM25+ of p passages with these counts, (p, t), lengths and groups."""
    means = np.array([statistics[group].mean_length or 1.0 for group in StatisticsGroup])
    norm = length_norm(lengths, means[groups], bm25).astype(np.float32)
    return np.asarray((gains(counts, norm, bm25) * idf_by_group(statistics).T[groups]).sum(axis=1), np.float32)


def cosines(vectors: Sequence[bytes | None], query: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """The cosine of each stored vector with the query's; NaN where either is missing."""
    found = np.full(len(vectors), np.nan, np.float32)
    if query is None:
        return found
    there = [index for index, blob in enumerate(vectors) if blob]
    if there:
        matrix = np.frombuffer(b"".join([blob for blob in vectors if blob]), "<f2").reshape(len(there), len(query))
        found[there] = dots(matrix, np.ascontiguousarray(query, np.float32))
    return found
