"""What words and texts attend to, from the pass of the model that judges the words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from extract.compress.choosing import ReadText
from extract.compress.windows import Window


class Attention:
    """Gathers it over the windows of one conversation."""

    def __init__(self, texts: Sequence[ReadText]) -> None:
        self._paid = [[0.0] * len(one.words) for one in texts]
        self._to_previous: dict[int, float] = {}

    def add(self, window: Window, paid: NDArray[np.float32]) -> None:
        """`paid`: (pieces, pieces), how much each row attends to each column; what goes to the model's own signs is left out."""
        shares = paid / np.maximum(paid.sum(axis=1, keepdims=True), 1e-12)
        received = window.by_word((shares.mean(axis=0) * len(window.pieces)).tolist())
        for (number, place), one in zip(window.words, received, strict=True):
            self._paid[number][place] = one
        spans = _spans(window)
        for number, (begin, end) in spans.items():
            if number - 1 in spans and number not in self._to_previous:
                first, last = spans[number - 1]
                self._to_previous[number] = float(shares[begin:end, first:last].sum(axis=1).mean())

    def of(self, number: int, kept: Sequence[bool]) -> tuple[float, ...]:
        """What the kept words of the text with this number were paid."""
        return tuple(one for one, stays in zip(self._paid[number], kept, strict=True) if stays)

    def to_previous(self, number: int) -> float | None:
        """How much this text attends to the one before it; None where no window holds words of both."""
        return self._to_previous.get(number)


def _spans(window: Window) -> dict[int, tuple[int, int]]:
    """Where the pieces of each text begin and end."""
    spans: dict[int, tuple[int, int]] = {}
    for (number, _), begin, end in zip(window.words, window.begins, window.begins[1:], strict=False):
        spans[number] = (spans.get(number, (begin, end))[0], end)
    return spans
