"""Leaving out of the candidates what was said only after the query was asked, so that it lends nothing to the rest."""

from dataclasses import replace
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from graph.model import NodeKind, to_micros
from graph.store.candidates import Candidates
from graph.store.port import Memory


async def seen_before(memory: Memory, candidates: Candidates, moment: datetime, besides: str = "") -> Candidates:
    """The candidates without messages sent at or after the moment, and without statements that were said then or rest on such a message.

    The statistics remain those of the whole namespace.

    Args:
        besides: the id of one that is kept all the same, only not to be returned.
    """
    keep = _said_before(candidates, moment)
    # Not every message is a candidate on which one of them rests.
    statements = np.flatnonzero(keep & (candidates.kind != NodeKind.MESSAGE)).tolist()
    known = await memory.known_before([candidates.ids[row] for row in statements], moment)
    keep[[row for row in statements if candidates.ids[row] not in known]] = False
    asked_about = np.array([id_ == besides for id_ in candidates.ids], dtype=bool) & ~keep
    seen = replace(candidates, eligible=candidates.eligible & keep)
    return seen if (keep | asked_about).all() else _kept(seen, keep | asked_about)


def _said_before(candidates: Candidates, moment: datetime) -> NDArray[np.bool_]:
    keep = candidates.said_at < to_micros(moment)
    keep[candidates.statement_row[~keep[candidates.message_row]]] = False
    return keep


def _kept(candidates: Candidates, keep: NDArray[np.bool_]) -> Candidates:
    # One row more, the last, for no row at all (-1).
    row = np.full(len(keep) + 1, -1, dtype=np.int32)
    row[:-1][keep] = np.arange(int(keep.sum()), dtype=np.int32)
    passages, spans = keep[candidates.passage_row], keep[candidates.span_row]
    pairs = keep[candidates.statement_row] & keep[candidates.message_row]
    return replace(
        candidates,
        ids=[id_ for id_, kept in zip(candidates.ids, keep.tolist(), strict=True) if kept],
        kind=candidates.kind[keep],
        role=candidates.role[keep],
        session=candidates.session[keep],
        seq=candidates.seq[keep],
        speaker=candidates.speaker[keep],
        said_at=candidates.said_at[keep],
        features=candidates.features[keep],
        eligible=candidates.eligible[keep],
        previous=row[candidates.previous[keep]],
        next=row[candidates.next[keep]],
        passage_row=row[candidates.passage_row[passages]],
        term_counts=candidates.term_counts[passages],
        length=candidates.length[passages],
        similarity=candidates.similarity[passages],
        span_row=row[candidates.span_row[spans]],
        span_start=candidates.span_start[spans],
        span_end=candidates.span_end[spans],
        statement_row=row[candidates.statement_row[pairs]],
        message_row=row[candidates.message_row[pairs]],
    )
