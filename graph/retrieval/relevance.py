"""How relevant a memory is to the query: a probability, from measures that mean the same in every answer.

The score of a hit orders one answer: its channels are scaled by the query's own best, so that the best of nothing looks like the best of
everything. Relevance is computed from what was measured before any scaling: the cosine itself, and how much of what the query asks for
(its terms, weighed by how rare they are) the memory holds.
"""

import numpy as np

from graph.retrieval.measures import Measures
from graph.retrieval.scoring import Float64
from graph.store.candidates import Candidates, StatisticsGroup

_CONSTANT, _COSINE, _COVERED = -6.0, 8.0, 4.0


def relevance(candidates: Candidates, measures: Measures) -> Float64:
    """(n,) how relevant each candidate is, 0 to 1."""
    logit = _CONSTANT + _COSINE * measures.dense + _COVERED * _covered(candidates)
    return np.asarray(1 / (1 + np.exp(-logit)), dtype=np.float64)


def _covered(candidates: Candidates) -> Float64:
    """(n,) the share of the query's terms, weighed by their rarity, that the memory's best passage holds."""
    statistics = candidates.statistics.get(StatisticsGroup.MESSAGES)
    if statistics is None or not candidates.term_counts.shape[1]:
        return np.zeros(len(candidates))
    rarity = np.log((statistics.count + 1) / np.maximum(statistics.document_frequency, 0.5))
    held = (candidates.term_counts > 0) @ (rarity / max(float(rarity.sum()), 1e-9))
    covered = np.zeros(len(candidates))
    np.maximum.at(covered, candidates.passage_row, held)
    return covered
