"""Records of an export, to the contract."""

import hashlib
from collections.abc import Sequence

import numpy as np
from structmem.v1 import exchange_pb2

from graph.model import Edge
from graph.store.port import ExportRecord, ExtractedSpan, PassageVector, SessionProgress
from service.convert.edges import edge_to_proto
from service.convert.nodes import node_to_proto


def record_to_proto(record: ExportRecord) -> exchange_pb2.ExportRecord:
    """One record."""
    match record:
        case Edge():
            return exchange_pb2.ExportRecord(edge=edge_to_proto(record))
        case SessionProgress():
            spans = map(_span_to_proto, record.spans)
            progress = exchange_pb2.SessionProgress(
                session=record.session,
                extracted_seq=record.extracted_seq,
                flush_marks=record.flush_marks,
                again=record.again,
                spans=spans,
            )
            return exchange_pb2.ExportRecord(progress=progress)
        case PassageVector():
            values = np.ascontiguousarray(record.vector, dtype="<f2").tobytes()
            vector = exchange_pb2.PassageVector(owner_id=record.owner_id, ordinal=record.ordinal, float16_values=values)
            return exchange_pb2.ExportRecord(vector=vector)
        case _:
            return exchange_pb2.ExportRecord(node=node_to_proto(record, whole=True))


class Tally:
    """Counts the records of an export, and digests their deterministic serialization in order."""

    def __init__(self) -> None:
        self._records = 0
        self._digest = hashlib.sha256()

    def add(self, records: Sequence[exchange_pb2.ExportRecord]) -> None:
        """Counts the next records."""
        self._records += len(records)
        self._digest.update(b"".join([record.SerializeToString(deterministic=True) for record in records]))

    @property
    def records(self) -> int:
        """How many records were counted."""
        return self._records

    def trailer(self) -> exchange_pb2.ExportTrailer:
        """The last part of the export."""
        return exchange_pb2.ExportTrailer(record_count=self._records, sha256=self._digest.digest())


def _span_to_proto(span: ExtractedSpan) -> exchange_pb2.ExtractedSpan:
    return exchange_pb2.ExtractedSpan(first_seq=span.first, last_seq=span.last, read_from_seq=span.read_from, call=span.call)
