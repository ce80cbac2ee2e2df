"""The postings of a query's terms: exact document frequencies, and the BM25+ of any passage.

    score(passage) = sum over terms of idf * (tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean_length)) + delta)
    idf = ln(1 + (N - df + 0.5) / (df + 0.5))

The idf is Lucene's: never negative, where Robertson's is for terms in more than half of the passages. Lv and Zhai's BM25+ adds delta for
each term that occurs. N, df and the mean length are those of the live passages of the passage's group.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from graph.store.bm25 import Bm25, gains, idf
from graph.store.candidates import LexicalStatistics, StatisticsGroup
from graph.store.search.columns import group_of
from graph.store.search.counting import count_by_search, count_by_table
from graph.store.search.state import IndexState

# Passages of a segment up to which a table of them costs less than searching in its postings.
_TABLE = 131_072


class QueryPostings:
    """The postings of a query's t distinct terms in one state: exact document frequencies, counts in given passages, the best passages."""

    def __init__(self, state: IndexState, terms: NDArray[np.uint64]) -> None:
        self._state = state
        self.terms = len(terms)
        self.slots = [segment.slots(terms) for segment in state.segments]
        self.postings = np.zeros((len(terms), 2), np.int64)
        for _, lengths in self.slots:
            self.postings += lengths
        self.document_frequency = self.postings - self._dead_postings()

    def statistics(self) -> Mapping[StatisticsGroup, LexicalStatistics]:
        """Of the live passages, by group."""
        totals = self._state.totals
        return {
            group: LexicalStatistics(totals.passages[group], totals.mean_length(group), self.document_frequency[:, group].copy())
            for group in StatisticsGroup
        }

    def counts_in(self, passages: NDArray[np.intp]) -> NDArray[np.float32]:
        """How often each term occurs in each of these passages (ascending): (p, t)."""
        result = np.zeros((len(passages), self.terms), np.float32)
        for segment, (starts, lengths) in zip(self._state.segments, self.slots, strict=True):
            low, high = passages.searchsorted((segment.first, segment.end))
            if low < high:
                part, out = passages[low:high], result[low:high]
                if segment.end - segment.first <= _TABLE:
                    count_by_table(segment, starts, lengths, part, out)
                else:
                    count_by_search(segment, starts, lengths, part, out)
        return result

    def scores_of(self, passages: NDArray[np.intp], bm25: Bm25) -> NDArray[np.float32]:
        """BM25+ of these passages (ascending)."""
        counts, groups, norms = self.counts_in(passages), self.groups_of(passages), self.norms(bm25)
        norm = norms[groups, 0] + norms[groups, 1] * self._state.passages.length[passages].astype(np.float32)
        return np.asarray((gains(counts, norm, bm25) * self.idf().T[groups]).sum(axis=1), np.float32)

    def groups_of(self, passages: NDArray[np.intp]) -> NDArray[np.int8]:
        """The StatisticsGroup of each passage."""
        return group_of(self._state.memories.kind[self._state.passages.owner[passages]])

    def idf(self) -> NDArray[np.float32]:
        """The weight of each term in each group, (t, 2)."""
        return idf(np.array(self._state.totals.passages), self.document_frequency).astype(np.float32)

    def norms(self, bm25: Bm25) -> NDArray[np.float32]:
        """By group: the constant and the factor of a passage's length in the denominator."""
        means = [self._state.totals.mean_length(group) or 1.0 for group in StatisticsGroup]
        return np.array([(bm25.k1 * (1 - bm25.b), bm25.k1 * bm25.b / mean) for mean in means], np.float32)

    def _dead_postings(self) -> NDArray[np.int64]:
        """How many of each slot's postings are of dead passages, (t, 2)."""
        result = np.zeros((self.terms, 2), np.int64)
        dead, live = self._state.dead, self._state.passages.live
        if not len(dead):
            return result
        for segment, (starts, lengths) in zip(self._state.segments, self.slots, strict=True):
            within = dead[slice(*dead.searchsorted((segment.first, segment.end)))]
            for term, group in zip(*np.nonzero(lengths if len(within) else lengths[:0]), strict=True):
                passages = segment.passage[starts[term, group] : starts[term, group] + lengths[term, group]]
                if 16 * len(within) < len(passages):
                    index = np.minimum(passages.searchsorted(within), len(passages) - 1)
                    result[term, group] += np.count_nonzero(passages[index] == within)
                else:
                    result[term, group] += len(passages) - np.count_nonzero(live[passages])
        return result
