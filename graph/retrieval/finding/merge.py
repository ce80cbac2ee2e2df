"""Joining the candidates that the graph found to those that the channels found."""

import numpy as np
from numpy.typing import NDArray

from graph.store.candidates import Candidates

Ints = NDArray[np.int32]


def merged(first: Candidates, second: Candidates) -> Candidates:
    """The rows of both, those of `first` where they are, each memory once. Both answer the same query; `second` has the statistics."""
    row_of = {id_: row for row, id_ in enumerate(first.ids)}
    new = np.array([id_ not in row_of for id_ in second.ids], dtype=bool)
    if not new.any():
        return first
    joint_row = np.empty(len(second), dtype=np.int32)
    joint_row[new] = len(first) + np.arange(int(new.sum()), dtype=np.int32)
    joint_row[~new] = [row_of[id_] for id_, is_new in zip(second.ids, new, strict=True) if not is_new]
    speakers, speaker = _joint_speakers(first, second)
    passages = new[second.passage_row]
    spans = new[second.span_row]
    pairs = new[second.statement_row] | new[second.message_row]
    return Candidates(
        ids=[*first.ids, *(id_ for id_, is_new in zip(second.ids, new, strict=True) if is_new)],
        kind=np.r_[first.kind, second.kind[new]],
        role=np.r_[first.role, second.role[new]],
        session=np.r_[first.session, second.session[new]],
        seq=np.r_[first.seq, second.seq[new]],
        speaker=np.r_[first.speaker, speaker[new]],
        speakers=speakers,
        said_at=np.r_[first.said_at, second.said_at[new]],
        features=np.r_[first.features, second.features[new]],
        eligible=np.r_[first.eligible, second.eligible[new]],
        previous=_joint_neighbours(first.previous, second.previous, joint_row, new),
        next=_joint_neighbours(first.next, second.next, joint_row, new),
        passage_row=np.r_[first.passage_row, joint_row[second.passage_row[passages]]],
        term_counts=np.concatenate([first.term_counts, second.term_counts[passages]]),
        length=np.r_[first.length, second.length[passages]],
        similarity=np.r_[first.similarity, second.similarity[passages]],
        span_row=np.r_[first.span_row, joint_row[second.span_row[spans]]],
        span_start=np.r_[first.span_start, second.span_start[spans]],
        span_end=np.r_[first.span_end, second.span_end[spans]],
        statement_row=np.r_[first.statement_row, joint_row[second.statement_row[pairs]]],
        message_row=np.r_[first.message_row, joint_row[second.message_row[pairs]]],
        statistics=second.statistics,
        revision=second.revision,
    )


def _joint_speakers(first: Candidates, second: Candidates) -> tuple[tuple[str, ...], Ints]:
    """All speakers, and the speaker column of `second` in terms of them."""
    speakers = tuple(dict.fromkeys((*first.speakers, *second.speakers)))
    number = {name: i for i, name in enumerate(speakers)}
    renumbered = np.array([number[name] for name in second.speakers], dtype=np.int32)
    return speakers, renumbered[second.speaker] if len(renumbered) else second.speaker


def _joint_neighbours(first: Ints, second: Ints, joint_row: Ints, new: NDArray[np.bool_]) -> Ints:
    """The neighbour column of all rows; a row of `first` learns of a neighbour that only `second` brought."""
    moved = np.where(second >= 0, joint_row[np.maximum(second, 0)], -1).astype(np.int32)
    joint: Ints = np.concatenate([first, moved[new]])
    known = np.flatnonzero(~new & (moved >= 0))
    joint[joint_row[known]] = moved[known]
    return joint
