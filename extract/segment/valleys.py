"""Where what is said before a message is unlike what is said after it, more so than around.

TextTiling (Hearst, Computational Linguistics 23(1), 1997) with vectors of messages in place of counts of words: the similarity of the two
blocks on the sides of each gap, and how deep a valley of it each gap lies in. A mere threshold on similarity finds no topics where people
talk about different things all the time; a valley stands out from what is around it.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from graph.model import Message


def depths(messages: Sequence[Message], vectors: Mapping[str, NDArray[np.float16]], block: int) -> dict[int, float]:
    """For each gap, by the place of the message after it, how deep it lies: what similarity rises to on both sides, added up.

    Args:
        messages: a run of them.
        vectors: of unit length, by message id; a gap without a vector on either side is left out.
        block: how many messages on each side are compared.
    """
    similar = _similarities(messages, vectors, block)
    gaps = list(similar)
    heights = list(similar.values())
    return {gap: _climbed(heights[at::-1]) + _climbed(heights[at:]) for at, gap in enumerate(gaps)}


def _similarities(messages: Sequence[Message], vectors: Mapping[str, NDArray[np.float16]], block: int) -> dict[int, float]:
    """The cosine of the sums of both blocks, by the place of the message after the gap."""
    known = {place: vectors[message.id].astype(np.float32) for place, message in enumerate(messages) if message.id in vectors}
    found: dict[int, float] = {}
    for gap in range(1, len(messages)):
        before = [known[place] for place in range(max(0, gap - block), gap) if place in known]
        after = [known[place] for place in range(gap, min(len(messages), gap + block)) if place in known]
        if before and after:
            one, other = np.sum(before, axis=0), np.sum(after, axis=0)
            length = float(np.linalg.norm(one) * np.linalg.norm(other))
            if length > 0:
                found[gap] = float(one @ other) / length
    return found


def _climbed(heights: Sequence[float]) -> float:
    """How far up it goes from the first to where it goes down again."""
    top = heights[0]
    for height in heights[1:]:
        if height < top:
            break
        top = height
    return top - heights[0]
