"""The channels' own scores of every candidate: raw numbers, before any weight."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from graph.model import NodeKind, Role, TimeSpan, to_micros
from graph.retrieval.ranking.passages import PassageRuns, passage_runs, passage_scores
from graph.retrieval.ranking.scoring import Float64, bm25, idf
from graph.retrieval.recipes import Recipe
from graph.store.candidates import Candidates, StatisticsGroup

Bools = NDArray[np.bool_]
Ints = NDArray[np.int32]
# Plain numbers: numpy takes five times as long to make sense of a member of an enumeration.
_MESSAGE, _ASSISTANT = int(NodeKind.MESSAGE), int(Role.ASSISTANT)


@dataclass(frozen=True, slots=True)
class ChannelScores:
    """Raw scores of n candidates, each (n,).

    Attributes:
        lexical: BM25+ of the best passage.     window: that of a message with its neighbours; 0 for statements.
        dense: the best passage's cosine, at least 0.     dates: the overlap with the query's times, 0 or 1.
        is_unembedded: without a vector to compare.     is_statement; is_assistant: the assistant's words.
        before, after: the neighbouring message that may lend score, -1 where none may.
    """

    lexical: Float64
    window: Float64
    dense: Float64
    dates: Float64
    is_unembedded: Bools
    is_statement: Bools
    is_assistant: Bools
    before: Ints
    after: Ints


@dataclass(frozen=True, slots=True)
class ChannelMaxima:
    """What counts as 1 in each channel: the best of the candidates, over every namespace asked, so that their hits compare.

    `beside_assistant`: an assistant speaks in one of them.
    """

    message: float
    window: float
    statement: float
    dense: float
    beside_assistant: bool


def score_channels(candidates: Candidates, spans: Sequence[TimeSpan], recipe: Recipe) -> ChannelScores:
    """The scores of all candidates, in every channel."""
    rows = len(candidates)
    runs = passage_runs(candidates.passage_row, rows)
    is_statement = candidates.kind != _MESSAGE
    is_assistant = candidates.role == _ASSISTANT
    # A statement is the assistant's when a message that it rests on is.
    is_assistant[candidates.statement_row[is_assistant[candidates.message_row]]] = True
    before, after = _lenders(candidates.previous, is_assistant), _lenders(candidates.next, is_assistant)
    compared = candidates.passage_row[~np.isnan(candidates.similarity)]
    return ChannelScores(
        lexical=runs.best(passage_scores(candidates, is_statement, recipe.bm25)),
        window=_window_scores(candidates, runs, is_statement, (before, after), recipe) if recipe.lexical_window else np.zeros(rows),
        # The greater of a number and NaN is the number.
        dense=runs.best(np.fmax(candidates.similarity, 0.0).astype(np.float64)),
        dates=_date_overlap(candidates, spans),
        is_unembedded=np.bincount(compared, minlength=rows) == 0,
        is_statement=is_statement,
        is_assistant=is_assistant,
        before=before,
        after=after,
    )


def _lenders(neighbour: Ints, is_assistant: Bools) -> Ints:
    """(n,) the neighbouring message that may lend score (row, or -1): not an assistant's to a person's, whose short text would drown in
    it."""
    if not is_assistant.any():
        return neighbour
    # Where there is no neighbour, whatever stands in the last row decides between -1 and -1.
    return np.where(is_assistant[neighbour] & ~is_assistant, np.int32(-1), neighbour)


def _window_scores(
    candidates: Candidates, runs: PassageRuns, is_statement: Bools, neighbours: tuple[Ints, Ints], recipe: Recipe
) -> Float64:
    """(n,) BM25+ of each message together with its neighbours in the session; 0 for statements."""
    rows = len(candidates)
    statistics = candidates.statistics.get(StatisticsGroup.MESSAGES)
    if statistics is None:
        return np.zeros(rows)
    # One more row of nothing, the last, for those without a neighbour: theirs is -1.
    counts = np.zeros((rows + 1, candidates.term_counts.shape[1]), dtype=np.float32)
    counts[:-1] = runs.sums(candidates.term_counts)
    length = np.bincount(candidates.passage_row, weights=candidates.length, minlength=rows + 1)
    before, after = neighbours
    window = counts[:-1] + counts.take(before, axis=0) + counts.take(after, axis=0)
    window_length = length[:-1] + length[before] + length[after]
    scores = bm25(window, window_length, idf(statistics), 3 * statistics.mean_length, recipe.window_bm25)
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


def channel_maxima(channel_scores: Sequence[ChannelScores]) -> ChannelMaxima:
    """The maxima over all the namespaces of one answer."""

    def best(values: Sequence[Float64]) -> float:
        return max((float(v.max(initial=0.0)) for v in values), default=0.0)

    return ChannelMaxima(
        message=best([m.lexical[~m.is_statement] for m in channel_scores]),
        window=best([m.window for m in channel_scores]),
        statement=best([m.lexical[m.is_statement] for m in channel_scores]),
        dense=best([m.dense for m in channel_scores]),
        beside_assistant=any(m.is_assistant.any() for m in channel_scores),
    )
