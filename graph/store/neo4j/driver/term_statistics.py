"""In how many passages each term occurs: sums up to a revision, and the differences that each change since then made.

A reader adds the differences to the sums. A writer, who holds the namespace's lock, folds them in when reading them would take long.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.store.candidates import StatisticsGroup

GROUP_NAMES = {StatisticsGroup.MESSAGES: "messages", StatisticsGroup.STATEMENTS: "statements"}


@dataclass(slots=True)
class GroupDelta:
    """By how much the passages of one group change."""

    passages: int = 0
    length: int = 0
    hashes: list[bytes] = field(default_factory=list)
    signs: list[int] = field(default_factory=list)

    def count(self, hashes: bytes, length: int, sign: int) -> None:
        """A passage comes (sign 1) or goes (-1). `hashes`: uint64, distinct."""
        self.passages += sign
        self.length += sign * length
        self.hashes.append(hashes)
        self.signs.append(sign)

    def properties(self, group: StatisticsGroup) -> dict[str, Any]:
        """The properties of a :Change that tell of it; none when nothing changed."""
        if not self.hashes:
            return {}
        name = GROUP_NAMES[group]
        hashes, deltas = self.summed()
        return {
            f"{name}_passages": self.passages,
            f"{name}_length": self.length,
            f"{name}_hashes": hashes.tobytes(),
            f"{name}_deltas": deltas.tobytes(),
        }

    def summed(self) -> "tuple[NDArray[np.uint64], NDArray[np.int32]]":
        """The terms whose count changes, ascending, and by how much."""
        sizes = [len(blob) // 8 for blob in self.hashes]
        signs = np.repeat(np.array(self.signs, np.int32), sizes)
        return add_counts([(np.frombuffer(b"".join(self.hashes), "<u8"), signs)])


def add_counts(
    parts: "Iterable[tuple[NDArray[np.uint64], NDArray[np.int32]]]",
) -> "tuple[NDArray[np.uint64], NDArray[np.int32]]":
    """The sums of counts by term, terms ascending, without those that are 0."""
    pairs = list(parts)
    if not pairs:
        return np.empty(0, "<u8"), np.empty(0, "<i4")
    hashes, inverse = np.unique(np.concatenate([hashes for hashes, _ in pairs]), return_inverse=True)
    sums = np.bincount(inverse, np.concatenate([counts for _, counts in pairs]), len(hashes)).astype("<i4")
    kept = sums != 0
    return hashes[kept], sums[kept]
