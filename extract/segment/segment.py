"""Where segments end."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from extract.segment.answering import answers
from extract.segment.recipe import CHARACTERS_A_WORD, Segmentation, SegmentRecipe
from extract.tokens import count_tokens
from graph.model import Message
from graph.text import slices_of


@dataclass(frozen=True, slots=True)
class Segments:
    """Messages in runs: `closed` ones will not change, `open` may still grow and is empty after a flush mark."""

    closed: tuple[tuple[Message, ...], ...]
    open: tuple[Message, ...]


def segment(
    messages: Sequence[Message], vectors: Mapping[str, NDArray[np.float16]], flush_marks: Collection[int], recipe: SegmentRecipe
) -> Segments:
    """Cuts the messages that follow a boundary into segments.

    A boundary before a message depends only on that message, those before it and the flush marks, so that more messages never move it, and
    starting again at any boundary finds the same ones after it. No topic parts a message from the one that it answers, and a full segment
    takes the answer to its last message along; silence and flush marks part whatever they stand between.

    Args:
        messages: of one session in order, the first right after a boundary.
        vectors: a vector of unit length by message id; messages without one are judged by time, size and marks alone.
        flush_marks: seqs after which a segment ends.
        recipe: the thresholds.
    """
    closed: list[tuple[Message, ...]] = []
    running = _Running(recipe)
    for message in messages:
        if running.messages and _ends_before(running, message, vectors, flush_marks, recipe):
            closed.append(tuple(running.messages))
            running = _Running(recipe)
        running.add(message)
    if running.messages and running.messages[-1].seq in flush_marks:
        closed.append(tuple(running.messages))
        running = _Running(recipe)
    return Segments(tuple(closed), tuple(running.messages))


class _Running:
    """The segment that messages are added to, and how long it is."""

    def __init__(self, recipe: SegmentRecipe) -> None:
        self._recipe = recipe
        self.messages: list[Message] = []
        self.words = 0
        self._tokens = 0
        self.full = False
        self.was_full = False
        """Whether it was full before its last message already."""

    def add(self, message: Message) -> None:
        self.messages.append(message)
        self.words += _words(message.text)
        if self._recipe.most_tokens:
            self._tokens += count_tokens(message.text)
            long = self._tokens >= self._recipe.most_tokens
        else:
            long = self.words >= self._recipe.most_words
        self.was_full, self.full = self.full, long or len(self.messages) >= self._recipe.most_messages


def _words(text: str) -> int:
    """How many words a text has, at least one for so many characters: scripts without spaces and pasted data are long, too."""
    return max(sum(len(part.split()) for part in slices_of(text)), len(text) // CHARACTERS_A_WORD)


def _ends_before(
    running: _Running, message: Message, vectors: Mapping[str, NDArray[np.float16]], flush_marks: Collection[int], recipe: SegmentRecipe
) -> bool:
    last = running.messages[-1]
    if last.seq in flush_marks or message.sent_at - last.sent_at > recipe.silence or running.was_full:
        return True
    if answers(last, message):
        return False
    if running.full:
        return True
    if recipe.by is Segmentation.NONE or (len(running.messages) < recipe.least_messages and running.words < recipe.least_words):
        return False
    similarity = _similarity(running.messages[-recipe.window :], message, vectors)
    return similarity is not None and similarity < recipe.drop


def _similarity(window: Sequence[Message], message: Message, vectors: Mapping[str, NDArray[np.float16]]) -> float | None:
    """Cosine of the message with the mean of the window; None where a vector is missing."""
    known = [vectors[one.id].astype(np.float32) for one in window if one.id in vectors]
    vector = vectors.get(message.id)
    if not known or vector is None:
        return None
    topic = np.sum(known, axis=0)
    length = float(np.linalg.norm(topic))
    return float(topic @ vector.astype(np.float32)) / length if length > 0 else None
