"""Vectors that do not fit in memory, in a file without a name: rows of half precision by passage number.

Reading a vector from the database costs some 5 µs; from here two, and little for those that lie close to one another. The file is the
process's own: it has no name, so that it goes with the process and is never found in another state than this process left it in. It is read
and not mapped: mapped pages count as resident memory, and unmapping them costs more than reading does.
"""

import os
import tempfile
import threading
import weakref
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

# Passing over so many bytes costs less than a second read (2 µs).
_GAP_BYTES = 8_192
# Half more room at each growth, as in `growth`.
_GROWTH = 1.5


class SpilledVectors:
    """Vectors of one index in a file without a name. Safe for several threads. When the file fails it holds nothing more."""

    def __init__(self, dimension: int, directory: Path) -> None:
        self._dimension = dimension
        self._row_bytes = 2 * dimension
        self._directory = directory
        self._lock = threading.Lock()
        self._file = -1
        self._held: NDArray[np.bool_] = np.empty(0, bool)
        self._failed = False

    def read(self, passages: NDArray[np.intp]) -> tuple[NDArray[np.bool_], NDArray[np.float16]]:
        """Which of the passages (ascending) are here, and the vectors of those."""
        held = self._held
        if not len(held) or self._failed or not len(passages):
            return np.zeros(len(passages), bool), self._empty()
        here = held.take(passages, mode="clip") & (passages < len(held))
        wanted = passages if here.all() else passages[here]
        size = self._row_bytes
        starts, ends = _stretches(wanted, _GAP_BYTES // size)
        try:
            parts = [os.pread(self._file, (end - start) * size, start * size) for start, end in zip(starts, ends, strict=True)]
        except OSError:
            parts = []
        content = b"".join(parts)
        lengths = np.array(ends, np.intp) - np.array(starts, np.intp)
        if len(content) != int(lengths.sum()) * size:
            self._failed = True
            return np.zeros(len(passages), bool), self._empty()
        rows = np.frombuffer(content, np.float16).reshape(-1, self._dimension)
        if len(rows) > len(wanted):
            # Where a passage's row has come to lie among those of its stretch and of the stretches before.
            stretch = np.searchsorted(starts, wanted, "right") - 1
            rows = rows.take(wanted - (np.array(starts, np.intp) - (np.cumsum(lengths) - lengths))[stretch], axis=0)
        return here, rows

    def put(self, passages: NDArray[np.intp], vectors: NDArray[np.float16], size: int) -> None:
        """Keeps these vectors, of the first `size` passages of the index."""
        with self._lock:
            if self._failed or not len(passages):
                return
            order = np.argsort(passages, kind="stable")
            passages, content = passages[order], np.ascontiguousarray(vectors[order], np.float16).view(np.uint8)
            if self._write(passages, content):
                self._reserve(size)
                # After the rows: a search that runs beside reads one only when it sees this.
                self._held[passages] = True

    def erase(self, passages: NDArray[np.intp]) -> None:
        """Overwrites the vectors of passages (ascending) that were removed."""
        with self._lock:
            gone = passages[passages < len(self._held)]
            gone = gone[self._held[gone]]
            self._held[gone] = False
            if len(gone):
                self._write(gone, np.zeros((len(gone), self._row_bytes), np.uint8))

    def _write(self, passages: NDArray[np.intp], content: NDArray[np.uint8]) -> bool:
        try:
            self._open()
            offset = 0
            for start, end in zip(*_stretches(passages), strict=True):
                part = content[offset : offset + end - start]
                if os.pwrite(self._file, part.data, start * self._row_bytes) != part.nbytes:
                    raise OSError("the file takes no more")
                offset += end - start
        except OSError:
            self._failed = True
            return False
        return True

    def _open(self) -> None:
        if self._file < 0:
            with tempfile.TemporaryFile(dir=self._directory) as file:
                self._file = os.dup(file.fileno())
            weakref.finalize(self, os.close, self._file)

    def _reserve(self, passages: int) -> None:
        if passages > len(self._held):
            held = np.zeros(max(passages, int(len(self._held) * _GROWTH)), bool)
            held[: len(self._held)] = self._held
            self._held = held

    def _empty(self) -> NDArray[np.float16]:
        return np.empty((0, self._dimension), np.float16)


def _stretches(passages: NDArray[np.intp], gap: int = 0) -> tuple[list[int], list[int]]:
    """The first and the end of each run of passages (ascending, distinct) that follow one another, or leave out `gap` at most."""
    if not len(passages):
        return [], []
    breaks = (passages[1:] > passages[:-1] + (1 + gap)).nonzero()[0]
    starts = [int(passages[0]), *passages[breaks + 1].tolist()]
    ends = [*(passages[breaks] + 1).tolist(), int(passages[-1]) + 1]
    return starts, ends
