"""The summaries of a namespace as a search reads them, kept until one of them changes.

There is one summary for some ten to twenty messages, so all of them are compared with a query. 60,000, of a namespace of
a million messages, take 190 MB with vectors of 384 dimensions (tracemalloc), 40 ms a query and 10 s to make anew once one has changed.
"""

import asyncio
from array import array
from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from weakref import WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from graph.model import Summary
from graph.retrieval.answer import Contribution
from graph.store.bm25 import DEFAULT_BM25, gains, idf, length_norm
from graph.store.port import Memory, SearchedSummaries
from graph.text import terms_of

# So many bytes are kept of all namespaces together; of the one asked last all is kept, whatever it takes.
_KEPT_BYTES = 256 * 2**20
# What a summary and a term take beside their arrays and hashes, as tracemalloc counts it.
_SUMMARY_BYTES, _TERM_BYTES = 1_050, 240
# Where both are there, the cosine counts for so much of the score and the words in common for the rest.
_DENSE = 0.6
# Vectors that are compared at once: 6 MB as float32, where they are of 384 dimensions.
_BLOCK = 4_096


@dataclass(frozen=True, slots=True)
class SummaryScores:
    """How well each of n summaries fits a query.

    Attributes:
        cosines: (n,) of their vectors with the query's; None where these cannot be compared.
        bm25: (n,) of the words in common.     most_bm25: what a summary with all the query's terms could have, above 0.
    """

    cosines: NDArray[np.float64] | None
    bm25: NDArray[np.float64]
    most_bm25: float

    def total(self) -> NDArray[np.float64]:
        """(n,) the scores, 0 to 1."""
        words = self.bm25 / self.most_bm25
        return words if self.cosines is None else np.asarray(_DENSE * np.maximum(self.cosines, 0.0) + (1 - _DENSE) * words)

    def contributions(self, row: int) -> tuple[Contribution, ...]:
        """What made the score of a summary: "dense" and "lexical", without what added nothing. The points sum to the score exactly."""
        bm25 = float(self.bm25[row])
        parts = [_contribution("lexical", bm25, bm25 / self.most_bm25, 1.0 if self.cosines is None else 1 - _DENSE)]
        if self.cosines is not None:
            cosine = float(self.cosines[row])
            parts.insert(0, _contribution("dense", cosine, max(cosine, 0.0), _DENSE))
        return tuple(part for part in parts if part.value)


def _contribution(signal: str, raw: float, value: float, weight: float) -> Contribution:
    return Contribution(signal, raw, value, weight, weight * value)


@dataclass(frozen=True, slots=True)
class SummaryIndex:
    """n summaries, their words and their vectors.

    Attributes:
        summaries: without what they say, what they rest on and whom they name.
        told: for each the hashes of its sentences' texts, so that those which say the same are found.
        places: by term where its postings begin and end in `rows` and `counts`.
        rows: int32, the summaries that have a term.     counts: float32, how often it stands there.
        lengths: (n,) float32 terms of each.
        vectors: (n, dimension) float16, zero where a summary has none; (n, 0) where none has.
    """

    revision: int
    summaries: tuple[Summary, ...]
    told: tuple[tuple[int, ...], ...]
    places: Mapping[str, tuple[int, int]]
    rows: NDArray[np.int32]
    counts: NDArray[np.float32]
    lengths: NDArray[np.float32]
    vectors: NDArray[np.float16]

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        arrays = sum(each.nbytes for each in (self.rows, self.counts, self.lengths, self.vectors))
        return arrays + _SUMMARY_BYTES * len(self.summaries) + _TERM_BYTES * len(self.places)

    def scores(self, terms: tuple[str, ...], vector: NDArray[np.float32] | None) -> SummaryScores:
        """How well each fits the query: its cosine, and BM25 as a part of what a summary with all the terms could have at most.

        Args:
            vector: of the query, of unit length; None where there is none or it is another model's.
        """
        bm25, most = self._bm25(terms)
        if vector is None or self.vectors.shape[1] != len(vector):
            return SummaryScores(None, bm25, most)
        cosines = np.zeros(len(self.summaries))
        for start in range(0, len(self.summaries), _BLOCK):
            cosines[start : start + _BLOCK] = self.vectors[start : start + _BLOCK].astype(np.float32) @ vector
        return SummaryScores(cosines, bm25, most)

    def _bm25(self, terms: tuple[str, ...]) -> tuple[NDArray[np.float64], float]:
        """(n,) BM25 of each, and the most that it could be."""
        found = np.zeros(len(self.summaries))
        distinct = [term for term in dict.fromkeys(terms) if term in self.places]
        if not distinct:
            return found, 1.0
        count = len(self.summaries)
        rarity = idf(count, np.array([end - start for start, end in (self.places[term] for term in distinct)]))
        # A term that no summary has would be the rarest of all: who asks with many such is answered less well.
        most = float(rarity.sum() + (len(set(terms)) - len(distinct)) * np.log(count + 1.0)) * (DEFAULT_BM25.k1 + 1)
        norm = length_norm(self.lengths, self.lengths.mean(), DEFAULT_BM25)
        for term, weight in zip(distinct, rarity.tolist(), strict=True):
            start, end = self.places[term]
            rows, counts = self.rows[start:end], self.counts[start:end]
            found[rows] += weight * gains(counts[:, None], norm[rows], DEFAULT_BM25)[:, 0]
        return found, most or 1.0


