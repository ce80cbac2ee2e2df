"""A line of a context on its way: which memory, and what of it is told."""

from dataclasses import dataclass
from datetime import UTC, tzinfo

from graph.retrieval.answer import Hit


@dataclass(frozen=True, slots=True)
class Line:
    """A memory with its line, which may be cut. `zone`: of the line's date."""

    hit: Hit
    text: str
    zone: tzinfo = UTC
