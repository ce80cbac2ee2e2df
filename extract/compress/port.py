"""What a compressor is: from texts to the words of them that a language model is to read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CompressedText:
    """What is left of one text.

    Attributes:
        text: its words that were kept, in their order and as they were written.
        words: the same, one by one, each with the punctuation that it was written with.
        attention: for each of these words how much attention it was paid in the model's last layer, the mean over those who may look at
            it, times their number (1: what each would get if all got the same); None without a model, or where it was not asked for.
        attention_to_previous: how much the words of this text attend to those of the text before it, as a share of their attention to
            all words; None where `attention` is, for the first text, and where the model read the two apart.
    """

    text: str
    words: tuple[str, ...]
    attention: tuple[float, ...] | None = None
    attention_to_previous: float | None = None


class Compressor(Protocol):
    """Leaves out of texts what says little."""

    @property
    def name(self) -> str:
        """What usage is counted under."""
        ...

    @property
    def fingerprint(self) -> str:
        """Of all that decides what is left of a text, the rate included."""
        ...

    async def compress(self, texts: Sequence[str], names: Collection[str] = ()) -> list[CompressedText]:
        """What is left of each text; together they keep about the rate's share of their characters, more where more must stay.

        The texts are the turns of one conversation in their order. `names` are kept wherever they stand, however they are written. Takes
        no time of the event loop's.
        """
        ...

    def close(self) -> None:
        """Ends what runs; a text under way is read first."""
        ...
