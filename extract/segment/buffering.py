"""The buffer in which topics are looked for: the messages from a boundary on, until time, size or a mark ends them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from extract.segment.answering import answers
from extract.segment.recipe import CHARACTERS_A_WORD, SegmentRecipe
from extract.tokens import count_tokens
from graph.model import Message
from graph.text import slices_of


@dataclass(frozen=True, slots=True)
class Buffer:
    """Messages that nothing will be added to, and whether it was their size that ended them: what follows may be of the same topic."""

    messages: tuple[Message, ...]
    full: bool


def first_buffer(messages: Sequence[Message], flush_marks: Collection[int], recipe: SegmentRecipe) -> Buffer | None:
    """The buffer that begins with the first message; None while it may still grow.

    A full one takes the answer to its last message along. Silence and flush marks end it whatever they stand between.
    """
    size, full_before = 0, False
    for place, message in enumerate(messages):
        if place:
            last = messages[place - 1]
            if message.sent_at - last.sent_at > recipe.silence:
                return Buffer(tuple(messages[:place]), full=False)
            full = size >= _room(recipe) or place >= recipe.most_messages
            if full and (full_before or not answers(last, message)):
                return Buffer(tuple(messages[:place]), full=True)
            full_before = full
        size += count_tokens(message.text) if recipe.most_tokens else words(message.text)
        if message.seq in flush_marks:
            return Buffer(tuple(messages[: place + 1]), full=False)
    return None


def words(text: str) -> int:
    """How many words a text has, at least one for so many characters: scripts without spaces and pasted data are long, too."""
    return max(sum(len(part.split()) for part in slices_of(text)), len(text) // CHARACTERS_A_WORD)


def _room(recipe: SegmentRecipe) -> int:
    return recipe.most_tokens or recipe.most_words
