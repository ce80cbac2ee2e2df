"""Which candidates no longer hold, as of the moment asked for, and what stands in their place."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph.model import AsOf, Supersession
from graph.retrieval.changes.index import ChangeIndex
from graph.store.candidates import Candidates, CompactIds

# A chain of so many changes is followed to its end.
_LONGEST_CHAIN = 64
_LENDS = 0.5


@dataclass(frozen=True, slots=True)
class Standing:
    """Pairs of statements among the candidates, the older ones first: `newer` (e,) and `older` (e,) rows.

    Attributes:
        likely_newer, likely_older, likelihood: (l,) rows of messages of which one may replace the other, and how likely it does, 0 to 1;
            what was said first in front.
        replaced: (n,) statements that no longer hold.     repeated: (n,) statements that a later one says again.
    """

    newer: NDArray[np.int32]
    older: NDArray[np.int32]
    likely_newer: NDArray[np.int32]
    likely_older: NDArray[np.int32]
    likelihood: NDArray[np.float64]
    replaced: NDArray[np.bool_]
    repeated: NDArray[np.bool_]


def missing_successors(candidates: Candidates, fit: NDArray[np.float64], index: ChangeIndex, as_of: AsOf) -> tuple[str, ...]:
    """The ids of what stands in place of candidates and is not among them, and of the messages it rests on.

    Args:
        fit: (n,) how well each candidate fits the query by itself, 1 for the best: what fits half as well lends nothing that counts.
    """
    rows = _rows_of(candidates, index)
    changes = [change for id_, row in rows.items() if fit[row] >= _LENDS for change in _chain(id_, index.replaced_by, as_of)]
    wanted = (id_ for change in changes for id_ in (change.newer_id, *change.newer_evidence_ids))
    return tuple(dict.fromkeys(id_ for id_ in wanted if id_ not in rows))


def standing_of(candidates: Candidates, index: ChangeIndex, as_of: AsOf) -> Standing:
    """What the index says of these candidates."""
    rows = _rows_of(candidates, index)
    replaced, repeated = (np.zeros(len(candidates), dtype=bool) for _ in range(2))
    pairs: list[tuple[int, int]] = []
    likely: list[tuple[int, int, float]] = []
    for id_, row in rows.items():
        change = index.replaced_by.get(id_)
        if change is not None and as_of.sees(change):
            replaced[row] = True
            if change.newer_id in rows:
                pairs.append((rows[change.newer_id], row))
        again = index.repeated_by.get(id_)
        if again is not None and as_of.sees(again) and again.newer_id in rows:
            repeated[row] = True
        may_be = (change for change in index.may_be_replaced_by.get(id_, ()) if change.newer_id in rows and as_of.sees(change))
        likely.extend((rows[change.newer_id], row, change.confidence) for change in may_be)
    likely.sort(key=lambda pair: (int(candidates.said_at[pair[0]]), int(candidates.said_at[pair[1]])))
    may_newer, may_older, likelihood = zip(*likely, strict=True) if likely else ((), (), ())
    pairs.sort(key=lambda pair: int(candidates.said_at[pair[1]]))
    newer, older = (np.array(column, dtype=np.int32) for column in (zip(*pairs, strict=True) if pairs else ((), ())))
    return Standing(
        newer,
        older,
        np.array(may_newer, dtype=np.int32),
        np.array(may_older, dtype=np.int32),
        np.array(likelihood, dtype=np.float64),
        replaced,
        repeated,
    )


def _rows_of(candidates: Candidates, index: ChangeIndex) -> dict[str, int]:
    """By id the rows of the candidates that the index names: few, so that no other id is written out."""
    ids = candidates.ids
    if isinstance(ids, CompactIds):
        return ids.rows_of(index.named)
    named = set(index.named.values())
    return {id_: row for row, id_ in enumerate(ids) if id_ in named}


def _chain(id_: str, replaced_by: Mapping[str, Supersession], as_of: AsOf) -> list[Supersession]:
    found: list[Supersession] = []
    while (change := replaced_by.get(id_)) is not None and as_of.sees(change) and len(found) < _LONGEST_CHAIN:
        found.append(change)
        id_ = change.newer_id
    return found
