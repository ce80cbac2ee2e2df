"""Topic changes where the attention of a language model peaks and the similarity of vectors agrees."""

from collections.abc import Sequence


def attention_cuts(attention: Sequence[float], similarity: Sequence[float], drop: float) -> tuple[int, ...]:
    """Indexes of the turns before which a topic ends, after LightMem (arXiv:2510.18866): peaks of attention that similarity confirms.

    `attention[i]` is how much turn i + 1 attends to turn i, and `similarity[i]` their cosine. A peak stands above the value before it and
    not below the one after it. The last value is no peak, because what comes after it is not known: a boundary that was told stays when
    more values come. The first is none either.

    Args:
        attention: one value for each pair of neighboring turns.
        similarity: cosines of the same pairs.
        drop: a peak ends a topic where the cosine is below this.

    Raises:
        ValueError: the two are not of one length.
    """
    if len(attention) != len(similarity):
        raise ValueError(f"similarity: has {len(similarity)} values for {len(attention)} of attention")
    return tuple(
        place + 1
        for place in range(1, len(attention) - 1)
        if attention[place - 1] < attention[place] >= attention[place + 1] and similarity[place] < drop
    )
