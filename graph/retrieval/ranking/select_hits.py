"""Picking the hits: the best of all namespaces, without spending two ranks on a statement and the message it rests on."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from graph.model import NodeKind
from graph.retrieval.ranking.channel_scores import Bools
from graph.retrieval.ranking.ledger import Ledger
from graph.retrieval.ranking.scoring import Float64
from graph.store.candidates import Candidates

# How many are put in order at first, for each hit wanted: memories that another one stands for take part, too.
_AT_FIRST = 4


@dataclass(frozen=True, slots=True)
class ScoredCandidates:
    """The n candidates of one namespace with their ledger.

    Attributes:
        score: (n,) the ledger's total.     returnable: (n,) what may be returned: what passes the filter and something speaks for.
    """

    candidates: Candidates
    ledger: Ledger
    score: Float64
    returnable: Bools

    @classmethod
    def of(cls, candidates: Candidates, ledger: Ledger) -> "ScoredCandidates":
        """The candidates with what the ledger says of them."""
        return cls(candidates, ledger, ledger.total(), ledger.found() & candidates.eligible)


@dataclass(frozen=True, slots=True)
class SelectedRow:
    """A hit: which of the answer's namespaces, and which row there."""

    namespace: int
    row: int
    score: float


def select_hits(scored: Sequence[ScoredCandidates], k: int, with_covered: bool = False) -> list[SelectedRow]:
    """The k best, best first.

    A memory is passed over when a better one already stands for it: a statement when all the messages it rests on were picked (alone or
    through another statement), a message when a picked statement rests on it. Among equals the later said comes first.

    Args:
        with_covered: what was passed over comes along, beyond the k, for who may tell a message in part, or instead of a statement: the
            best statement that picked messages stand for, and, after all others, the messages that picked statements rest on.
    """
    begins = list(accumulate((len(s.candidates) for s in scored), initial=0))[:-1]
    evidence = [Evidence(s.candidates) for s in scored]
    covered: set[tuple[int, int]] = set()
    stated: set[tuple[int, int]] = set()
    picked = 0
    selected: list[SelectedRow] = []
    for joint_row in _ranked(scored, k * _AT_FIRST):
        namespace = bisect_right(begins, joint_row) - 1
        row = joint_row - begins[namespace]
        stands_for = {(namespace, message) for message in evidence[namespace].of(row)}
        is_statement = scored[namespace].candidates.kind[row] != NodeKind.MESSAGE
        passed_over = stands_for <= covered
        if passed_over and not (with_covered and is_statement and not stands_for <= stated):
            continue
        covered |= stands_for
        if is_statement:
            stated |= stands_for
        selected.append(SelectedRow(namespace, row, float(scored[namespace].score[row])))
        picked += not passed_over
        if picked == k:
            break
    return [*selected, *_messages_of(selected, scored, evidence)] if with_covered else selected


def _messages_of(
    selected: Sequence[SelectedRow], scored: Sequence[ScoredCandidates], evidence: "Sequence[Evidence]"
) -> Iterator[SelectedRow]:
    """The messages that the filter lets through, that selected statements rest on and that are not selected, each once."""
    known = {(one.namespace, one.row) for one in selected}
    for one in selected:
        of_one = scored[one.namespace]
        for row in evidence[one.namespace].of(one.row):
            if (one.namespace, row) not in known and of_one.candidates.eligible[row]:
                known.add((one.namespace, row))
                yield SelectedRow(one.namespace, row, float(of_one.score[row]))


def _ranked(scored: Sequence[ScoredCandidates], at_once: int) -> Iterator[int]:
    """The returnable rows, numbered through all namespaces, best first. Sorted piece by piece: few are ever asked for."""
    scores = np.concatenate([s.score for s in scored])
    said = np.concatenate([s.candidates.said_at for s in scored])
    seq = np.concatenate([s.candidates.seq for s in scored])
    left = np.flatnonzero(np.concatenate([s.returnable for s in scored]))
    while len(left):
        best = np.ones(len(left), dtype=bool)
        if len(left) > at_once:
            best = scores[left] >= np.partition(scores[left], -at_once)[-at_once]
        piece, left = left[best], left[~best]
        yield from piece[np.lexsort((-seq[piece], -said[piece], -scores[piece]))].tolist()


class Evidence:
    """The messages on which each statement rests, by row."""

    def __init__(self, candidates: Candidates) -> None:
        order = np.argsort(candidates.statement_row, kind="stable")
        self._is_message = candidates.kind == int(NodeKind.MESSAGE)
        self._statement: NDArray[np.int32] = candidates.statement_row[order]
        self._message: NDArray[np.int32] = candidates.message_row[order]

    def of(self, row: int) -> list[int]:
        """The messages of a statement's row; the row itself where it rests on none, as a message does."""
        if self._is_message[row]:
            return [row]
        first, last = np.searchsorted(self._statement, (row, row + 1))
        return self._message[first:last].tolist() or [row]
