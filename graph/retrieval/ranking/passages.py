"""From the passages of candidates to the memories that they belong to, and their BM25+."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph.model import NodeKind
from graph.retrieval.ranking.scoring import Float64, bm25, idf
from graph.store.bm25 import Bm25
from graph.store.candidates import Candidates, StatisticsGroup


@dataclass(frozen=True, slots=True)
class PassageRuns:
    """Which passages are whose: those of one row stand side by side.

    Attributes:
        rows: how many rows there are.
        owner: (r,) the rows that have passages, ascending.     start: (r,) the first passage of each.
        is_one_each: every row has one passage, so that a column of passages is one of rows.
    """

    rows: int
    owner: NDArray[np.int32]
    start: NDArray[np.intp]
    is_one_each: bool

    def best(self, values: Float64) -> Float64:
        """(n,) the best passage's value of every row; 0 for rows without a passage."""
        if self.is_one_each:
            return values
        best = np.zeros(self.rows)
        if len(values):
            best[self.owner] = np.maximum.reduceat(values, self.start)
        return best

    def sums(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, t) the sums of the passages' (p, t) values by row."""
        if self.is_one_each:
            return values
        sums = np.zeros((self.rows, values.shape[1]), dtype=np.float32)
        if len(values):
            sums[self.owner] = np.add.reduceat(values, self.start, axis=0)
        return sums


def passage_runs(passage_row: NDArray[np.int32], rows: int) -> PassageRuns:
    """The runs of an ascending column of owners."""
    begins = np.ones(len(passage_row), dtype=bool)
    np.not_equal(passage_row[1:], passage_row[:-1], out=begins[1:])
    start = np.flatnonzero(begins)
    return PassageRuns(rows, passage_row[start], start, len(start) == len(passage_row) == rows)


def passage_scores(candidates: Candidates, is_statement: NDArray[np.bool_], parameters: Bm25) -> Float64:
    """(p,) BM25+ of every passage, each with the statistics of its group. `is_statement` is by row."""
    counts, length = candidates.term_counts, candidates.length
    of_statement = is_statement[candidates.passage_row]
    if not of_statement.any():
        return _scores_of_group(candidates, StatisticsGroup.MESSAGES, parameters)
    if of_statement.all():
        return _scores_of_group(candidates, StatisticsGroup.STATEMENTS, parameters)
    messages, statements = (candidates.statistics[group] for group in (StatisticsGroup.MESSAGES, StatisticsGroup.STATEMENTS))
    mean_length = np.where(of_statement, statements.mean_length, messages.mean_length)
    scores = bm25(counts, length, np.stack([idf(messages), idf(statements)], axis=1), mean_length, parameters)
    return np.where(of_statement, scores[:, 1], scores[:, 0])


def best_passage(candidates: Candidates, row: int) -> int:
    """The ordinal of the passage of a row that fits the query best: by its cosine and by how rare its terms of the query are, which
    count the same, each on the scale of the best of these passages."""
    first, last = np.searchsorted(candidates.passage_row, (row, row + 1))
    if last - first < 2:
        return 0
    group = StatisticsGroup.MESSAGES if candidates.kind[row] == int(NodeKind.MESSAGE) else StatisticsGroup.STATEMENTS
    near = np.nan_to_num(np.maximum(candidates.similarity[first:last], 0.0)).astype(np.float64)
    shared = (candidates.term_counts[first:last] > 0) @ idf(candidates.statistics[group])
    return int(np.argmax(near / (near.max() or 1.0) + shared / (shared.max() or 1.0)))


def _scores_of_group(candidates: Candidates, group: StatisticsGroup, parameters: Bm25) -> Float64:
    if not len(candidates.length):
        return np.zeros(0)
    statistics = candidates.statistics[group]
    return bm25(candidates.term_counts, candidates.length, idf(statistics), statistics.mean_length, parameters)
