"""Memories read from Neo4j as candidates: every one measured in every channel, in the columns of `Candidates`."""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from graph.store.candidates import CandidateQuery, Candidates, LexicalStatistics, StatisticsGroup
from graph.store.neo4j.searching.memories import FoundMemory
from graph.store.neo4j.searching.scoring import cosines, term_counts


def to_candidates(
    query: CandidateQuery,
    terms: NDArray[np.uint64],
    memories: Sequence[FoundMemory],
    eligible: Sequence[bool],
    statistics: Mapping[StatisticsGroup, LexicalStatistics],
    revision: int,
) -> Candidates:
    """The candidates, one row a memory; the memories ascend by key."""
    keys = np.array([m.key for m in memories], np.int64)
    passages = [(row, passage) for row, m in enumerate(memories) for passage in m.passages]
    speakers = {name: number for number, name in enumerate(dict.fromkeys(m.speaker for m in memories))}
    span_row, spans = _pairs([m.spans for m in memories], 2)
    statement, evidence = _pairs([m.evidence for m in memories], 1)
    message = _rows_of(keys, evidence[:, 0])
    previous = _rows_of(keys, np.array([m.previous for m in memories], np.int64))
    return Candidates(
        ids=[m.id for m in memories],
        kind=np.array([m.kind for m in memories], np.int8),
        role=np.array([m.role for m in memories], np.int8),
        session=np.array([m.session for m in memories], np.int64),
        seq=np.array([m.seq for m in memories], np.int64),
        speaker=np.array([speakers[m.speaker] for m in memories], np.int32),
        speakers=tuple(speakers),
        said_at=np.array([m.said_at for m in memories], np.int64),
        features=np.array([m.features for m in memories], np.int32),
        eligible=np.array(eligible, bool),
        previous=previous,
        next=_followers(previous),
        passage_row=np.array([row for row, _ in passages], np.int32),
        term_counts=term_counts(terms, [p.term_hashes for _, p in passages], [p.term_counts for _, p in passages]),
        length=np.array([p.length for _, p in passages], np.int32),
        similarity=cosines([p.v16 for _, p in passages], query.vector),
        span_row=span_row,
        span_start=spans[:, 0],
        span_end=spans[:, 1],
        statement_row=statement[message >= 0],
        message_row=message[message >= 0],
        statistics=statistics,
        revision=revision,
    )


def _pairs(blobs: Sequence[bytes], width: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The int64 that each row's bytes hold, `width` to a line, and the row of each line."""
    counts = [len(blob) // (8 * width) for blob in blobs]
    values = np.frombuffer(b"".join(blobs), "<i8").reshape(-1, width)
    return np.repeat(np.arange(len(blobs), dtype=np.int32), counts), values


def _rows_of(keys: NDArray[np.int64], wanted: NDArray[np.int64]) -> NDArray[np.int32]:
    """Where each wanted key stands among the ascending keys; -1 where it does not."""
    if not len(keys):
        return np.full(len(wanted), -1, np.int32)
    row = np.minimum(keys.searchsorted(wanted), len(keys) - 1)
    return np.where(keys[row] == wanted, row, -1).astype(np.int32)


def _followers(previous: NDArray[np.int32]) -> NDArray[np.int32]:
    """`next` from `previous`: the row whose previous one each is."""
    following = np.full(len(previous), -1, np.int32)
    linked = np.flatnonzero(previous >= 0)
    following[previous[linked]] = linked
    return following
