"""The columns of memories and passages: one row each, in order of arrival, with the links between them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph.model import NodeKind
from graph.store.candidates import StatisticsGroup

# dtype and trailing shape of each column, by name; the file of a snapshot holds them under these names.
MEMORY_DTYPES: dict[str, tuple[str, tuple[int, ...]]] = {
    "key": ("<i8", ()),
    "uuid": ("u1", (16,)),
    "kind": ("i1", ()),
    "role": ("i1", ()),
    "session": ("<i8", ()),
    "seq": ("<i4", ()),
    "speaker": ("<i4", ()),
    "said_at": ("<i8", ()),
    "features": ("<i4", ()),
    "live": ("?", ()),
    "previous": ("<i4", ()),
    "next": ("<i4", ()),
    "first_passage": ("<i4", ()),
    "first_span": ("<i4", ()),
    "first_evidence": ("<i4", ()),
}
PASSAGE_DTYPES: dict[str, tuple[str, tuple[int, ...]]] = {
    "key": ("<i8", ()),
    "owner": ("<i4", ()),
    "length": ("<i4", ()),
    "live": ("?", ()),
    "embedded": ("?", ()),
}
LINK_DTYPES: dict[str, tuple[str, tuple[int, ...]]] = {
    "span_start": ("<i8", ()),
    "span_end": ("<i8", ()),
    "evidence": ("<i8", ()),
}


@dataclass(frozen=True, slots=True)
class MemoryColumns:
    """One row a memory. `first_passage`, `first_span` and `first_evidence` have one entry more: where each row's run starts, and the end.

    `previous` and `next` are rows of the neighbouring live messages of the session, -1 at its ends. A `next` beyond the last row belongs to
    a message that arrived after this state and counts as -1.
    """

    key: NDArray[np.int64]
    uuid: NDArray[np.uint8]
    kind: NDArray[np.int8]
    role: NDArray[np.int8]
    session: NDArray[np.int64]
    seq: NDArray[np.int32]
    speaker: NDArray[np.int32]
    said_at: NDArray[np.int64]
    features: NDArray[np.int32]
    live: NDArray[np.bool_]
    previous: NDArray[np.int32]
    next: NDArray[np.int32]
    first_passage: NDArray[np.int32]
    first_span: NDArray[np.int32]
    first_evidence: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.key)


@dataclass(frozen=True, slots=True)
class PassageColumns:
    """One row a passage; the passages of a memory are neighbours. `embedded`: it is live and has a vector."""

    key: NDArray[np.int64]
    owner: NDArray[np.int32]
    length: NDArray[np.int32]
    live: NDArray[np.bool_]
    embedded: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.key)


@dataclass(frozen=True, slots=True)
class LinkColumns:
    """What memories have any number of: spans in microseconds, and the keys of the messages that statements rest on."""

    span_start: NDArray[np.int64]
    span_end: NDArray[np.int64]
    evidence: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Totals:
    """Live passages of each group and the sum of their lengths, indexed by StatisticsGroup."""

    passages: tuple[int, int] = (0, 0)
    terms: tuple[int, int] = (0, 0)

    def plus(self, group: NDArray[np.int8], length: NDArray[np.int32], sign: int = 1) -> "Totals":
        """With these passages counted besides, or (sign -1) no longer."""
        count = np.bincount(group, minlength=2)
        terms = np.bincount(group, weights=length, minlength=2)
        return Totals(
            (self.passages[0] + sign * int(count[0]), self.passages[1] + sign * int(count[1])),
            (self.terms[0] + sign * int(terms[0]), self.terms[1] + sign * int(terms[1])),
        )

    def mean_length(self, group: int) -> float:
        """Mean terms of a live passage of the group; 0 when there is none."""
        return self.terms[group] / self.passages[group] if self.passages[group] else 0.0


def group_of(kind: NDArray[np.int8]) -> NDArray[np.int8]:
    """The StatisticsGroup of memories of these kinds."""
    return np.where(kind == NodeKind.MESSAGE, StatisticsGroup.MESSAGES, StatisticsGroup.STATEMENTS).astype(np.int8)
