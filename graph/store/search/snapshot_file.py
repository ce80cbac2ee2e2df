"""A snapshot of the index as one file: a header in JSON, then arrays, each with its checksum.

8 bytes   b"SMINDEX\\n"
8 bytes   length of the header, little-endian
4 bytes   CRC-32 of the header
header    {"version", "facts": what is not an array, "arrays": [[name, dtype, shape, crc32], ...]}
arrays    in that order, each at the next multiple of 64 bytes
"""

import json
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from graph.errors import StructMemError

FORMAT_VERSION = 2
_MAGIC = b"SMINDEX\n"
_ALIGNMENT = 64
_MAX_HEADER = 64 * 2**20


class IndexSnapshotDamaged(StructMemError):
    """The file is not a whole snapshot of this version. Nothing is lost: the index is derived and can be built anew."""

    reason = "INDEX_SNAPSHOT_DAMAGED"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Arrays by name, and what else must be kept, as JSON."""

    facts: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def write_snapshot(path: Path, snapshot: Snapshot) -> None:
    """Writes the file beside its place and moves it there, so that a crash leaves the old one or the new one.

    Raises:
        OSError: it could not be written; what was there before is untouched.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in snapshot.arrays.items()}
    listed = [[name, array.dtype.str, array.shape, zlib.crc32(_bytes(array))] for name, array in arrays.items()]
    header = json.dumps({"version": FORMAT_VERSION, "facts": snapshot.facts, "arrays": listed}).encode()
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("wb") as file:
            file.write(_MAGIC + len(header).to_bytes(8, "little") + zlib.crc32(header).to_bytes(4, "little") + header)
            for array in arrays.values():
                file.write(bytes(-file.tell() % _ALIGNMENT))
                file.write(_bytes(array))
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_snapshot(path: Path) -> Snapshot:
    """Reads and checks a file.

    Raises:
        IndexSnapshotDamaged: it is damaged, cut short, or of another version.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        header = _read_header(file)
        arrays: dict[str, NDArray[Any]] = {}
        for name, dtype, shape, checksum in header["arrays"]:
            file.seek(-file.tell() % _ALIGNMENT, os.SEEK_CUR)
            arrays[name] = _read_array(file, np.dtype(dtype), tuple(shape), checksum)
    return Snapshot(header["facts"], arrays)


def _read_header(file: IO[bytes]) -> dict[str, Any]:
    start = file.read(20)
    size, checksum = int.from_bytes(start[8:16], "little"), int.from_bytes(start[16:20], "little")
    if len(start) < 20 or start[:8] != _MAGIC or size > _MAX_HEADER:
        raise IndexSnapshotDamaged("not a snapshot of a search index")
    text = file.read(size)
    if len(text) < size or zlib.crc32(text) != checksum:
        raise IndexSnapshotDamaged("the header of the snapshot is damaged")
    header: dict[str, Any] = json.loads(text)
    if header["version"] != FORMAT_VERSION:
        raise IndexSnapshotDamaged(f"the snapshot has format {header['version']}, not {FORMAT_VERSION}")
    return header


def _read_array(file: IO[bytes], dtype: np.dtype[Any], shape: tuple[int, ...], checksum: int) -> NDArray[Any]:
    # The header's own checksum held, so the shape is what was written; a file that was cut short must still not make room for it all.
    expected = dtype.itemsize * int(np.prod(shape, dtype=np.int64))
    if os.fstat(file.fileno()).st_size - file.tell() < expected:
        raise IndexSnapshotDamaged("the snapshot is cut short")
    array = np.empty(shape, dtype)
    if file.readinto(_bytes(array)) != expected or zlib.crc32(_bytes(array)) != checksum:  # type: ignore[attr-defined]  # io.BufferedReader has it
        raise IndexSnapshotDamaged("the data of the snapshot is damaged")
    return array


def _bytes(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data
