"""Why something was found, in a line."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from structmem import Contribution


def why(contributions: "Iterable[Contribution]") -> str:
    """What each signal added to a score, what added most first, such as "why: 0.312 dense + 0.120 lexical"; "" where nothing did."""
    parts = sorted(contributions, key=lambda part: -abs(part.points))
    return "why: " + " + ".join(f"{part.points:.3f} {part.signal}" for part in parts) if parts else ""
