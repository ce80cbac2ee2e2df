"""What a compressor is: from texts to the words of them that a language model is to read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


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

    async def compress(
        self, texts: Sequence[str], names: Collection[str] = (), importance: Sequence[Sequence[float] | None] | None = None
    ) -> list[str]:
        """What is left of each text: the words of it that are kept, as they were written and in their order.

        Together the texts keep about the rate's share of their characters, more where more must stay. They are the turns of one
        conversation in their order. `names` are kept wherever they stand, however they are written. `importance` is what a `TurnReader`
        told of each text before, None where it was not asked; one that judges by a model then does not read it again. Takes no time of the
        event loop's.
        """
        ...

    def close(self) -> None:
        """Ends what runs; a text under way is read first."""
        ...


@dataclass(frozen=True, slots=True)
class ReadTurn:
    """What a model found in one turn.

    Attributes:
        importance: for each word, as white space parts them, how likely it is to be kept; infinite where the model did not judge it.
        attention_to_previous: of the attention that the turn pays to those before it, the share of the one right before it, from 0 to 1.
            None where the model did not read two turns before it in the same pass.
    """

    importance: tuple[float, ...]
    attention_to_previous: float | None


@runtime_checkable
class TurnReader(Protocol):
    """Reads turns with the model of a compressor: one pass tells both which words count and where topics may end."""

    async def read(self, texts: Sequence[str]) -> list[ReadTurn]:
        """What it finds in each turn of a run. The same run always reads the same. Takes no time of the event loop's."""
        ...
