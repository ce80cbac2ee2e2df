"""Entries as arrays, checked: what one `add` appends to the columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from graph.store.search.entries import MemoryEntry


@dataclass(frozen=True, slots=True)
class EntryBatch:
    """n memories with p passages, q postings, s spans and e pieces of evidence, in the order given. Counts are per memory or
    per passage."""

    key: NDArray[np.int64]
    uuid: NDArray[np.uint8]
    kind: NDArray[np.int8]
    role: NDArray[np.int8]
    session: NDArray[np.int64]
    seq: NDArray[np.int32]
    said_at: NDArray[np.int64]
    features: NDArray[np.int32]
    speakers: list[str]
    passages: NDArray[np.int32]
    spans: NDArray[np.int32]
    evidences: NDArray[np.int32]
    passage_key: NDArray[np.int64]
    length: NDArray[np.int32]
    terms: NDArray[np.int32]
    term_hash: NDArray[np.uint64]
    term_count: NDArray[np.uint8]
    span: NDArray[np.int64]
    evidence: NDArray[np.int64]


def batch_of(entries: Sequence[MemoryEntry]) -> EntryBatch:
    """The entries as arrays. Of several with one key, the last counts.

    Raises:
        ValueError: a uuid is not 16 bytes, or a passage's hashes and counts differ in number.
    """
    if len({entry.key for entry in entries}) < len(entries):
        entries = list({entry.key: entry for entry in entries}.values())
    passages = [passage for entry in entries for passage in entry.passages]
    uuids = b"".join([entry.uuid for entry in entries])
    if len(uuids) != 16 * len(entries):
        raise ValueError("the uuid of an entry has 16 bytes")
    terms = np.array([len(passage.term_hashes) for passage in passages], np.int32)
    hashes = np.concatenate([passage.term_hashes for passage in passages]) if passages else np.empty(0)
    counts = np.concatenate([passage.term_counts for passage in passages]) if passages else np.empty(0)
    if len(hashes) != len(counts):
        raise ValueError("a passage has one count for each of its terms")
    evidence = [tuple(dict.fromkeys(entry.evidence)) for entry in entries]
    spans = [entry.spans for entry in entries]
    return EntryBatch(
        key=np.array([entry.key for entry in entries], np.int64),
        uuid=np.frombuffer(uuids, np.uint8).reshape(-1, 16),
        kind=np.array([entry.kind for entry in entries], np.int8),
        role=np.array([entry.role for entry in entries], np.int8),
        session=np.array([entry.session for entry in entries], np.int64),
        seq=np.array([entry.seq for entry in entries], np.int32),
        said_at=np.array([entry.said_at for entry in entries], np.int64),
        features=np.array([entry.features for entry in entries], np.int32),
        speakers=[entry.speaker for entry in entries],
        passages=np.array([len(entry.passages) for entry in entries], np.int32),
        spans=np.array([len(each) for each in spans], np.int32),
        evidences=np.array([len(each) for each in evidence], np.int32),
        passage_key=np.array([passage.key for passage in passages], np.int64),
        length=np.array([passage.length for passage in passages], np.int32),
        terms=terms,
        term_hash=hashes.astype(np.uint64, copy=False),
        term_count=counts.astype(np.uint8, copy=False),
        span=np.array(list(chain.from_iterable(spans)), np.int64).reshape(-1, 2),
        evidence=np.array(list(chain.from_iterable(evidence)), np.int64),
    )
