"""For a question of what holds now: among the best, what was said last comes first."""

from collections.abc import Sequence
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from graph.retrieval.answer import QueryPlan
from graph.retrieval.planning.question import QueryIntent
from graph.retrieval.ranking.ledger import Ledger
from graph.retrieval.recipes import Recipe


def add_newest(ledgers: Sequence[Ledger], said_at: Sequence[NDArray[np.int64]], plan: QueryPlan, recipe: Recipe) -> None:
    """From 0 for the one of the best few that was said first to 1 for the one said last; nothing for all others.

    So the best few change places among themselves, and no other comes among them.

    Args:
        said_at: by namespace, as the ledgers; microseconds.
    """
    total = np.concatenate([ledger.total() for ledger in ledgers])
    most = min(recipe.newest_best, len(total))
    if QueryIntent.NOW not in plan.intents or not recipe.newest or most < 2:
        return
    said = np.concatenate(said_at)
    best = np.argpartition(-total, most - 1)[:most]
    since = (said[best] - said[best].min()).astype(np.float64)
    if not since.any():
        return
    value = np.zeros(len(total))
    value[best] = since / since.max()
    begins = list(accumulate((ledger.rows for ledger in ledgers), initial=0))
    for ledger, start in zip(ledgers, begins, strict=False):
        of_one = value[start : start + ledger.rows]
        ledger.add("newest", of_one, of_one, recipe.newest)
