"""The lexical channel: exact BM25+ over the inverted index, each group of passages with its own statistics.

    score(passage) = sum over terms of idf * (tf * (k1 + 1) / (tf + k1 * (1 - b + b * length / mean_length)) + delta)
    idf = ln(1 + (N - df + 0.5) / (df + 0.5))

The idf is Lucene's: never negative, where Robertson's is for terms in more than half of the passages. Lv and Zhai's BM25+ adds delta for
each term that occurs.
"""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from graph.store.candidates import Bm25, LexicalStatistics, StatisticsGroup
from graph.store.embedded.search.growth import ranges
from graph.store.embedded.search.postings import Segment
from graph.store.embedded.search.state import IndexState

# Terms in fewer passages are scored together, in a few numpy calls however many they are; others one by one, rarest first.
FREQUENT = 16_384
# Passages of a segment up to which a table of them costs less than searching in its postings.
_TABLE = 131_072
_BLOCK = 256


class QueryPostings:
    """The postings of a query's t distinct terms in one state: exact document frequencies, counts in given passages, the best passages."""

    def __init__(self, state: IndexState, terms: NDArray[np.uint64]) -> None:
        self._state = state
        self._terms = len(terms)
        self._slots = [segment.slots(terms) for segment in state.segments]
        self._postings = np.zeros((len(terms), 2), np.int64)
        for _, lengths in self._slots:
            self._postings += lengths
        self.document_frequency = self._postings - self._dead_postings()

    def statistics(self) -> Mapping[StatisticsGroup, LexicalStatistics]:
        """Of the live passages, by group."""
        totals = self._state.totals
        return {
            group: LexicalStatistics(totals.passages[group], totals.mean_length(group), self.document_frequency[:, group].copy())
            for group in StatisticsGroup
        }

    def counts_in(self, passages: NDArray[np.intp]) -> NDArray[np.float32]:
        """How often each term occurs in each of these passages (ascending): (p, t)."""
        result = np.zeros((len(passages), self._terms), np.float32)
        for segment, (starts, lengths) in zip(self._state.segments, self._slots, strict=True):
            low, high = np.searchsorted(passages, (segment.first, segment.end))
            if low < high:
                part, out = passages[low:high], result[low:high]
                if segment.end - segment.first <= _TABLE:
                    _count_by_table(segment, starts, lengths, part, out)
                else:
                    _count_by_search(segment, starts, lengths, part, out)
        return result

    def scores_of(self, passages: NDArray[np.intp], groups: NDArray[np.int8], bm25: Bm25) -> NDArray[np.float32]:
        """BM25+ of these passages (ascending), whose groups are given."""
        return self._score(self.counts_in(passages), passages, groups, bm25)

    def _score(self, counts: NDArray[np.float32], passages: NDArray[np.intp], groups: NDArray[np.int8], bm25: Bm25) -> NDArray[np.float32]:
        weights = self._idf()
        norms = self._norms(bm25)
        norm = norms[groups, 0] + norms[groups, 1] * self._state.passages.length[passages]
        saturated = counts * np.float32(bm25.k1 + 1) / np.maximum(counts + norm[:, None], np.float32(1e-9))
        saturated[counts > 0] += np.float32(bm25.delta)
        return np.asarray((saturated * weights.T[groups]).sum(axis=1), np.float32)

    def best(self, limit: int, bm25: Bm25, allowed: NDArray[np.bool_] | None) -> NDArray[np.intp]:
        """Rows of the `limit` memories with the best passages among those allowed (all live ones: None), by score and then by row."""
        state = self._state
        if limit <= 0 or not self._postings.any():
            return np.empty(0, np.intp)
        if allowed is not None:
            few = np.flatnonzero(allowed)
            if 8 * len(few) <= int(self._postings.sum()):
                scores = self.scores_of(few, self._groups_of(few), bm25)
                hit = scores > 0
                return top_memories(state.passages.owner[few[hit]], scores[hit], limit)
        ranking = _Ranking(self, limit, bm25, allowed)
        return ranking.run()

    def _groups_of(self, passages: NDArray[np.intp]) -> NDArray[np.int8]:
        kinds = self._state.memories.kind[self._state.passages.owner[passages]]
        return (kinds != 2).astype(np.int8)

    def _idf(self) -> NDArray[np.float32]:
        frequency = self.document_frequency
        count = np.array(self._state.totals.passages, np.float64)
        return np.log1p((count - frequency + 0.5) / (frequency + 0.5)).astype(np.float32)

    def _norms(self, bm25: Bm25) -> NDArray[np.float32]:
        """By group: the constant and the factor of a passage's length in the denominator."""
        means = [self._state.totals.mean_length(group) or 1.0 for group in StatisticsGroup]
        return np.array([(bm25.k1 * (1 - bm25.b), bm25.k1 * bm25.b / mean) for mean in means], np.float32)

    def _dead_postings(self) -> NDArray[np.int64]:
        """How many of each slot's postings are of dead passages, (t, 2)."""
        result = np.zeros((self._terms, 2), np.int64)
        dead, live = self._state.dead, self._state.passages.live
        if not len(dead):
            return result
        for segment, (starts, lengths) in zip(self._state.segments, self._slots, strict=True):
            within = dead[slice(*np.searchsorted(dead, (segment.first, segment.end)))]
            for term, group in zip(*np.nonzero(lengths if len(within) else lengths[:0]), strict=True):
                passages = segment.passage[starts[term, group] : starts[term, group] + lengths[term, group]]
                if 16 * len(within) < len(passages):
                    place = np.minimum(np.searchsorted(passages, within), len(passages) - 1)
                    result[term, group] += np.count_nonzero(passages[place] == within)
                else:
                    result[term, group] += len(passages) - np.count_nonzero(live[passages])
        return result


