"""Where segments end."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from extract.segment.answering import answers
from extract.segment.buffering import Buffer, first_buffer, words
from extract.segment.recipe import Segmentation, SegmentRecipe
from extract.segment.valleys import depths
from graph.model import Message


@dataclass(frozen=True, slots=True)
class Segments:
    """Messages in runs: `closed` ones will not change, `open` may still grow and is empty after a flush mark.

    `importance`: where a model has read the closed ones to part them, what it told of their words, by message id (`ReadTurn`).
    """

    closed: tuple[tuple[Message, ...], ...]
    open: tuple[Message, ...]
    importance: Mapping[str, tuple[float, ...]] = field(default_factory=dict)


def segment(
    messages: Sequence[Message], vectors: Mapping[str, NDArray[np.float16]], flush_marks: Collection[int], recipe: SegmentRecipe
) -> Segments:
    """Cuts the messages that follow a boundary into segments.

    Messages gather in a buffer until silence, its size or a flush mark ends it. It is cut where its topic changes most; what comes after
    the cut begins the next buffer. So a boundary depends only on what its buffer holds: more messages never move it, and starting again at
    any boundary finds the same ones after it. No topic parts a message from the one that it answers.

    Args:
        messages: of one session in order, the first right after a boundary.
        vectors: a vector of unit length by message id; messages without one are judged by time, size and marks alone.
        flush_marks: seqs after which a segment ends.
        recipe: the thresholds.
    """
    closed: list[tuple[Message, ...]] = []
    rest = tuple(messages)
    while buffer := first_buffer(rest, flush_marks, recipe):
        end = end_of_topic(buffer, vectors, recipe)
        closed.append(rest[:end])
        rest = rest[end:]
    return Segments(tuple(closed), rest)


def end_of_topic(
    buffer: Buffer, vectors: Mapping[str, NDArray[np.float16]], recipe: SegmentRecipe, among: Collection[int] | None = None
) -> int:
    """How many messages of the buffer its first segment takes. `among`: the only places where a topic may end, None for all."""
    if recipe.by is Segmentation.NONE:
        return len(buffer.messages)
    found = depths(buffer.messages, vectors, recipe.block)
    least = recipe.depth / 2 if buffer.full else recipe.depth
    possible = [gap for gap in _possible(buffer, recipe) if among is None or gap in among]
    ends = [gap for gap in possible if found.get(gap, 0.0) >= least]
    return max(ends, key=found.__getitem__, default=len(buffer.messages))


def _possible(buffer: Buffer, recipe: SegmentRecipe) -> list[int]:
    """Places where a topic may end: between what is long enough by itself, and not before an answer."""
    messages = buffer.messages
    size = [0]
    for message in messages:
        size.append(size[-1] + words(message.text))

    def long_enough(first: int, end: int) -> bool:
        return end - first >= recipe.least_messages or size[end] - size[first] >= recipe.least_words

    return [
        gap
        for gap in range(1, len(messages))
        # What follows in a full buffer still grows.
        if long_enough(0, gap) and (buffer.full or long_enough(gap, len(messages))) and not answers(messages[gap - 1], messages[gap])
    ]
