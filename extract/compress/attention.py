"""How much a turn attends to the one before it, from the pass of the model that judges the words.

After LightMem (arXiv:2510.18866): attention between turns is what the pieces of one pay to those of the other, added up, on average over
the pieces that pay. Of what a turn pays to all turns before it the one right before it gets a share.
"""

import numpy as np
from numpy.typing import NDArray

from extract.compress.windows import Window


def attention_to_previous(window: Window, paid: NDArray[np.float32]) -> dict[int, float]:
    """That share, from 0 to 1, by the number of the text; only of texts that have two others before them in the window.

    `paid`: (pieces, pieces), how much each row attends to each column.
    """
    spans = _spans(window)
    found: dict[int, float] = {}
    for number, (begin, end) in spans.items():
        if number - 1 not in spans or number - 2 not in spans:
            continue
        to_earlier = paid[begin:end, :begin].sum(axis=1).mean()
        first, last = spans[number - 1]
        if to_earlier > 0:
            found[number] = float(paid[begin:end, first:last].sum(axis=1).mean() / to_earlier)
    return found


def _spans(window: Window) -> dict[int, tuple[int, int]]:
    """Where the pieces of each text begin and end."""
    spans: dict[int, tuple[int, int]] = {}
    for (number, _), begin, end in zip(window.words, window.begins, window.begins[1:], strict=False):
        spans[number] = (spans.get(number, (begin, end))[0], end)
    return spans