class SummaryIndexes:
    """The indexes of the namespaces asked last, by their uid."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, SummaryIndex] = OrderedDict()
        self._looks: WeakValueDictionary[str, _Looks] = WeakValueDictionary()

    async def of(self, memory: Memory, uid: str) -> SummaryIndex:
        """The summaries of a namespace as they are now.

        One of those who ask at the same time looks, and those who wait meanwhile share the next look: it begins after they asked.
        """
        looks = self._looks.setdefault(uid, _Looks())
        asked_after = looks.begun
        async with looks.lock:
            known = self._kept.get(uid)
            if known is None or looks.done <= asked_after:
                looks.begun += 1
                known = await self._looked(memory, known)
                looks.done = looks.begun
                self._keep(uid, known)
            return known

    async def _looked(self, memory: Memory, known: SummaryIndex | None) -> SummaryIndex:
        found = await memory.searched_summaries(known.revision if known is not None else -1)
        if found is None:
            assert known is not None
            return known
        return await asyncio.to_thread(_indexed, found)

    def _keep(self, uid: str, index: SummaryIndex) -> None:
        self._kept[uid] = index
        self._kept.move_to_end(uid)
        size = sum(each.size for each in self._kept.values())
        while size > _KEPT_BYTES and len(self._kept) > 1:
            size -= self._kept.popitem(last=False)[1].size


class _Looks:
    """Looks at the summaries of a namespace, one at a time: how many began, and the last one that ended well."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.begun = 0
        self.done = 0


def _indexed(found: SearchedSummaries) -> SummaryIndex:
    # By term the rows and counts of its summaries, in turns.
    postings: dict[str, array[int]] = {}
    lengths = np.zeros(len(found.summaries), dtype=np.float32)
    for row, summary in enumerate(found.summaries):
        terms = Counter(terms_of(summary.text))
        lengths[row] = terms.total()
        for term, count in terms.items():
            if term not in postings:
                postings[term] = array("i")
            postings[term].extend((row, count))
    dimension = len(next(iter(found.vectors.values()), ()))
    vectors = np.zeros((len(found.summaries), dimension), dtype=np.float16)
    for row, summary in enumerate(found.summaries):
        if summary.id in found.vectors:
            vectors[row] = found.vectors[summary.id]
    ends = np.cumsum([0, *(len(one) // 2 for one in postings.values())]).tolist()
    pairs = np.frombuffer(b"".join(postings.values()), dtype=np.int32).reshape(-1, 2)
    return SummaryIndex(
        found.revision,
        tuple(replace(one, title="", sentences=(), member_ids=(), names=(), seeds=(), calls=()) for one in found.summaries),
        tuple(tuple({hash(sentence.text) for sentence in one.sentences}) for one in found.summaries),
        dict(zip(postings, pairwise(ends), strict=True)),
        pairs[:, 0].copy(),
        pairs[:, 1].astype(np.float32),
        lengths,
        vectors,
    )
