"""The sign bits of vectors: one bit a dimension after subtracting a mean, scanned by Hamming distance.

The order of Hamming distances follows that of angles closely enough that the best of a scan, rescored with the vectors themselves, hold
nearly all true neighbours (see docs/search-index.md for what was measured). 48 bytes a passage at 384 dimensions.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# The mean is that of the first vectors and then frozen: a later one would change the bits of vectors that are no longer in memory.
MEAN_SAMPLE = 256
# Rows scanned at once: the work arrays stay in the cache of a core (measured: 8,192 to 32,768 are alike, 4,096 and below slower).
_BLOCK = 16_384


@dataclass(frozen=True, slots=True)
class SignBits:
    """Bits of passages: `words` is (w, capacity) uint64, a row a word of 64 dimensions; `mean` is (dimension,) float32.

    Written in place where a vector arrives: a search reads a passage's bits only when its `embedded` flag is set, which comes after them.
    """

    words: NDArray[np.uint64]
    mean: NDArray[np.float32]

    @classmethod
    def empty(cls, mean: NDArray[np.float32], capacity: int) -> "SignBits":
        """No bits yet."""
        return cls(np.zeros((-(-len(mean) // 64), capacity), np.uint64), mean)

    def with_capacity(self, capacity: int) -> "SignBits":
        """With room for this many passages."""
        if capacity <= self.words.shape[1]:
            return self
        words = np.zeros((len(self.words), max(capacity, self.words.shape[1] * 3 // 2)), np.uint64)
        words[:, : self.words.shape[1]] = self.words
        return SignBits(words, self.mean)

    def write(self, passages: NDArray[np.intp], vectors: NDArray[np.floating]) -> None:
        """Stores the bits of these passages' vectors."""
        self.words[:, passages] = _packed(vectors, self.mean)

    def distances(self, query: NDArray[np.float32], count: int) -> NDArray[np.uint16]:
        """Hamming distance of the query's bits to those of each of the first `count` passages."""
        bits = _packed(query[None, :], self.mean)[:, 0]
        result = np.empty(count, np.uint16)
        _scan(self.words, bits, result)
        return result

    def distances_of(self, query: NDArray[np.float32], passages: NDArray[np.intp]) -> NDArray[np.uint16]:
        """The same for some passages."""
        bits = _packed(query[None, :], self.mean)[:, 0]
        result = np.zeros(len(passages), np.uint16)
        for row, word in zip(self.words, bits, strict=True):
            result += np.bitwise_count(row[passages] ^ word)
        return result


def _packed(vectors: NDArray[np.floating], mean: NDArray[np.float32]) -> NDArray[np.uint64]:
    """(n, dimension) vectors as (w, n) words; dimensions that are lacking in the last word are 0."""
    signs = vectors > mean
    packed = np.packbits(signs, axis=1)
    padded = np.zeros((len(vectors), -(-packed.shape[1] // 8) * 8), np.uint8)
    padded[:, : packed.shape[1]] = packed
    return np.ascontiguousarray(padded.view(np.uint64).T)


def _scan(words: NDArray[np.uint64], bits: NDArray[np.uint64], result: NDArray[np.uint16]) -> None:
    difference = np.empty(_BLOCK, np.uint64)
    ones = np.empty(_BLOCK, np.uint8)
    for start in range(0, len(result), _BLOCK):
        out = result[start : start + _BLOCK]
        block, counted = difference[: len(out)], ones[: len(out)]
        out[:] = 0
        for row, word in zip(words, bits, strict=True):
            np.bitwise_xor(row[start : start + len(out)], word, out=block)
            np.bitwise_count(block, out=counted)
            np.add(out, counted, out=out)


def nearest(distances: NDArray[np.uint16], count: int, allowed: NDArray[np.bool_] | None) -> NDArray[np.intp]:
    """Indexes of at least `count` smallest distances among those allowed, with all ties of the last; all of them when there are fewer."""
    if allowed is not None:
        distances = np.where(allowed, distances, np.uint16(0xFFFF))
    limit = _limit(distances, count) if len(distances) > count else 0xFFFE
    return np.flatnonzero(distances <= min(limit, 0xFFFE))


def _limit(distances: NDArray[np.uint16], count: int) -> int:
    """A distance within which at least `count` lie, and not many more: the exact one when they are few, found from a sample otherwise."""
    if len(distances) <= 65_536:
        return int(np.partition(distances, count - 1)[count - 1])
    step = len(distances) // 16_384
    sample = np.sort(distances[::step])
    # Three standard deviations above the expected place, so that one pass nearly always holds enough.
    expected = count / step
    place = int(expected + 3 * expected**0.5) + 1
    while place < len(sample):
        limit = int(sample[place])
        within = distances[distances <= limit]
        if len(within) >= count:
            return int(np.partition(within, count - 1)[count - 1])
        place *= 2
    return 0xFFFE
