"""What a conversion could not keep, counted, and texts without the characters that no store takes."""

import re
from collections import Counter

# NUL, and halves of surrogate pairs, which no UTF-8 can hold.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class LeftOut:
    """Counts by what it was."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = Counter()

    def count(self, what: str, how_many: int = 1) -> None:
        """So many more of these."""
        self.counts[what] += how_many

    def storable(self, text: str) -> str:
        """The text without characters that cannot be stored."""
        kept, removed = _UNSTORABLE.subn("", text)
        if removed:
            self.count("characters that are NUL or half of a pair", removed)
        return kept
