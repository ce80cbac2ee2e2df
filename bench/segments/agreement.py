"""How well two segmentations of one text agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Agreement:
    """Counts over one text or several: boundaries, and windows in which the two disagree whether their ends belong together."""

    segments: int = 0
    found: int = 0
    expected: int = 0
    right: int = 0
    windows: int = 0
    errors: int = 0

    def __add__(self, other: "Agreement") -> "Agreement":
        return Agreement(
            self.segments + other.segments,
            self.found + other.found,
            self.expected + other.expected,
            self.right + other.right,
            self.windows + other.windows,
            self.errors + other.errors,
        )

    def figures(self) -> dict[str, float]:
        """Precision, recall, F1 of the boundaries, and Pk, in percent; 0 where there is nothing to divide by."""
        both = self.found + self.expected
        shares = {
            "precision": (self.right, self.found),
            "recall": (self.right, self.expected),
            "f1": (2 * self.right, both),
            "pk": (self.errors, self.windows),
        }
        return {"segments": self.segments} | {
            name: round(100 * part / whole, 1) if whole else 0.0 for name, (part, whole) in shares.items()
        }


def agreement(found: Sequence[int], expected: Sequence[int]) -> Agreement:
    """Compares two segmentations, each given as the lengths of its segments.

    A boundary is right where the other has one, too. Pk (Beeferman, Berger and Lafferty, 1999) slides a window of half the mean expected
    length over the text and counts how often the two disagree on whether its ends are in one segment: 0 is best, 50 what chance gives.

    Raises:
        ValueError: the two are not of one text.
    """
    length = sum(expected)
    if sum(found) != length:
        raise ValueError(f"found: covers {sum(found)} of {length} messages")
    ours, theirs = _numbers(found), _numbers(expected)
    if not length:
        return Agreement()
    width = max(1, round(length / len(expected) / 2))
    windows = range(length - width)
    errors = sum((ours[at] == ours[at + width]) != (theirs[at] == theirs[at + width]) for at in windows)
    cuts, wanted = set(accumulate(found[:-1])), set(accumulate(expected[:-1]))
    return Agreement(len(found), len(cuts), len(wanted), len(cuts & wanted), len(windows), errors)


def _numbers(lengths: Sequence[int]) -> list[int]:
    """For each message the number of its segment."""
    return [number for number, length in enumerate(lengths) for _ in range(length)]
