"""Where a generated namespace waits until it is loaded: the records of its import, serialised, so that generating does not slow the load.

Records are made session by session but an import wants them kind by kind, so each kind has a file of its own.
"""

import hashlib
import struct
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType

import numpy as np
from google.protobuf.message import Message
from numpy.typing import NDArray
from structmem.v1 import exchange_pb2, memory_service_pb2, node_pb2

_LENGTH = struct.Struct("<I")
_READ_BYTES = 1 << 20
BATCH = 500
# The order of an export: header first, trailer last.
KINDS = ("header", "session", "message", "entity", "statement", "event", "edge", "progress", "vector", "trailer")


class Spool:
    """Writes the records of one namespace into a directory."""

    def __init__(self, directory: Path, header: exchange_pb2.ExportHeader) -> None:
        directory.mkdir(parents=True)
        self._directory = directory
        self._files = {kind: (directory / kind).open("wb", buffering=_READ_BYTES) for kind in KINDS}
        self.records = 0
        self._write("header", header)

    def __enter__(self) -> "Spool":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for name in KINDS[:-1]:
            self._files[name].close()
        if error is None:
            self._finish()
        self._files["trailer"].close()

    def node(self, node: node_pb2.Node) -> None:
        """Adds a node."""
        self._add(node.WhichOneof("kind") or "", exchange_pb2.ExportRecord(node=node))

    def edge(self, edge: node_pb2.Edge) -> None:
        """Adds an edge that no node implies."""
        self._add("edge", exchange_pb2.ExportRecord(edge=edge))

    def progress(self, progress: exchange_pb2.SessionProgress) -> None:
        """Adds how far a session is extracted."""
        self._add("progress", exchange_pb2.ExportRecord(progress=progress))

    def vector(self, owner_id: str, vector: NDArray[np.float32]) -> None:
        """Adds the vector of a node's only passage."""
        passage = exchange_pb2.PassageVector(owner_id=owner_id, float16_values=vector.astype("<f2").tobytes())
        self._add("vector", exchange_pb2.ExportRecord(vector=passage))

    def _add(self, kind: str, record: exchange_pb2.ExportRecord) -> None:
        self.records += 1
        self._write(kind, record)

    def _write(self, kind: str, part: Message) -> None:
        content = part.SerializeToString(deterministic=True)
        self._files[kind].write(_LENGTH.pack(len(content)) + content)

    def _finish(self) -> None:
        digest = hashlib.sha256()
        for kind in KINDS[1:-1]:
            for content in _pieces(self._directory / kind):
                digest.update(content)
        self._write("trailer", exchange_pb2.ExportTrailer(record_count=self.records, sha256=digest.digest()))


def records(directory: Path, kind: str) -> Iterator[exchange_pb2.ExportRecord]:
    """The records of one kind of a spooled namespace, in the order of their making; `kind` is one of KINDS, without the two ends."""
    return map(exchange_pb2.ExportRecord.FromString, _pieces(directory / kind))


def requests(directory: Path) -> Iterator[tuple[int, bytes]]:
    """The messages of the ImportNamespace stream of a spooled namespace, serialised, each with the number of records it brings."""
    header = exchange_pb2.ExportHeader.FromString(next(_pieces(directory / "header")))
    yield 0, _ImportRequest(header=memory_service_pb2.ImportNamespaceHeader(export_header=header)).SerializeToString()
    for kind in KINDS[1:-1]:
        remaining = _pieces(directory / kind)
        while batch := list(islice(remaining, BATCH)):
            yield len(batch), _request(_BATCH, b"".join(_ONE_OF_MANY + _varint(len(record)) + record for record in batch))
    yield 0, _request(_TRAILER, next(_pieces(directory / "trailer")))


_ImportRequest = memory_service_pb2.ImportNamespaceRequest
# Serialised records are wrapped as they stand: a tag (number of the field, length-delimited), a length, the content.
_BATCH = bytes([_ImportRequest.BATCH_FIELD_NUMBER << 3 | 2])
_TRAILER = bytes([_ImportRequest.TRAILER_FIELD_NUMBER << 3 | 2])
_ONE_OF_MANY = bytes([exchange_pb2.ExportBatch.RECORDS_FIELD_NUMBER << 3 | 2])


def _request(tag: bytes, content: bytes) -> bytes:
    return tag + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb", buffering=_READ_BYTES) as file:
        while prefix := file.read(_LENGTH.size):
            yield file.read(_LENGTH.unpack(prefix)[0])
