"""Spread: what answers a question for an overview stands in many places of a long chat, not all of it where the topic is densest."""

import numpy as np

from graph.retrieval.answer import QueryPlan
from graph.retrieval.planning.question import QueryIntent
from graph.retrieval.ranking.channel_scores import Bools
from graph.retrieval.ranking.ledger import Ledger
from graph.retrieval.ranking.scoring import Float64
from graph.retrieval.recipes import Recipe
from graph.store.candidates import Candidates

# So many hits are spread; of the rest each is as near to them as it is.
_SPREAD_OVER = 60


def add_spread(ledger: Ledger, candidates: Candidates, plan: QueryPlan, recipe: Recipe) -> None:
    """Takes from each candidate for the better ones that stand near it in its session: the more and the nearer, the more.

    Candidates are taken greedily, best first; one counts 1 for those beside it, and e times less every `recipe.spread_reach` messages away
    (maximal marginal relevance, Carbonell and Goldstein 1998, with nearness in the chat for likeness). Of a count of c, c / (1 + c) is
    taken.
    """
    if QueryIntent.OVERVIEW not in plan.intents or not recipe.spread or not len(candidates):
        return
    crowded = _crowding(ledger.total(), candidates.eligible & ledger.found(), candidates, recipe)
    ledger.add("spread", crowded, _scaled(crowded), recipe.spread)


def _crowding(score: Float64, returnable: Bools, candidates: Candidates, recipe: Recipe) -> Float64:
    """(n,) how many better candidates stand near each one, the nearer counting more."""
    position = _positions(candidates)
    crowded = np.zeros(len(score))
    taken = ~returnable
    for _ in range(min(_SPREAD_OVER, int(returnable.sum()))):
        best = int(np.where(taken, -np.inf, score + recipe.spread * _scaled(crowded)).argmax())
        taken[best] = True
        nearness = np.exp(-np.abs(position - position[best]) / recipe.spread_reach)
        nearness[candidates.session != candidates.session[best]] = 0.0
        # What was taken is ranked already.
        crowded += np.where(taken, 0.0, nearness)
    return crowded


def _scaled(crowded: Float64) -> Float64:
    return crowded / (1 + crowded)


def _positions(candidates: Candidates) -> Float64:
    """(n,) where each candidate stands in its session; a statement where the first message that it rests on does."""
    position = candidates.seq.astype(np.float64)
    order = np.argsort(-candidates.seq[candidates.message_row], kind="stable")
    position[candidates.statement_row[order]] = candidates.seq[candidates.message_row[order]]
    return position
