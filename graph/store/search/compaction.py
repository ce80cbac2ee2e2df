"""Leaving out dead rows: new columns, and the new numbers of rows and passages."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.store.search.growth import ranges

Arrays = dict[str, NDArray[Any]]


def compacted_arrays(arrays: Arrays) -> tuple[Arrays, NDArray[np.int32], NDArray[np.int32]]:
    """The columns without dead rows, and the new number of each old row and passage (-1 for the dead)."""
    rows = np.flatnonzero(arrays["memory.live"])
    row_number = _numbers(arrays["memory.live"])
    passage_number = _numbers(arrays["passage.live"])
    result: Arrays = {}
    for name, column in arrays.items():
        if name.startswith("memory.") and not name.startswith("memory.first_"):
            result[name] = column[rows]
        elif name.startswith("passage."):
            result[name] = column[passage_number >= 0]
    for name in ("memory.previous", "memory.next"):
        result[name] = _renumbered(result[name], row_number)
    result["passage.owner"] = row_number[result["passage.owner"]]
    for name, columns in (("passage", ()), ("span", ("link.span_start", "link.span_end")), ("evidence", ("link.evidence",))):
        first = arrays[f"memory.first_{name}"]
        count = np.diff(first)[rows]
        result[f"memory.first_{name}"] = np.r_[0, np.cumsum(count)].astype(np.int32)
        kept = ranges(first[rows], count)
        for column_name in columns:
            result[column_name] = arrays[column_name][kept]
    return result, row_number, passage_number


def _numbers(live: NDArray[np.bool_]) -> NDArray[np.int32]:
    numbers = np.cumsum(live, dtype=np.int32) - 1
    numbers[~live] = -1
    return numbers


def _renumbered(links: NDArray[np.int32], row_number: NDArray[np.int32]) -> NDArray[np.int32]:
    return np.where(links >= 0, row_number[links], -1).astype(np.int32)
