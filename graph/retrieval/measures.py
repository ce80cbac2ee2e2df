"""The channels' own measures of every candidate: raw numbers, before any weight."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph.model import NodeKind, Role, TimeSpan, to_micros
from graph.retrieval.recipes import Recipe
from graph.retrieval.scoring import Float64, best_of_rows, bm25, idf, passage_scores, sum_of_rows
from graph.store.candidates import Candidates, StatisticsGroup

Bools = NDArray[np.bool_]
Ints = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Measures:
    """Raw measures of n candidates: BM25+ of the best passage; that of a message with its neighbours; the best passage's cosine, at
    least 0; the overlap with the query's times, 0 or 1; and what they are: without a vector to compare, statements, the assistant's
    messages."""

    lexical: Float64
    window: Float64
    dense: Float64
    dates: Float64
    is_unembedded: Bools
    is_statement: Bools
    is_assistant: Bools


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What counts as 1 in each channel: the best of the candidates, over every namespace asked, so that their hits compare."""

    message: float
    window: float
    statement: float
    dense: float


def measure(candidates: Candidates, spans: Sequence[TimeSpan], recipe: Recipe) -> Measures:
    """The measures of all candidates."""
    rows = len(candidates)
    is_statement = candidates.kind != NodeKind.MESSAGE
    is_assistant = candidates.role == Role.ASSISTANT
    # A statement is the assistant's when a message that it rests on is.
    is_assistant[candidates.statement_row[is_assistant[candidates.message_row]]] = True
    lexical = best_of_rows(passage_scores(candidates, is_statement, recipe.bm25), candidates.passage_row, rows)
    compared = ~np.isnan(candidates.similarity)
    similarity = np.where(compared, candidates.similarity, 0.0).astype(np.float64)
    return Measures(
        lexical=lexical,
        window=_window_scores(candidates, is_statement, is_assistant, recipe) if recipe.lexical_window else np.zeros(rows),
        dense=np.maximum(best_of_rows(similarity, candidates.passage_row, rows), 0.0),
        dates=_date_overlap(candidates, spans),
        is_unembedded=best_of_rows(compared.astype(np.float64), candidates.passage_row, rows) == 0,
        is_statement=is_statement,
        is_assistant=is_assistant,
    )


def lends(neighbour: Ints, is_assistant: Bools) -> Bools:
    """(n,) whether the neighbouring message (row, or -1) may lend score: not from an assistant's message to a person's, whose short text
    would drown in it."""
    there = neighbour >= 0
    return there & ~(is_assistant[np.where(there, neighbour, 0)] & ~is_assistant)


def _window_scores(candidates: Candidates, is_statement: Bools, is_assistant: Bools, recipe: Recipe) -> Float64:
    """(n,) BM25+ of each message together with its neighbours in the session; 0 for statements."""
    rows = len(candidates)
    scores = np.zeros(rows)
    if StatisticsGroup.MESSAGES not in candidates.statistics:
        return scores
    counts = sum_of_rows(candidates.term_counts, candidates.passage_row, rows)
    length = np.bincount(candidates.passage_row, weights=candidates.length, minlength=rows).astype(np.float64)
    window, window_length = counts.copy(), length.copy()
    for neighbour in (candidates.previous, candidates.next):
        taken = np.flatnonzero(lends(neighbour, is_assistant))
        window[taken] += counts[neighbour[taken]]
        window_length[taken] += length[neighbour[taken]]
    statistics = candidates.statistics[StatisticsGroup.MESSAGES]
    scores[:] = bm25(window, window_length, idf(statistics), 3 * statistics.mean_length, recipe.window_bm25)
    scores[is_statement] = 0.0
    return scores


def _date_overlap(candidates: Candidates, spans: Sequence[TimeSpan]) -> Float64:
    """(n,) 1 where a memory was said in one of the spans or has a time of its own that overlaps one, else 0."""
    overlap = np.zeros(len(candidates))
    for span in spans:
        start, end = to_micros(span.start), max(to_micros(span.end), to_micros(span.start) + 1)
        overlap[(candidates.said_at >= start) & (candidates.said_at < end)] = 1.0
        hit = (candidates.span_start < end) & (np.maximum(candidates.span_end, candidates.span_start + 1) > start)
        overlap[candidates.span_row[hit]] = 1.0
    return overlap


def ceilings(measures: Sequence[Measures]) -> Ceilings:
    """The ceilings over all the namespaces of one answer."""

    def best(values: Sequence[Float64]) -> float:
        return max((float(v.max()) for v in values if len(v)), default=0.0)

    return Ceilings(
        message=best([m.lexical[~m.is_statement] for m in measures]),
        window=best([m.window for m in measures]),
        statement=best([m.lexical[m.is_statement] for m in measures]),
        dense=best([m.dense for m in measures]),
    )