class _Ranking:
    """One pass over the postings, with a score for every passage of the index.

    Terms come rarest first. Once the `limit`-th best memory is sure to beat any passage that has only the remaining terms, these are
    looked up in the passages that can still get there instead of being scored everywhere (the MaxScore rule of Turtle and Flood 1995,
    applied to whole terms). The result is exact.
    """

    def __init__(self, postings: QueryPostings, limit: int, bm25: Bm25, allowed: NDArray[np.bool_] | None) -> None:
        self._postings, self._limit, self._bm25, self._allowed = postings, limit, bm25, allowed
        self._state = postings._state
        self._idf = postings._idf()
        self._norms = postings._norms(bm25)
        size = len(self._state.passages)
        self._scores = np.zeros(-(-size // _BLOCK) * _BLOCK, np.float32)

    def run(self) -> NDArray[np.intp]:
        """The rows of the best memories."""
        total = self._postings._postings.sum(axis=1)
        self._score_together(np.flatnonzero((total > 0) & (total <= FREQUENT)))
        frequent = np.flatnonzero(total > FREQUENT)
        frequent = frequent[np.argsort(total[frequent], kind="stable")]
        bounds = self._idf.max(axis=1) * np.float32(self._bm25.k1 + 1 + self._bm25.delta)
        for done, term in enumerate(frequent):
            remaining = float(bounds[frequent[done:]].sum())
            threshold = self._threshold()
            if threshold > remaining:
                return self._finish(threshold, remaining)
            self._score_alone(int(term))
        return self._finish(self._threshold(), 0.0)

    def _score_together(self, terms: NDArray[np.intp]) -> None:
        for segment, (starts, lengths) in zip(self._state.segments, self._postings._slots, strict=True):
            length = lengths[terms].ravel()
            index = ranges(starts[terms].ravel(), length)
            if len(index):
                group = np.repeat(np.tile(np.arange(2), len(terms)), length)
                idf = np.repeat(self._idf[terms].ravel(), length)
                norm = self._norms[group]
                passages = segment.passage[index].astype(np.intp)
                np.add.at(self._scores, passages, self._contribution(passages, segment.count[index], idf, norm[:, 0], norm[:, 1]))

    def _score_alone(self, term: int) -> None:
        for segment, (starts, lengths) in zip(self._state.segments, self._postings._slots, strict=True):
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
        if len(blocks) < 4 * self._limit:
            return 0.0
        maxima = blocks.max(axis=1)
        # Neighbouring blocks may have their best in passages of one memory; twice as many leave enough memories.
        top = np.sort(np.argpartition(maxima, -2 * self._limit)[-2 * self._limit :])
        passages = top * _BLOCK + blocks[top].argmax(axis=1)
        values = self._scores[passages]
        hit = values > 0
        passages, values = passages[hit], values[hit]
        owners = self._state.passages.owner[passages]
        best = top_memories(owners, values, self._limit)
        if len(best) < self._limit:
            return 0.0
        return (
            float(values[np.isin(owners, best)].min())
            if len(owners) == len(best)
            else float(np.sort(_best_of(owners, values)[1])[-self._limit])
        )

    def _drop_not_allowed(self) -> None:
        if self._allowed is not None:
            self._scores[: len(self._allowed)] *= self._allowed
        elif len(self._state.dead):
            self._scores[self._state.dead] = 0

    def _finish(self, threshold: float, remaining: float) -> NDArray[np.intp]:
        """The best of the passages that may still reach the threshold, with the terms that were not scored everywhere."""
        least = max((threshold - remaining) * (1 - 1e-5), 0.0)
        blocks = self._scores.reshape(-1, _BLOCK)
        chosen = np.flatnonzero(blocks.max(axis=1) >= least) if least else np.arange(len(blocks))
        inside = np.flatnonzero((blocks[chosen] >= least) & (blocks[chosen] > 0))
        passages = chosen[inside // _BLOCK] * _BLOCK + inside % _BLOCK
        if remaining:
            scores = self._postings.scores_of(passages, self._postings._groups_of(passages), self._bm25)
        else:
            scores = self._scores[passages]
        return top_memories(self._state.passages.owner[passages], scores, self._limit)


def _best_of(owners: NDArray[np.int32], values: NDArray[np.float32]) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Each owner once with the best of its values; `owners` ascend."""
    if not len(owners):
        return owners, values
    starts = np.flatnonzero(np.r_[True, owners[1:] != owners[:-1]])
    return owners[starts], np.maximum.reduceat(values, starts)


def top_memories(owners: NDArray[np.int32], values: NDArray[np.float32], limit: int) -> NDArray[np.intp]:
    """The `limit` owners with the best values, of equal ones the earlier rows; `owners` ascend and repeat where a memory has several."""
    rows, best = _best_of(owners, values)
    if len(rows) > limit:
        least = np.partition(best, len(best) - limit)[len(best) - limit]
        kept = np.flatnonzero(best >= least)
        kept = kept[np.argsort(-best[kept], kind="stable")[:limit]]
        rows = rows[kept]
    return rows.astype(np.intp)


def _count_by_table(
    segment: Segment, starts: NDArray[np.int32], lengths: NDArray[np.int32], passages: NDArray[np.intp], out: NDArray[np.float32]
) -> None:
    """Fills counts by marking the wanted passages in a table and reading all postings past it."""
    table = np.full(segment.end - segment.first, -1, np.int32)
    table[passages - segment.first] = np.arange(len(passages), dtype=np.int32)
    length = lengths.ravel()
    index = ranges(starts.ravel(), length)
    term = np.repeat(np.arange(length.size) // 2, length)
    row = table[segment.passage[index] - segment.first]
    hit = row >= 0
    out[row[hit], term[hit]] = segment.count[index[hit]]


def _count_by_search(
    segment: Segment, starts: NDArray[np.int32], lengths: NDArray[np.int32], passages: NDArray[np.intp], out: NDArray[np.float32]
) -> None:
    """Fills counts by searching the shorter of postings and passages in the longer, slot by slot."""
    wanted = passages.astype(np.int32)
    for term, group in zip(*np.nonzero(lengths), strict=True):
        start = int(starts[term, group])
        listed = segment.passage[start : start + int(lengths[term, group])]
        if len(listed) > len(wanted):
            place = np.minimum(np.searchsorted(listed, wanted), len(listed) - 1)
            hit = np.flatnonzero(listed[place] == wanted)
            out[hit, term] = segment.count[start + place[hit]]
        else:
            place = np.minimum(np.searchsorted(wanted, listed), len(wanted) - 1)
            hit = np.flatnonzero(wanted[place] == listed)
            out[place[hit], term] = segment.count[start + hit]
