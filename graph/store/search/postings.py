"""The inverted index: sorted term hashes to postings, in segments that cover consecutive passages and are merged geometrically."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph.store.search.growth import ranges

# Segments below this many passages are always merged into the next; above, as in `runs`.
SMALL_SEGMENT = 1024
RATIO = 3
# Postings of a segment, 5 bytes each, beyond which it is not merged: merging takes memory besides that grows with what is merged. Some
# 200,000 short messages (estimated from 15 terms a passage) stay in one segment.
MOST_POSTINGS = 8_000_000


@dataclass(frozen=True, slots=True)
class Segment:
    """Postings of the passages from `first` to `end`.

    Slot 2i + g holds the postings of `terms[i]` in passages of StatisticsGroup g, ascending; `offsets` has one entry a slot and the end. So
    the length of a slot is a document frequency, dead passages included.
    """

    first: int
    end: int
    terms: NDArray[np.uint64]
    offsets: NDArray[np.int32]
    passage: NDArray[np.int32]
    count: NDArray[np.uint8]

    def slots(self, terms: NDArray[np.uint64]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """Start and length of the slots of t terms in both groups, (t, 2) each; length 0 for a term that is not here."""
        starts = np.zeros((len(terms), 2), np.int32)
        lengths = np.zeros((len(terms), 2), np.int32)
        if len(self.terms):
            index = self.terms.searchsorted(terms)
            index[index == len(self.terms)] = 0
            known = np.flatnonzero(self.terms[index] == terms)
            slot = 2 * index[known]
            for group in (0, 1):
                starts[known, group] = self.offsets[slot + group]
                lengths[known, group] = self.offsets[slot + group + 1] - starts[known, group]
        return starts, lengths

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return self.terms.nbytes + self.offsets.nbytes + self.passage.nbytes + self.count.nbytes


def build(
    first: int, end: int, hashes: NDArray[np.uint64], passage: NDArray[np.int32], count: NDArray[np.uint8], group: NDArray[np.int8]
) -> Segment:
    """A segment of postings that come passage by passage; `group` is each posting's passage's."""
    terms, index = np.unique(hashes, return_inverse=True)
    slot = 2 * index.astype(np.int64) + group
    order = np.argsort(slot, kind="stable")
    return Segment(first, end, terms, _offsets(np.bincount(slot, minlength=2 * len(terms))), passage[order], count[order])


def with_segment(segments: tuple[Segment, ...], new: Segment) -> tuple[Segment, ...]:
    """The segments with a new one at the end, merged where the last ones are not much larger than what follows them."""
    merged, kept = [new], len(segments)
    size, postings = new.end - new.first, len(new.passage)
    while kept:
        before = segments[kept - 1].end - segments[kept - 1].first
        postings += len(segments[kept - 1].passage)
        if (before >= RATIO * size and before + size > SMALL_SEGMENT) or postings > MOST_POSTINGS:
            break
        kept -= 1
        merged.insert(0, segments[kept])
        size += before
    return (*segments[:kept], merge(merged))


def merge(segments: Sequence[Segment]) -> Segment:
    """One segment of several that follow each other."""
    if len(segments) == 1:
        return segments[0]
    terms = np.unique(np.concatenate([segment.terms for segment in segments]))
    slots = [_slots_in(terms, segment) for segment in segments]
    lengths = [np.diff(segment.offsets) for segment in segments]
    total = np.zeros(2 * len(terms), np.int32)
    for slot, length in zip(slots, lengths, strict=True):
        total[slot] += length
    offsets = _offsets(total)
    passage = np.empty(offsets[-1], np.int32)
    count = np.empty(offsets[-1], np.uint8)
    free = offsets[:-1].copy()
    for segment, slot, length in zip(segments, slots, lengths, strict=True):
        # Where posting j of the segment goes: j moved by how far its slot moves.
        target = np.repeat(free[slot] - segment.offsets[:-1], length)
        target += np.arange(len(target), dtype=np.int32)
        passage[target] = segment.passage
        count[target] = segment.count
        free[slot] += length
    return Segment(segments[0].first, segments[-1].end, terms, offsets, passage, count)


def compacted(segments: tuple[Segment, ...], number: NDArray[np.int32]) -> tuple[Segment, ...]:
    """The segments with passages renumbered; those whose new number is -1 are dropped."""
    ends = np.r_[0, np.cumsum(number >= 0)]
    result: tuple[Segment, ...] = ()
    for segment in segments:
        first, end = int(ends[segment.first]), int(ends[segment.end])
        if first < end:
            result = with_segment(result, _renumbered(segment, number, first, end))
    return result


def _renumbered(segment: Segment, number: NDArray[np.int32], first: int, end: int) -> Segment:
    renumbered = number[segment.passage]
    kept = renumbered >= 0
    slot = np.repeat(np.arange(len(segment.offsets) - 1), np.diff(segment.offsets))[kept]
    length = np.bincount(slot, minlength=len(segment.offsets) - 1).reshape(-1, 2)
    used = length.any(axis=1)
    return Segment(first, end, segment.terms[used], _offsets(length[used].ravel()), renumbered[kept], segment.count[kept])


def _offsets(lengths: NDArray[np.integer]) -> NDArray[np.int32]:
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    return offsets


def _slots_in(terms: NDArray[np.uint64], segment: Segment) -> NDArray[np.intp]:
    index = 2 * terms.searchsorted(segment.terms)
    return ranges(index, np.full(len(index), 2))
