"""The summaries of a namespace as a search reads them, kept until one of them changes.

There is one summary for some ten to twenty messages, so all of them are compared with a query: 60,000 of a namespace of a million messages
take some 100 MB and some ten milliseconds.
"""

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph.model import Summary
from graph.store.bm25 import DEFAULT_BM25, gains, idf, length_norm
from graph.store.port import Memory, SearchedSummaries
from graph.text import terms_of

# How many namespaces' summaries are kept.
_KEPT = 64
# Where both are there, the cosine counts for so much of the score and the words in common for the rest.
_DENSE = 0.6


@dataclass(frozen=True, slots=True)
class SummaryIndex:
    """n summaries, their words and their vectors.

    Attributes:
        postings: by term, (m,) int32 rows and (m,) float32 how often it stands there.     lengths: (n,) float32 terms of each.
        vectors: (n, dimension) float32, zero where a summary has none; (n, 0) where none has.
    """

    revision: int
    summaries: tuple[Summary, ...]
    postings: dict[str, tuple[NDArray[np.int32], NDArray[np.float32]]]
    lengths: NDArray[np.float32]
    vectors: NDArray[np.float32]

    def scores(self, terms: tuple[str, ...], vector: NDArray[np.float32] | None) -> NDArray[np.float64]:
        """(n,) how well each fits, 0 to 1: the cosine and BM25 as a part of what a summary with all the terms could have at most.

        Args:
            vector: of the query, of unit length; None where there is none or it is another model's.
        """
        words = self._by_words(terms)
        if vector is None or self.vectors.shape[1] != len(vector):
            return words
        cosines = np.maximum(self.vectors @ vector, 0.0).astype(np.float64)
        return np.asarray(_DENSE * cosines + (1 - _DENSE) * words)

    def _by_words(self, terms: tuple[str, ...]) -> NDArray[np.float64]:
        found = np.zeros(len(self.summaries))
        distinct = [term for term in dict.fromkeys(terms) if term in self.postings]
        if not distinct:
            return found
        count = len(self.summaries)
        rarity = idf(count, np.array([len(self.postings[term][0]) for term in distinct]))
        # A term that no summary has would be the rarest of all: who asks with many such is answered less well.
        most = float(rarity.sum() + (len(set(terms)) - len(distinct)) * np.log(count + 1.0)) * (DEFAULT_BM25.k1 + 1)
        norm = length_norm(self.lengths, self.lengths.mean(), DEFAULT_BM25)
        for term, weight in zip(distinct, rarity.tolist(), strict=True):
            rows, counts = self.postings[term]
            found[rows] += weight * gains(counts[:, None], norm[rows], DEFAULT_BM25)[:, 0]
        return found / most if most else found


class SummaryIndexes:
    """The indexes of the namespaces asked last, by their uid."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, SummaryIndex] = OrderedDict()

    async def of(self, memory: Memory, uid: str) -> SummaryIndex:
        """The summaries of a namespace as they are now."""
        known = self._kept.get(uid)
        found = await memory.searched_summaries(known.revision if known is not None else -1)
        if found is None:
            assert known is not None
        else:
            known = await asyncio.to_thread(_indexed, found)
        self._kept[uid] = known
        self._kept.move_to_end(uid)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return known


def _indexed(found: SearchedSummaries) -> SummaryIndex:
    rows: dict[str, list[int]] = {}
    counts: dict[str, list[int]] = {}
    lengths = np.zeros(len(found.summaries), dtype=np.float32)
    for row, summary in enumerate(found.summaries):
        terms = Counter(terms_of(summary.text))
        lengths[row] = terms.total()
        for term, count in terms.items():
            rows.setdefault(term, []).append(row)
            counts.setdefault(term, []).append(count)
    dimension = len(next(iter(found.vectors.values()), ()))
    vectors = np.zeros((len(found.summaries), dimension), dtype=np.float32)
    for row, summary in enumerate(found.summaries):
        if summary.id in found.vectors:
            vectors[row] = found.vectors[summary.id]
    postings = {term: (np.array(rows[term], np.int32), np.array(counts[term], np.float32)) for term in rows}
    return SummaryIndex(found.revision, found.summaries, postings, lengths, vectors)
