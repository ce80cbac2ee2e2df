"""How many messages an extraction gets at once."""

from collections.abc import Iterable

from graph.store.port import count_within

# How many messages before the waiting ones come along, so that a segment's first lines can be understood.
CONTEXT_MESSAGES = 6
# Messages may have a million characters each. More than the longest segment takes (100,000 words, 12 characters of 4 bytes each), so that
# one always closes; little enough that two jobs fit any service's memory.
MOST_PENDING_BYTES = 8_000_000
# A segment closes before a message.
_FEWEST = 2


def fitting(sizes: Iterable[int], most: int = MOST_PENDING_BYTES) -> int:
    """How many of the messages, whose sizes these are, fit one read; two at least, where there are two."""
    return max(_FEWEST, count_within(sizes, most))
