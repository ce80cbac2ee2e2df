"""Exports as files: JSON Lines of ExportElements in their protobuf JSON form, compressed when the name ends in ".gz"."""

import gzip
import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO

from google.protobuf.json_format import MessageToJson, ParseError
from google.protobuf.json_format import Parse as parse_json

from structmem._errors import InternalError, InvalidArgumentError
from structmem.v1 import exchange_pb2

FileLike = str | os.PathLike[str] | IO[str]
# Of an import's elements that travel together; the service takes up to 1,000 of them and, unless told otherwise, 64 MB.
_BATCH = 500
_BATCH_BYTES = 1 << 20


class ExportWriter:
    """Writes an export beside its final place and moves it there when it is whole, so that a broken one is never mistaken for it."""

    def __init__(self, destination: FileLike) -> None:
        self._path = None if isinstance(destination, io.IOBase) or hasattr(destination, "write") else Path(os.fspath(destination))
        self._partial = self._path and self._path.with_name(f".{self._path.name}.partial")
        self._out: IO[str] = _open(self._partial, "w", self._path) if self._partial and self._path else destination  # type: ignore[assignment]
        self._whole = False
        self.records = 0

    def write(self, elements: Sequence[exchange_pb2.ExportElement]) -> None:
        """Writes the next elements."""
        for element in elements:
            what = element.WhichOneof("element")
            self._whole = what == "trailer"
            self.records += what not in ("header", "trailer")
        self._out.write("".join(MessageToJson(element, indent=None) + "\n" for element in elements))

    def finish(self) -> int:
        """Puts the file in its place and returns the number of records. Raises InternalError when the export has no end."""
        if not self._whole:
            self.abandon()
            raise InternalError("the export broke off: its trailer is missing")
        if self._partial and self._path:
            self._out.close()
            self._partial.replace(self._path)
        else:
            self._out.flush()
        return self.records

    def abandon(self) -> None:
        """Drops what was written."""
        if self._partial and not self._out.closed:
            self._out.close()
            self._partial.unlink(missing_ok=True)


def read_export(source: FileLike) -> Iterator[exchange_pb2.ExportElement]:
    """The elements of an export, one a line. Raises InvalidArgumentError with the line's number."""
    if hasattr(source, "read"):
        yield from _elements(source)  # type: ignore[arg-type]
        return
    path = Path(os.fspath(source))
    with _open(path, "r", path) as lines:
        yield from _elements(lines)


def in_batches(elements: Iterable[exchange_pb2.ExportElement]) -> Iterator[list[exchange_pb2.ExportElement]]:
    """The elements in the runs in which they are sent."""
    batch: list[exchange_pb2.ExportElement] = []
    size = 0
    for element in elements:
        batch.append(element)
        size += element.ByteSize()
        if len(batch) == _BATCH or size >= _BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _elements(lines: IO[str]) -> Iterator[exchange_pb2.ExportElement]:
    number = 0
    try:
        for line in lines:
            number += 1
            if line.strip():
                yield parse_json(line, exchange_pb2.ExportElement())
    except ParseError:
        raise InvalidArgumentError.of(f"line {number}", "is no element of an export") from None
    except (OSError, EOFError, UnicodeError):
        raise InvalidArgumentError.of(f"line {number + 1}", "cannot be read; is the file whole?") from None


def _open(path: Path, mode: str, named: Path) -> IO[str]:
    if named.suffix == ".gz":
        return gzip.open(path, f"{mode}t", encoding="utf-8")  # type: ignore[return-value]
    return path.open(mode, encoding="utf-8")
