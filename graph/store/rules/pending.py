"""How many messages an extraction gets at once."""

from collections.abc import Sequence

# How many messages before the waiting ones come along, so that a segment's first lines can be understood.
CONTEXT_MESSAGES = 6
# Messages may have a million characters each. More than the longest segment takes (100,000 words, 12 characters of 4 bytes each), so that
# one always closes; little enough that two jobs fit any service's memory.
MOST_PENDING_BYTES = 8_000_000
# A segment closes before a message.
_FEWEST = 2


def fitting(sizes: Sequence[int]) -> int:
    """How many of the messages, whose sizes in bytes these are, fit one read; two at least."""
    total = 0
    for count, size in enumerate(sizes):
        total += size
        if total > MOST_PENDING_BYTES and count >= _FEWEST:
            return count
    return len(sizes)
