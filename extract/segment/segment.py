"""Where segments end."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from extract.segment.recipe import CHARACTERS_A_WORD, SegmentRecipe
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
    starting again at any boundary finds the same ones after it.

    Args:
        messages: of one session in order, the first right after a boundary.
        vectors: a vector of unit length by message id; messages without one are judged by time, size and marks alone.
        flush_marks: seqs after which a segment ends.
        recipe: the thresholds.
    """
    closed: list[tuple[Message, ...]] = []
    running: list[Message] = []
    words = 0
    for message in messages:
        if running and _ends_before(running, words, message, vectors, flush_marks, recipe):
            closed.append(tuple(running))
            running, words = [], 0
        running.append(message)
        words += _words(message.text)
    if running and running[-1].seq in flush_marks:
        closed.append(tuple(running))
        running = []
    return Segments(tuple(closed), tuple(running))


def _words(text: str) -> int:
    """How many words a text has, at least one for so many characters: scripts without spaces and pasted data are long, too."""
    return max(sum(len(part.split()) for part in slices_of(text)), len(text) // CHARACTERS_A_WORD)


def _ends_before(
    running: Sequence[Message],
    words: int,
    message: Message,
    vectors: Mapping[str, NDArray[np.float16]],
    flush_marks: Collection[int],
    recipe: SegmentRecipe,
) -> bool:
    last = running[-1]
    if last.seq in flush_marks or message.sent_at - last.sent_at > recipe.silence:
        return True
    if len(running) >= recipe.most_messages or words >= recipe.most_words:
        return True
    if len(running) < recipe.least_messages and words < recipe.least_words:
        return False
    similarity = _similarity(running[-recipe.window :], message, vectors)
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
