"""Recipes: named, frozen retrieval configurations. Every number that tunes quality lives here, with the measurement that chose it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from graph.store.candidates import Bm25


@dataclass(frozen=True, slots=True)
class Recipe:
    """One retrieval configuration: how many candidates each channel gives, and what each signal weighs."""

    name: str
    bm25: Bm25 = Bm25(k1=0.9, b=0.3, delta=0.0)
    lexical_limit: int = 100
    dense_limit: int = 100
    temporal_limit: int = 50
    lexical_weight: float = 0.41
    dense_weight: float = 0.59


_HYBRID = Recipe("hybrid")

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            _HYBRID,
            replace(_HYBRID, name="lexical", dense_limit=0, dense_weight=0.0, lexical_weight=1.0),
            replace(_HYBRID, name="dense", lexical_limit=0, lexical_weight=0.0, dense_weight=1.0),
            replace(_HYBRID, name="graph"),
        )
    }
)
DEFAULT_RECIPE = "hybrid"
