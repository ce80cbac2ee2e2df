"""The sign bits of vectors, and the passages whose bits say that they are near a query.

Two estimates of a cosine: the Hamming distance between the bits of both, which is fast, and the sum of the query's own numbers where a
passage's bits are set, which is closer. A search narrows down by the first, over half of the bits and then all, and ends with the second.

Vectors are rotated at random before their signs are taken (Gao and Long 2024, RaBitQ): models whose first axes carry most of the variance
would otherwise waste the bits of the others, and half of the bits could not stand for all. docs/search-index.md has recall and time.
48 bytes a passage at 384 dimensions.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.store.search.half_precision import as_float32

# The mean of so many first vectors is looked at, and what follows from it is frozen: another mean would change the bits of vectors that are
# no longer in memory.
MEAN_SAMPLE = 256
# A model whose vectors all point one way has bits that say little unless the mean is taken away. Below this length of the mean it costs
# more recall than it gains, being only that of the first vectors (MiniLM: length .36, recall@100 .967 without, .954 with).
_MEAN_LENGTH = 0.7
# Rows scanned at once: the work arrays stay in the cache of a core (measured at 150,000 rows: 32,768 .36 ms, 16,384 .56, 8,192 .67).
_BLOCK = 32_768
# Passages that are left after the scan of half of the bits, at least and as a share of all, and after that of all bits.
_KEPT_BY_HALF = 8_192
_SHARE_KEPT_BY_HALF = 100
_KEPT_BY_HAMMING = 4_096
# Where so many may be left, the distance alone chooses them: measuring them exactly costs no more than estimating twice as many.
_ENOUGH_BY_HAMMING = 2_048
# From here on half of the bits are scanned first, given at least so many words. Below, all of them cost little more: of 220,000 passages
# .4 ms, for a tenth more recall@100 where it is low.
_HALVED_FROM = 400_000
_HALVED_WORDS = 4
# So many distances tell how far the best of a large index lie.
_SAMPLE = 16_384

# The bits of every octet, (256, 8), the first bit first.
_OCTETS = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).astype(np.float32)

Mask = NDArray[np.bool_]
# Unsigned integers of 8 or 16 bits.
Distances = NDArray[Any]


@dataclass(frozen=True, slots=True)
class SignBits:
    """Bits of passages: `words` is (w, capacity) uint64, a row a word of 64 dimensions; `mean` is (dimension,) float32.

    Written in place where a vector arrives: a search reads a passage's bits only when its `embedded` flag is set, which comes after them.
    """

    words: NDArray[np.uint64]
    mean: NDArray[np.float32]

    @classmethod
    def of_first(cls, vectors: NDArray[np.float16], capacity: int) -> "SignBits":
        """No bits yet; these first vectors tell whether their mean is taken away."""
        mean = vectors.mean(axis=0, dtype=np.float32)
        if np.linalg.norm(mean) < _MEAN_LENGTH:
            mean = np.zeros_like(mean)
        return cls(np.zeros((-(-len(mean) // 64), capacity), np.uint64), mean)

    def with_capacity(self, capacity: int) -> "SignBits":
        """With room for this many passages."""
        if capacity <= self.words.shape[1]:
            return self
        words = np.zeros((len(self.words), max(capacity, self.words.shape[1] * 3 // 2)), np.uint64)
        words[:, : self.words.shape[1]] = self.words
        return SignBits(words, self.mean)

    def write(self, passages: NDArray[np.intp], vectors: NDArray[np.float16]) -> None:
        """Stores the bits of these passages' vectors."""
        rotated = (as_float32(vectors) - self.mean) @ _rotation(len(self.mean)).T
        self.words[:, passages] = _packed(rotated)

    def nearest(self, query: NDArray[np.float32], size: int, mask: Mask | None, count: int) -> NDArray[np.intp]:
        """About `count` of the first `size` passages, those that seem nearest to the query among the masked ones (None: all); ascending."""
        half = len(self.words) // 2
        rotated = self._rotated(query)
        bits = _packed(rotated[None, :])[:, 0]
        if size < _HALVED_FROM or len(self.words) < _HALVED_WORDS:
            kept = _smallest(distances := _scan(self.words, bits, size), max(count, _KEPT_BY_HAMMING), mask)
            return self._narrowed(rotated, kept, distances[kept], count)
        distances = _scan(self.words[:half], bits[:half], size)
        kept = _smallest(distances, max(_KEPT_BY_HALF, size // _SHARE_KEPT_BY_HALF), mask)
        whole = distances[kept] + _distances(self.words[half:], bits[half:], kept)
        return self._narrowed(rotated, kept, whole, count)

    def nearest_of(self, query: NDArray[np.float32], passages: NDArray[np.intp], count: int) -> NDArray[np.intp]:
        """The same among these passages."""
        rotated = self._rotated(query)
        return self._narrowed(rotated, passages, _distances(self.words, _packed(rotated[None, :])[:, 0], passages), count)

    def _narrowed(self, rotated: NDArray[np.float32], passages: NDArray[np.intp], distances: Distances, count: int) -> NDArray[np.intp]:
        """By the distances alone where many may be left, else in two steps."""
        if count >= _ENOUGH_BY_HAMMING:
            return passages[_smallest(distances, count, None)]
        return self._closest(rotated, passages[_smallest(distances, _KEPT_BY_HAMMING, None)], count)

    def _closest(self, rotated: NDArray[np.float32], passages: NDArray[np.intp], count: int) -> NDArray[np.intp]:
        if len(passages) <= count:
            return passages
        octets = np.ascontiguousarray(self.words[:, passages].T).view(np.uint8)
        # The sum of the query's numbers for each value of each octet, looked up: a third of the time of unpacking the bits.
        numbers = np.zeros(8 * octets.shape[1], np.float32)
        numbers[: len(rotated)] = rotated
        sums = (_OCTETS @ numbers.reshape(-1, 8).T).T.ravel()
        offset = octets + np.arange(0, 256 * octets.shape[1], 256, dtype=np.int32)
        estimate = sums.take(offset).sum(axis=1)
        return passages[np.sort(np.argpartition(estimate, -count)[-count:])]

    def _rotated(self, query: NDArray[np.float32]) -> NDArray[np.float32]:
        # Without the mean's share, which is nearly the same for all vectors of one length and would only add noise.
        rotated: NDArray[np.float32] = np.vecdot(_rotation(len(self.mean)), query - self.mean)
        return rotated


@lru_cache(maxsize=4)
def _rotation(dimension: int) -> NDArray[np.float32]:
    """An orthogonal matrix, the same in every process: snapshots hold bits that it made. `RandomState` promises its numbers for good."""
    matrix, _ = np.linalg.qr(np.random.RandomState(dimension).standard_normal((dimension, dimension)))
    return np.ascontiguousarray(matrix, np.float32)


def _packed(rotated: NDArray[np.floating]) -> NDArray[np.uint64]:
    """The signs of (n, dimension) numbers as (w, n) words; dimensions that are lacking in the last word are 0."""
    packed = np.packbits(rotated > 0, axis=1)
    padded = np.zeros((len(rotated), -(-packed.shape[1] // 8) * 8), np.uint8)
    padded[:, : packed.shape[1]] = packed
    return np.ascontiguousarray(padded.view(np.uint64).T)


def _scan(words: NDArray[np.uint64], bits: NDArray[np.uint64], size: int) -> Distances:
    """Hamming distances of the first `size` columns to `bits`."""
    result: Distances = np.empty(size, np.uint8 if 64 * len(words) < 255 else np.uint16)
    difference = np.empty(_BLOCK, np.uint64)
    ones = np.empty(_BLOCK, np.uint8)
    for start in range(0, size, _BLOCK):
        out = result[start : start + _BLOCK]
        block, counted = difference[: len(out)], ones[: len(out)]
        np.bitwise_count(np.bitwise_xor(words[0, start : start + len(out)], bits[0], out=block), out=out)
        for row, word in zip(words[1:], bits[1:], strict=True):
            np.bitwise_xor(row[start : start + len(out)], word, out=block)
            np.bitwise_count(block, out=counted)
            np.add(out, counted, out=out)
    return result


def _distances(words: NDArray[np.uint64], bits: NDArray[np.uint64], passages: NDArray[np.intp]) -> NDArray[np.uint16]:
    """Hamming distances of some columns to `bits`."""
    result = np.zeros(len(passages), np.uint16)
    for row, word in zip(words, bits, strict=True):
        result += np.bitwise_count(row[passages] ^ word)
    return result


def _smallest(distances: Distances, count: int, mask: Mask | None) -> NDArray[np.intp]:
    """Indexes of about `count` smallest distances among the masked, with all ties of the last; all masked ones when there are fewer."""
    if mask is not None:
        distances[~mask] = np.iinfo(distances.dtype).max
    beyond = int(np.iinfo(distances.dtype).max)
    limit = _limit(distances, count) if len(distances) > count else beyond - 1
    return (distances <= min(limit, beyond - 1)).nonzero()[0]


def _limit(distances: Distances, count: int) -> int:
    """The distance within which `count` lie: of many, hardly ever fewer and up to a tenth more, as a sample has it."""
    step = len(distances) // _SAMPLE
    if step <= 1:
        return int(np.partition(distances, count - 1)[count - 1])
    sample = np.sort(distances[::step], kind="stable")  # a radix sort, for numbers as short as these
    # Three standard deviations above the expected rank.
    rank = int(count / step + 3 * (count / step) ** 0.5)
    return int(sample[min(rank, len(sample) - 1)])
