"""Recipes near the default, and what a choice among them gives on conversations that took no part in it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bench.ablation.parts import WEIGHTS
from bench.ablation.searches import Judgements, SearchedQuestion
from bench.counting import Judgement
from graph.retrieval.recipes import Recipe

# Each weight is multiplied by e to a normal number of this deviation: two thirds of them stay between .6 and 1.6 times what they were.
_SPREAD = 0.5
_CHOSEN_BY = ("recall@10", "recall@20", "recall@60")


def perturbed(recipe: Recipe, count: int) -> list[Recipe]:
    """Recipes whose weights are drawn around those of this one, always the same."""
    drawn = np.random.default_rng(1).lognormal(0.0, _SPREAD, (count, len(WEIGHTS)))
    return [_scaled(recipe, dict(zip(WEIGHTS, row.tolist(), strict=True))) for row in drawn]


def _scaled(recipe: Recipe, factors: Mapping[str, float]) -> Recipe:
    turn = tuple((name, value * factors.get(name, 1.0)) for name, value in recipe.turn)
    return replace(recipe, **{name: getattr(recipe, name) * factor for name, factor in factors.items()}, turn=turn)


def chosen_elsewhere(asked: Sequence[SearchedQuestion], tried: Sequence[Judgements]) -> list[Judgement]:
    """Every question as judged by the recipe that is best on all conversations but its own. Data sets weigh the same."""
    # (recipes, questions)
    worth = np.array([[sum(one.measures[name] for name in _CHOSEN_BY) for one in judged] for judged in tried])
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place, one in enumerate(asked):
        places[one.dataset, one.conversation].append(place)
    datasets = sorted({one.dataset for one in asked})
    held_out: list[Judgement | None] = [None] * len(asked)
    for left_out, own in places.items():
        means = []
        for dataset in datasets:
            others = [place for key, group in places.items() if key[0] == dataset and key != left_out for place in group]
            if others:
                means.append(worth[:, others].mean(axis=1))
        best = int(np.argmax(np.mean(means, axis=0))) if means else 0
        for place in own:
            held_out[place] = tried[best][place]
    return [judgement for judgement in held_out if judgement is not None]
