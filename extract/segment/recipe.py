"""What segmentation is tuned by."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

# A text counts as at least one word for so many characters, twice as many as the words of most languages have.
CHARACTERS_A_WORD = 12


class Segmentation(StrEnum):
    """What ends segments beside time, size and marks: topics, told by similarity or by a model's attention as well; or nothing."""

    SIMILARITY = "similarity"
    ATTENTION_AND_SIMILARITY = "attention+similarity"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SegmentRecipe:
    """When a segment ends before a message.

    Attributes:
        silence: after this much time without a message a new segment starts. Four hours part the sittings of a messenger.
        block: how many messages on each side of a gap are compared. Two smooth over a short answer; with three, fewer of LoCoMo's session
            boundaries are found (`python -m bench segments --tune`).
        depth: a topic ends where the similarity of the two sides is a valley this deep, the heights of both its sides added up. Half of it
            will do in a buffer that is full and has to end somewhere.
        least_messages, least_words: no topic change ends a segment that is shorter than both.
        most_words, most_messages: a buffer that has reached either is full, so that an extractor's input stays bounded.
        most_tokens: tokens that fill a buffer instead of words, for extractors that pay by them; 0: words do.
        by: whether topics end segments.
    """

    silence: timedelta = timedelta(hours=4)
    block: int = 2
    depth: float = 0.8
    least_messages: int = 4
    least_words: int = 60
    most_words: int = 1_200
    most_messages: int = 40
    most_tokens: int = 0
    by: Segmentation = Segmentation.SIMILARITY

    @property
    def longest(self) -> int:
        """How many messages a segment may have: the answer to its last question may come on top."""
        return self.most_messages + 1
