"""What segmentation is tuned by."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

# A text counts as at least one word for so many characters, twice as many as the words of most languages have.
CHARACTERS_A_WORD = 12


class Segmentation(StrEnum):
    """Whether topics end segments: where a message is unlike those before it, or not at all. Time, size and marks always do."""

    SIMILARITY = "similarity"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SegmentRecipe:
    """When a segment ends before a message.

    Attributes:
        silence: after this much time without a message a new segment starts. Four hours part the sittings of a messenger.
        window: how many messages of the running segment its topic is the mean of. Three turns smooth over short answers.
        drop: a new topic begins where the cosine of the next message with the window falls below this. MiniLM gives unrelated turns 0
            to .15 and turns of one topic .25 and more.
        least_messages, least_words: no topic change ends a segment that is shorter than both.
        most_words, most_messages: a segment that has reached either ends, so that an extractor's input stays bounded.
        most_tokens: tokens that bound a segment instead of words, for extractors that pay by them; 0: words do.
        by: whether topics end segments.
    """

    silence: timedelta = timedelta(hours=4)
    window: int = 3
    drop: float = 0.12
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
