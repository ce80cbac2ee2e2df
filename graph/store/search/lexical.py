"""The lexical channel: the memories with the best BM25+, over a whole inverted index or the few passages that a filter leaves."""

import numpy as np
from numpy.typing import NDArray

from graph.store.bm25 import Bm25
from graph.store.search.growth import ranges
from graph.store.search.query_postings import QueryPostings
from graph.store.search.ranking import best_of, top_memories
from graph.store.search.state import IndexState

# Terms in fewer passages are scored together, in a few numpy calls however many they are; others one by one, rarest first.
FREQUENT = 16_384
# Passages whose best score is looked at before each of them is.
_BLOCK = 256
# No score that is not zero is smaller.
_SMALLEST = float(np.finfo(np.float32).tiny)
# Measuring a passage by itself costs about as much as scoring so many postings; it is done where that comes out cheaper.
_POSTINGS_PER_PASSAGE = 16


def best_matches(state: IndexState, postings: QueryPostings, limit: int, bm25: Bm25, allowed: NDArray[np.bool_] | None) -> NDArray[np.intp]:
    """Rows of the `limit` memories with the best passages among those allowed (all live ones: None), ties to the earlier row."""
    total = int(postings.postings.sum())
    if limit <= 0 or not total:
        return np.empty(0, np.intp)
    if allowed is not None:
        few = allowed.nonzero()[0]
        if _POSTINGS_PER_PASSAGE * len(few) <= total:
            scores = postings.scores_of(few, bm25)
            hit = scores > 0
            return top_memories(state.passages.owner[few[hit]], scores[hit], limit)
    return _Ranking(state, postings, limit, bm25, allowed).run()


class _Ranking:
    """One pass over the postings, with a score for every passage of the index.

    Terms come rarest first. Once the `limit`-th best memory is sure to beat any passage that has only the remaining terms, these are
    looked up in the passages that can still get there instead of being scored everywhere (the MaxScore rule of Turtle and Flood 1995,
    applied to whole terms). The result is exact.
    """

    def __init__(self, state: IndexState, postings: QueryPostings, limit: int, bm25: Bm25, allowed: NDArray[np.bool_] | None) -> None:
        self._postings, self._limit, self._bm25, self._allowed = postings, limit, bm25, allowed
        self._state = state
        self._idf = postings.idf()
        self._norms = postings.norms(bm25)
        size = len(self._state.passages)
        self._scores = np.zeros(-(-size // _BLOCK) * _BLOCK, np.float32)
        self._maxima: NDArray[np.float32] = np.empty(0, np.float32)

    def run(self) -> NDArray[np.intp]:
        """The rows of the best memories."""
        total = self._postings.postings.sum(axis=1)
        self._score_together(np.flatnonzero((total > 0) & (total <= FREQUENT)))
        frequent = np.flatnonzero(total > FREQUENT)
        frequent = frequent[np.argsort(total[frequent], kind="stable")]
        bounds = self._idf.max(axis=1) * np.float32(self._bm25.k1 + 1 + self._bm25.delta)
        for done, term in enumerate(frequent):
            remaining = float(bounds[frequent[done:]].sum())
            threshold = self._threshold()
            if threshold > remaining:
                passages = self._reaching(threshold, remaining)
                if _POSTINGS_PER_PASSAGE * len(passages) <= int(total[frequent[done:]].sum()):
                    return self._best(passages, self._postings.scores_of(passages, self._bm25))
            self._score_alone(int(term))
        passages = self._reaching(self._threshold(), 0.0)
        return self._best(passages, self._scores[passages])

    def _score_together(self, terms: NDArray[np.intp]) -> None:
        for segment, (starts, lengths) in zip(self._state.segments, self._postings.slots, strict=True):
            length = lengths[terms].ravel()
            index = ranges(starts[terms].ravel(), length)
            if len(index):
                group = np.repeat(np.tile(np.arange(2), len(terms)), length)
                idf = np.repeat(self._idf[terms].ravel(), length)
                norm = self._norms[group]
                passages = segment.passage[index].astype(np.intp)
                np.add.at(self._scores, passages, self._contribution(passages, segment.count[index], idf, norm[:, 0], norm[:, 1]))

    def _score_alone(self, term: int) -> None:
        for segment, (starts, lengths) in zip(self._state.segments, self._postings.slots, strict=True):
            for group in np.flatnonzero(lengths[term]):
                start = starts[term, group]
                part = slice(start, start + lengths[term, group])
                passages = segment.passage[part]
                # Passages of one slot are distinct, so that a plain gather and scatter will do.
                self._scores[passages] += self._contribution(passages, segment.count[part], self._idf[term, group], *self._norms[group])

    def _contribution(
        self,
        passages: NDArray[np.integer],
        counts: NDArray[np.uint8],
        idf: NDArray[np.float32] | np.float32,
        constant: NDArray[np.float32] | np.float32,
        factor: NDArray[np.float32] | np.float32,
    ) -> NDArray[np.float32]:
        frequency = counts.astype(np.float32)
        norm = self._state.passages.length[passages].astype(np.float32)
        norm *= factor
        norm += constant
        norm += frequency
        frequency *= np.float32(self._bm25.k1 + 1)
        frequency /= norm
        if self._bm25.delta:
            frequency += np.float32(self._bm25.delta)
        frequency *= idf
        return frequency

    def _threshold(self) -> float:
        """A score that at least `limit` allowed memories have reached; 0 when that is not known."""
        self._drop_not_allowed()
        blocks = self._scores.reshape(-1, _BLOCK)
        self._maxima = blocks.max(axis=1)
        if len(blocks) < 4 * self._limit:
            return 0.0
        # Neighbouring blocks may have their best in passages of one memory; twice as many leave enough memories.
        top = np.sort(np.argpartition(self._maxima, -2 * self._limit)[-2 * self._limit :])
        passages = top * _BLOCK + blocks[top].argmax(axis=1)
        values = self._scores[passages]
        hit = values > 0
        passages, values = passages[hit], values[hit]
        _, best = best_of(self._state.passages.owner[passages], values)
        return float(np.sort(best)[-self._limit]) if len(best) >= self._limit else 0.0

    def _drop_not_allowed(self) -> None:
        if self._allowed is not None:
            self._scores[: len(self._allowed)] *= self._allowed
        elif len(self._state.dead):
            self._scores[self._state.dead] = 0

    def _reaching(self, threshold: float, remaining: float) -> NDArray[np.intp]:
        """Passages that reach the threshold with what remains; ascending. Called after `_threshold`, which looked at the blocks."""
        # Sums in single precision may be off by some millionths.
        least = max(threshold * (1 - 1e-5) - remaining, 0.0)
        blocks = self._scores.reshape(-1, _BLOCK)
        least = max(least, _SMALLEST)
        chosen = (self._maxima >= least).nonzero()[0]
        inside = (blocks[chosen] >= least).ravel().nonzero()[0]
        return chosen[inside // _BLOCK] * _BLOCK + inside % _BLOCK

    def _best(self, passages: NDArray[np.intp], scores: NDArray[np.float32]) -> NDArray[np.intp]:
        return top_memories(self._state.passages.owner[passages], scores, self._limit)
