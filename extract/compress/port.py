"""What a compressor is: from texts to the words of them that a language model is to read."""

from collections.abc import Collection, Sequence
from typing import Protocol


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

    async def compress(self, texts: Sequence[str], names: Collection[str] = ()) -> list[str]:
        """What is left of each text: the words of it that are kept, as they were written and in their order.

        Together the texts keep about the rate's share of their characters, more where more must stay. They are the turns of one
        conversation in their order. `names` are kept wherever they stand, however they are written. Takes no time of the event loop's.
        """
        ...

    def close(self) -> None:
        """Ends what runs; a text under way is read first."""
        ...
