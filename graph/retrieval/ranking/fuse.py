"""Fusion: the score of a memory is a plain sum of what each signal adds, kept as columns so that any hit can be explained."""

import numpy as np

from graph.model import to_micros
from graph.retrieval.answer import QueryPlan
from graph.retrieval.ranking.channel_scores import ChannelMaxima, ChannelScores, Ints
from graph.retrieval.ranking.ledger import Ledger
from graph.retrieval.ranking.question_signals import add_question_signals
from graph.retrieval.ranking.scoring import Float64
from graph.retrieval.ranking.spread import add_spread
from graph.retrieval.recipes import Recipe
from graph.store.candidates import Candidates
from graph.text.features import Feature

# A plain number: numpy takes five times as long to make sense of a member of an enumeration.
_QUESTION = int(Feature.QUESTION)
_MICROS_A_DAY = 24 * 3600 * 1e6


def fuse(candidates: Candidates, channel_scores: ChannelScores, maxima: ChannelMaxima, plan: QueryPlan, recipe: Recipe) -> Ledger:
    """The ledger of all signals but the graph's."""
    ledger = Ledger(len(candidates))
    # Statements have statistics, and so a lexical ceiling, of their own.
    lexical = np.where(
        channel_scores.is_statement, _scaled(channel_scores.lexical, maxima.statement), _scaled(channel_scores.lexical, maxima.message)
    )
    # Up to the floor the cosine tells nothing: texts without any relation reach that, too.
    dense = _scaled(np.maximum(channel_scores.dense - recipe.dense_floor, 0.0), maxima.dense - recipe.dense_floor)
    _add_channels(ledger, channel_scores, lexical, dense, maxima, recipe)
    own = ledger.total()
    _add_neighbours(ledger, candidates, channel_scores, own, recipe)
    _add_session(ledger, candidates, channel_scores, own, recipe)
    _add_statements(ledger, candidates, np.maximum(lexical, dense), own, recipe)
    _add_recency(ledger, candidates, plan, recipe)
    add_question_signals(ledger, candidates, channel_scores, dense, maxima, plan, recipe)
    add_spread(ledger, candidates, plan, recipe)
    return ledger


def _scaled(values: Float64, ceiling: float) -> Float64:
    """Values on the common scale. A ceiling of 0 is that of nothing but zeros."""
    return values / (ceiling if ceiling > 0 else 1.0)


def _add_channels(
    ledger: Ledger, channel_scores: ChannelScores, lexical: Float64, dense: Float64, maxima: ChannelMaxima, recipe: Recipe
) -> None:
    ledger.add("lexical", channel_scores.lexical, lexical, recipe.lexical)
    # What has no neighbour that may lend has no window: its own match counts for it as well.
    alone = channel_scores.is_statement | ((channel_scores.before < 0) & (channel_scores.after < 0))
    window = np.where(alone, lexical, _scaled(channel_scores.window, maxima.window))
    ledger.add("lexical_window", np.where(alone, channel_scores.lexical, channel_scores.window), window, recipe.lexical_window)
    ledger.add("dense", channel_scores.dense, dense, recipe.dense)
    if recipe.lexical and channel_scores.is_unembedded.any():
        # What has no vector yet must not fall behind everything that has one.
        stand_in = np.where(channel_scores.is_unembedded, lexical, 0.0)
        ledger.add("unembedded", np.where(channel_scores.is_unembedded, channel_scores.lexical, 0.0), stand_in, recipe.dense)


def _add_neighbours(ledger: Ledger, candidates: Candidates, channel_scores: ChannelScores, own: Float64, recipe: Recipe) -> None:
    # One row more, the last, is that of no neighbour (-1): it asks nothing and lends nothing.
    is_question = np.append(candidates.features & _QUESTION, 0) != 0
    lent_by = np.append(own, 0.0)
    follows_question = is_question[channel_scores.before]
    for name, lender, weight in (
        ("answer", np.where(follows_question, channel_scores.before, np.int32(-1)), recipe.answer),
        ("previous", np.where(follows_question, np.int32(-1), channel_scores.before), recipe.previous),
        ("next", channel_scores.after, recipe.next),
    ):
        lent = lent_by[lender]
        ledger.add(name, lent, lent, weight, lender)


def _add_session(ledger: Ledger, candidates: Candidates, channel_scores: ChannelScores, own: Float64, recipe: Recipe) -> None:
    """Each memory gets the mean of its session's best few messages."""
    if not len(candidates) or not recipe.session:
        return
    # Each session's messages from the best to the worst, then its statements.
    ranked = np.where(channel_scores.is_statement, -1.0, own)
    order = np.lexsort((-ranked, candidates.session))
    ranked, session = ranked[order], candidates.session[order]
    begins = np.empty(len(order), dtype=bool)
    begins[0], begins[1:] = True, session[1:] != session[:-1]
    start = np.flatnonzero(begins)
    end = np.append(start[1:], len(order))
    total, count = np.zeros(len(start)), np.zeros(len(start))
    for rank in range(recipe.session_best):
        counts = (start + rank < end) & (ranked[np.minimum(start + rank, len(order) - 1)] >= 0)
        total[counts] += ranked[start[counts] + rank]
        count += counts
    value = np.empty(len(order))
    value[order] = (total / np.maximum(count, 1))[np.cumsum(begins) - 1]
    ledger.add("session", value, value, recipe.session)


def _add_recency(ledger: Ledger, candidates: Candidates, plan: QueryPlan, recipe: Recipe) -> None:
    """What was said lately: 1 for now, and e times less every `recipe.recency_days`. Only of what something else speaks for."""
    if not recipe.recency or plan.asked_at is None:
        return
    days = np.maximum(to_micros(plan.asked_at) - candidates.said_at, 0) / _MICROS_A_DAY
    ledger.add("recency", days, np.where(ledger.found(), np.exp(-days / recipe.recency_days), 0.0), recipe.recency)


def _add_statements(ledger: Ledger, candidates: Candidates, match: Float64, own: Float64, recipe: Recipe) -> None:
    """Statements lend the better of their lexical and dense match to the messages they rest on; messages lend theirs to statements."""
    if not len(candidates.statement_row):
        return
    value, source = _best_lender(match, candidates.statement_row, candidates.message_row)
    ledger.add("facts", value, value, recipe.facts, source)
    value, source = _best_lender(own, candidates.message_row, candidates.statement_row)
    ledger.add("evidence", value, value, recipe.evidence, source)


def _best_lender(values: Float64, lender: Ints, borrower: Ints) -> tuple[Float64, Ints]:
    """For every row the greatest value among those that lend to it, and which row that is (-1: nobody lends)."""
    best = np.zeros(len(values))
    source = np.full(len(values), -1, dtype=np.int32)
    order = np.argsort(values[lender], kind="stable")
    lender, borrower = lender[order], borrower[order]
    best[borrower] = values[lender]
    source[borrower] = lender
    return best, source
