"""The terms of a very long query that tell most: those that the namespace has, the rarest of them."""

from collections.abc import Sequence

import numpy as np

from graph.model import MemoryFilter
from graph.store.candidates import CandidateQuery
from graph.store.port import Memory


async def rarest_terms(memory: Memory, terms: Sequence[str], limit: int) -> tuple[str, ...]:
    """At most `limit` of the terms, in their order: those in fewest passages, without those in none. One call for statistics alone."""
    nothing = CandidateQuery(tuple(terms), None, MemoryFilter(), lexical_limit=0, dense_limit=0, temporal_limit=0, neighbours=0)
    statistics = (await memory.candidates(nothing)).statistics
    frequency = sum((group.document_frequency for group in statistics.values()), np.zeros(len(terms), dtype=np.int64))
    known = np.flatnonzero(frequency > 0)
    kept = np.sort(known[np.argsort(frequency[known], kind="stable")[:limit]])
    return tuple(terms[index] for index in kept.tolist())
