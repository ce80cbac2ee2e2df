"""Exports as files, compressed when the name ends in ".gz": JSON Lines in protobuf's JSON form. The first line is `{"header": …}`, the last
`{"trailer": …}`, each between them an ExportRecord."""

import gzip
import io
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from google.protobuf.json_format import MessageToJson, ParseError
from google.protobuf.json_format import Parse as parse_json
from google.protobuf.message import Message

from structmem._errors import InternalError, InvalidArgumentError
from structmem.v1.exchange_pb2 import ExportBatch, ExportRecord
from structmem.v1.memory_service_pb2 import ExportNamespaceResponse

FileLike = str | os.PathLike[str] | IO[str]
# Of an import's records that travel together; the service takes up to 1,000 of them and, unless told otherwise, 16 MB.
_BATCH = 500
_BATCH_BYTES = 1 << 20
_FRAME = re.compile(r'\s*\{\s*"(header|trailer)"')


class ExportWriter:
    """Writes an export beside its final place and moves it there when it is whole, so that a broken one is never mistaken for it."""

    def __init__(self, destination: FileLike) -> None:
        self._path = None if isinstance(destination, io.IOBase) or hasattr(destination, "write") else Path(os.fspath(destination))
        self._partial = self._path and self._path.with_name(f".{self._path.name}.partial")
        self._out: IO[str] = _open(self._partial, "w", self._path) if self._partial and self._path else destination  # type: ignore[assignment]
        self._whole = False
        self.records = 0

    def write(self, part: ExportNamespaceResponse) -> None:
        """Writes the next part."""
        self._whole = part.HasField("trailer")
        self.records += len(part.batch.records)
        lines: Sequence[Message] = part.batch.records if part.HasField("batch") else [part]
        self._out.write("".join(MessageToJson(line, indent=None) + "\n" for line in lines))

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


def read_export(source: FileLike) -> Iterator[ExportNamespaceResponse]:
    """The parts of an export. Raises InvalidArgumentError with the line's number."""
    if hasattr(source, "read"):
        yield from _parts(source)  # type: ignore[arg-type]
        return
    path = Path(os.fspath(source))
    with _open(path, "r", path) as lines:
        yield from _parts(lines)


def _parts(lines: IO[str]) -> Iterator[ExportNamespaceResponse]:
    batch, size = ExportBatch(), 0
    for line in _parsed(lines):
        if isinstance(line, ExportRecord):
            batch.records.append(line)
            size += line.ByteSize()
        whole = isinstance(line, ExportNamespaceResponse) or len(batch.records) == _BATCH or size >= _BATCH_BYTES
        if batch.records and whole:
            yield ExportNamespaceResponse(batch=batch)
            batch, size = ExportBatch(), 0
        if isinstance(line, ExportNamespaceResponse):
            yield line
    if batch.records:
        yield ExportNamespaceResponse(batch=batch)


def _parsed(lines: IO[str]) -> Iterator[ExportRecord | ExportNamespaceResponse]:
    """Each line is a record, or one of the two parts that frame them."""
    number = 0
    try:
        for line in lines:
            number += 1
            if line.strip():
                yield parse_json(line, ExportNamespaceResponse() if _FRAME.match(line) else ExportRecord())
    except ParseError:
        raise InvalidArgumentError.of(f"line {number}", "is no part of an export") from None
    except (OSError, EOFError, UnicodeError):
        raise InvalidArgumentError.of(f"line {number + 1}", "cannot be read; is the file whole?") from None


def _open(path: Path, mode: str, named: Path) -> IO[str]:
    if named.suffix == ".gz":
        return gzip.open(path, f"{mode}t", encoding="utf-8")  # type: ignore[return-value]
    return path.open(mode, encoding="utf-8")
