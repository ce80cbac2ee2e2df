"""One immutable state of the index: what a search reads from beginning to end while writers put a successor in its place."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph.store.search.columns import LinkColumns, MemoryColumns, PassageColumns, Totals
from graph.store.search.postings import Segment
from graph.store.search.runs import SortedRuns
from graph.store.search.signbits import SignBits
from graph.store.search.vectors import VectorCache


@dataclass(frozen=True, slots=True)
class IndexState:
    """Everything a search needs.

    Attributes:
        keys: memory key -> row.  passage_keys: passage key -> passage.  dependents: key of a message -> rows of statements that rest on it.
        dead: passages of removed memories, ascending, until the index is compacted.
        signs: None until enough vectors for a mean have arrived; dense search reads all vectors until then.
        speakers: names by their number in the `speaker` column.
    """

    revision: int
    memories: MemoryColumns
    passages: PassageColumns
    links: LinkColumns
    keys: SortedRuns
    passage_keys: SortedRuns
    dependents: SortedRuns
    segments: tuple[Segment, ...]
    totals: Totals
    dead: NDArray[np.int32]
    signs: SignBits | None
    embedded_count: int
    cache: VectorCache
    speakers: tuple[str, ...]
