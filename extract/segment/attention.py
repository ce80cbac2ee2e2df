"""Topics that attention and similarity agree on, as LightMem tells them (arXiv:2510.18866)."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from extract.compress.port import TurnReader
from extract.segment.buffering import first_buffer
from extract.segment.recipe import SegmentRecipe
from extract.segment.segment import Segments, end_of_topic, segment
from graph.model import Message


async def segment_as_read(
    messages: Sequence[Message],
    vectors: Mapping[str, NDArray[np.float16]],
    flush_marks: Collection[int],
    recipe: SegmentRecipe,
    reader: TurnReader | None = None,
) -> Segments:
    """Cuts messages as `segment` does; with a reader topics end only where attention peaks, too.

    Each buffer is read once it is whole, and what that tells of the words of a closed segment goes along with it, so that nobody reads it
    again to compress it. What comes after a cut is read anew with what follows it: so it does not matter where a run began.
    """
    if reader is None:
        return await asyncio.to_thread(segment, messages, vectors, flush_marks, recipe)
    closed: list[tuple[Message, ...]] = []
    importance: dict[str, tuple[float, ...]] = {}
    rest = tuple(messages)
    while buffer := await asyncio.to_thread(first_buffer, rest, flush_marks, recipe):
        turns = await reader.read([message.text for message in buffer.messages])
        at = peaks([turn.attention_to_previous for turn in turns])
        end = await asyncio.to_thread(end_of_topic, buffer, vectors, recipe, at)
        importance |= {message.id: turn.importance for message, turn in zip(rest[:end], turns, strict=False)}
        closed.append(rest[:end])
        rest = rest[end:]
    return Segments(tuple(closed), rest, importance)


def peaks(attention: Sequence[float | None]) -> frozenset[int]:
    """Places of turns that attend more to the one before them than their neighbors do to the ones before these.

    Such a turn leans on the one right before it and on nothing earlier: what went before those two is left behind. A turn of which this is
    not known, and the neighbors of one, are no peaks.
    """
    found = set()
    for place in range(1, len(attention) - 1):
        before, here, after = attention[place - 1 : place + 2]
        if before is not None and here is not None and after is not None and before < here > after:
            found.add(place)
    return frozenset(found)
