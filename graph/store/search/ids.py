"""The ids of candidates, written out only when somebody asks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

from graph.model import PREFIXES, NodeKind
from graph.model.ids import id_of_number


class MemoryIds(Sequence[str]):
    """Ids of n memories from their UUIDs, (n, 16) bytes, and kinds."""

    def __init__(self, uuids: NDArray[np.uint8], kinds: NDArray[np.int8]) -> None:
        self._uuids = uuids
        self._kinds = kinds

    def __len__(self) -> int:
        return len(self._kinds)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> "MemoryIds": ...
    def __getitem__(self, index: int | slice) -> "str | MemoryIds":
        if isinstance(index, slice):
            return MemoryIds(self._uuids[index], self._kinds[index])
        return id_of_number(PREFIXES[NodeKind(int(self._kinds[index]))], int.from_bytes(self._uuids[index].tobytes()))

    def __iter__(self) -> Iterator[str]:
        prefixes = [PREFIXES[NodeKind(kind)] for kind in self._kinds.tolist()]
        return (f"{prefix}_{text}" for prefix, text in zip(prefixes, self._texts(), strict=True))

    def rows_of(self, named: Mapping[bytes, str]) -> dict[str, int]:
        """By id the rows of those that are named, whose ids are given by their UUIDs' bytes. No other id is written out."""
        raw = self._uuids.tobytes()
        uuids = (raw[start : start + 16] for start in range(0, len(raw), 16))
        return {named[uuid]: row for row, uuid in enumerate(uuids) if uuid in named}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # compared by value, and made of arrays

    def _texts(self) -> list[str]:
        """All UUIDs in base 32 at once: 130 bits (two zeros first) in groups of five."""
        bits = np.unpackbits(self._uuids, axis=1)
        padded = np.concatenate([np.zeros((len(bits), 2), np.uint8), bits], axis=1).reshape(len(bits), 26, 5)
        digits = padded @ np.array([16, 8, 4, 2, 1], np.uint8)
        alphabet = np.frombuffer(b"0123456789abcdefghjkmnpqrstvwxyz", np.uint8)
        return [text.decode() for text in np.ascontiguousarray(alphabet[digits]).view("S26").ravel().tolist()]
