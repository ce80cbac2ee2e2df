"""Picking the hits: the best of all namespaces, without spending two ranks on a statement and the message it rests on."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from graph.retrieval.fuse import Ledger
from graph.retrieval.measures import Bools
from graph.store.candidates import Candidates


@dataclass(frozen=True, slots=True)
class Scored:
    """The candidates of one namespace with their ledger."""

    candidates: Candidates
    ledger: Ledger

    @property
    def returnable(self) -> Bools:
        """(n,) what may be returned: what passes the filter and something speaks for."""
        found = np.zeros(len(self.candidates), dtype=bool)
        for signal in self.ledger.signals:
            found |= signal.weight * signal.value > 0
        return found & self.candidates.eligible


@dataclass(frozen=True, slots=True)
class Pick:
    """A hit: which of the answer's namespaces, and which row there."""

    namespace: int
    row: int
    score: float


def pick(scored: Sequence[Scored], k: int) -> list[Pick]:
    """The k best, best first.

    A memory is passed over when a better one already stands for it: a statement when all the messages it rests on were picked (alone or
    through another statement), a message when a picked statement rests on it. Among equals the later said comes first.
    """
    namespaces = np.concatenate([np.full(len(s.candidates), i) for i, s in enumerate(scored)])
    rows = np.concatenate([np.arange(len(s.candidates)) for s in scored])
    scores = np.concatenate([s.ledger.score for s in scored])
    keep = np.concatenate([s.returnable for s in scored])
    said = np.concatenate([s.candidates.said_at for s in scored])
    seq = np.concatenate([s.candidates.seq for s in scored])
    order = np.lexsort((-seq, -said, -scores))
    evidence = [_evidence_rows(s.candidates) for s in scored]
    covered: set[tuple[int, int]] = set()
    picks: list[Pick] = []
    for place in order[keep[order]].tolist():
        namespace, row = int(namespaces[place]), int(rows[place])
        stands_for = {(namespace, message) for message in evidence[namespace].get(row, (row,))}
        if stands_for <= covered:
            continue
        covered |= stands_for
        picks.append(Pick(namespace, row, float(scores[place])))
        if len(picks) == k:
            break
    return picks


def _evidence_rows(candidates: Candidates) -> dict[int, list[int]]:
    """The rows of the messages on which each statement's row rests."""
    rows: dict[int, list[int]] = {}
    for statement, message in zip(candidates.statement_row.tolist(), candidates.message_row.tolist(), strict=True):
        rows.setdefault(statement, []).append(message)
    return rows
