import hashlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from structmem.v1 import exchange_pb2, memory_service_pb2, namespace_pb2, node_pb2

from bench.scale.conversations import Conversations, Plan
from bench.scale.degrees import Degrees
from bench.scale.spool import requests
from bench.scale.vectors import DIMENSION, Vectors
from bench.scale.words import Zipf, vocabulary

GENERATION = namespace_pb2.Generation(number=1, extractor="local", fingerprint="f", mode=namespace_pb2.EXTRACTION_MODE_EVENT)


@dataclass
class Export:
    """What an import stream holds."""

    header: exchange_pb2.ExportHeader
    records: list[exchange_pb2.ExportRecord]
    trailer: exchange_pb2.ExportTrailer


def export_of(directory: Path) -> Export:
    stream = list(requests(directory))
    header, *batches, trailer = [memory_service_pb2.ImportNamespaceRequest.FromString(request) for _, request in stream]
    records = [record for batch in batches for record in batch.batch.records]
    assert sum(count for count, _ in stream) == len(records)
    return Export(header.header.export_header, records, trailer.trailer)


def test_words_follow_zipf() -> None:
    words = vocabulary(5_000)
    drawn = Counter(Zipf(words, np.random.default_rng(1)).draw(100_000))

    assert len(set(words)) == 5_000
    assert drawn[words[0]] > 3 * drawn[words[20]] > 9 * drawn[words[1_000]]


def test_vectors_have_topics() -> None:
    vectors = Vectors(np.random.default_rng(1))
    first, same, other = vectors.session(5, 50), vectors.session(5, 50), vectors.session(900, 50)

    assert np.allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)
    assert (first @ same.T).mean() > 0.3 > 0.2 > (first @ other.T).mean()


def test_a_spooled_namespace_is_a_whole_export(tmp_path: Path) -> None:
    plan = Plan("bench/x", 300, 20, 1, GENERATION)
    records, probes = Conversations(plan, Degrees()).spool(tmp_path / "spool")

    export = export_of(tmp_path / "spool")
    assert export.header.namespace.name == "bench/x"
    assert export.trailer.record_count == records == len(export.records)
    digest = hashlib.sha256(b"".join(record.SerializeToString(deterministic=True) for record in export.records))
    assert export.trailer.sha256 == digest.digest()
    assert 5 <= len(probes) <= 80
    assert all(len(probe.vector) == DIMENSION and probe.query for probe in probes)


def test_every_end_of_an_edge_is_there(tmp_path: Path) -> None:
    Conversations(Plan("bench/x", 200, 5, 2, GENERATION), Degrees()).spool(tmp_path / "spool")
    ids: set[str] = set()
    named: set[str] = set()
    messages = 0
    for record in export_of(tmp_path / "spool").records:
        match record.WhichOneof("kind"):
            case "node":
                kind = record.node.WhichOneof("kind") or ""
                ids.add(getattr(record.node, kind).id)
                messages += kind == "message"
                named.update(_named(record.node))
            case "edge":
                named.update((record.edge.source_id, record.edge.target_id))
            case "vector":
                named.add(record.vector.owner_id)

    assert messages == 200
    assert named <= ids


def _named(node: node_pb2.Node) -> list[str]:
    match node.WhichOneof("kind"):
        case "statement":
            return [node.statement.event_id, *node.statement.entity_ids, *node.statement.evidence_ids]
        case "event":
            event = node.event
            return [*event.statement_ids, *event.evidence_ids, *(part.entity_id for part in event.participants)]
    return []
