"""One synthetic session before its nodes are made."""

from dataclasses import dataclass

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class SessionText:
    """The turns of a session, of two speakers in turn.

    Attributes:
        entities: by turn, the entities that its text names, as indexes into the cast.
        speakers: the two, as indexes into the cast.
        times: (n,) seconds since 1970.
        vectors: (n, dimension) float32 of unit length.
    """

    name: str
    message_ids: list[str]
    texts: list[str]
    entities: list[list[int]]
    speakers: tuple[int, int]
    times: NDArray[np.int64]
    vectors: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.message_ids)

    def speaker(self, place: int) -> int:
        """Who speaks the turn."""
        return self.speakers[place % 2]

    def sent_at(self, place: int) -> Timestamp:
        """When the turn was sent."""
        return Timestamp(seconds=int(self.times[place]))
