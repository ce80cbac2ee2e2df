"""One synthetic session before its nodes are made."""

from dataclasses import dataclass, field

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SessionText:
    """The turns of a session, of two speakers in turn. Entities are indexes into the cast.

    Attributes:
        times: (n,) seconds since 1970.
        vectors: (n, dimension) float32 of unit length.
        names: by turn, the others that its text names.
        addressed: by turn, the other speaker if the text names that one, else nobody.
    """

    name: str
    speakers: tuple[int, int]
    times: NDArray[np.int64]
    vectors: NDArray[np.float32]
    message_ids: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    names: list[list[int]] = field(default_factory=list)
    addressed: list[list[int]] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.message_ids)

    def speaker(self, place: int) -> int:
        """Who speaks the turn."""
        return self.speakers[place % 2]

    def sent_at(self, place: int) -> Timestamp:
        """When the turn was sent."""
        return Timestamp(seconds=int(self.times[place]))
