"""The parts of a recipe that can be left out, each a change of its numbers and of nothing else."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from graph.retrieval import RECIPES
from graph.retrieval.recipes import Recipe

Change = Callable[[Recipe], Recipe]
# The signals that `hybrid` weighs; `graph` is weighed by the recipe of that name alone.
WEIGHTS = (
    "lexical",
    "lexical_window",
    "dense",
    "answer",
    "previous",
    "next",
    "session",
    "facts",
    "evidence",
    "speaker",
    "dates",
    "when",
    "assistant",
    "asked_assistant",
    "own_words",
    "summary",
    "instruction",
    "names",
    "people",
    "relations",
    "reasons",
    "asking",
    "length",
    "spread",
    # Of turns of a running session alone.
    "recency",
)


def _without(*signals: str) -> Change:
    nothing: Any = dict.fromkeys(signals, 0.0)
    return lambda recipe: replace(recipe, **nothing, turn=tuple((name, value) for name, value in recipe.turn if name not in signals))


def _walking(recipe: Recipe) -> Recipe:
    return replace(recipe, graph=RECIPES["graph"].graph)


VARIANTS: Mapping[str, Change] = {
    **{f"without {signal}": _without(signal) for signal in WEIGHTS},
    "without any hop": _without("answer", "previous", "next", "facts", "evidence"),
    "without hops along NEXT": _without("answer", "previous", "next"),
    "without hops along EVIDENCED_BY": _without("facts", "evidence"),
    "with a walk over the graph": _walking,
}
