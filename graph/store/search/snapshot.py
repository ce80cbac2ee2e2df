"""The state of the index as named arrays for a file, and back."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from graph.store.search.columns import Totals
from graph.store.search.postings import Segment
from graph.store.search.runs import SortedRuns
from graph.store.search.signbits import SignBits
from graph.store.search.snapshot_file import Snapshot
from graph.store.search.state import IndexState
from graph.store.search.tables import Tables

Early = list[tuple[NDArray[np.intp], NDArray[np.float16]]]

_COLUMNS = ("memory.", "passage.", "link.")
_RUNS = ("keys", "passage_keys", "dependents")
_SEGMENT = ("terms", "offsets", "passage", "count")


def snapshot_of(dimension: int, state: IndexState, tables: Tables, early: Early) -> Snapshot:
    """Everything of a state without dead rows. What writers change in place is copied, so that it can be written while they go on."""
    arrays: dict[str, NDArray[Any]] = dict(tables.arrays)
    arrays["memory.next"] = arrays["memory.next"].copy()
    for name in _RUNS:
        runs: SortedRuns = getattr(state, name)
        for number, (keys, rows) in enumerate(runs.runs):
            arrays[f"{name}.{number}.keys"], arrays[f"{name}.{number}.rows"] = keys, rows
    for number, segment in enumerate(state.segments):
        for part in _SEGMENT:
            arrays[f"segment.{number}.{part}"] = getattr(segment, part)
    if state.signs is not None:
        arrays["signs.mean"] = state.signs.mean
        arrays["signs.words"] = state.signs.words[:, : len(state.passages)].copy()
    for number, (passages, vectors) in enumerate(early):
        arrays[f"early.{number}.passages"], arrays[f"early.{number}.vectors"] = passages.astype(np.int64), vectors
    facts = {
        "dimension": dimension,
        "revision": state.revision,
        "speakers": list(state.speakers),
        "passages": state.totals.passages,
        "terms": state.totals.terms,
        "segments": [[segment.first, segment.end] for segment in state.segments],
    }
    return Snapshot(facts, arrays)


def column_arrays(snapshot: Snapshot) -> dict[str, NDArray[Any]]:
    """The columns of memories, passages and links."""
    return {name: array for name, array in snapshot.arrays.items() if name.startswith(_COLUMNS)}


def restored(snapshot: Snapshot, empty: IndexState, tables: Tables) -> tuple[IndexState, Early]:
    """The state that was saved, on an empty one."""
    facts, arrays = snapshot.facts, snapshot.arrays
    segments = tuple(
        Segment(first, end, *(arrays[f"segment.{number}.{part}"] for part in _SEGMENT))
        for number, (first, end) in enumerate(facts["segments"])
    )
    state = replace(
        empty,
        revision=facts["revision"],
        memories=tables.memories,
        passages=tables.passages,
        links=tables.links,
        keys=_runs(arrays, "keys"),
        passage_keys=_runs(arrays, "passage_keys"),
        dependents=_runs(arrays, "dependents"),
        segments=segments,
        totals=Totals(tuple(facts["passages"]), tuple(facts["terms"])),
        signs=SignBits(arrays["signs.words"], arrays["signs.mean"]) if "signs.words" in arrays else None,
        embedded_count=int(np.count_nonzero(tables.passages.embedded)),
        speakers=tables.speakers,
    )
    early = [
        (arrays[f"early.{number}.passages"].astype(np.intp), arrays[f"early.{number}.vectors"])
        for number in range(sum(name.startswith("early.") for name in arrays) // 2)
    ]
    return state, early


def _runs(arrays: dict[str, NDArray[Any]], name: str) -> SortedRuns:
    count = sum(key.startswith(f"{name}.") for key in arrays) // 2
    return SortedRuns(tuple((arrays[f"{name}.{number}.keys"], arrays[f"{name}.{number}.rows"]) for number in range(count)))
