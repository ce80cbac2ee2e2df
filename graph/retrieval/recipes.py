"""Recipes: named, frozen retrieval configurations. Every number that tunes quality lives here, with the measurement that chose it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from graph.store.candidates import Bm25


_PASSAGES = Bm25(k1=0.9, b=0.75)
_WINDOWS = Bm25(k1=0.9, b=0.5)


@dataclass(frozen=True, slots=True)
class Recipe:
    """One retrieval configuration: how many candidates each channel gives, and what each signal weighs."""

    name: str
    bm25: Bm25 = _PASSAGES
    window_bm25: Bm25 = _WINDOWS
    lexical_limit: int = 100
    dense_limit: int = 100
    temporal_limit: int = 50
    neighbours: int = 1
    max_terms: int = 256
    max_dense_words: int = 180

    lexical: float = 0.31
    lexical_window: float = 0.10
    dense: float = 0.59
    dense_floor: float = 0.0
    answer: float = 0.18
    previous: float = 0.0
    next: float = 0.28
    session: float = 0.3
    session_best: int = 3
    speaker: float = 0.51
    dates: float = 0.28
    when: float = 0.17
    facts: float = 0.25
    evidence: float = 0.35
    assistant: float = -0.5
    asked_assistant: float = 0.44
    instruction: float = 0.58
    graph: float = 0.0
    graph_seeds: int = 10
    graph_entities: int = 5
    graph_hops: int = 2
    graph_nodes: int = 400
    graph_degree: int = 50
    graph_found: int = 30
    damping: float = 0.7


_HYBRID = Recipe("hybrid")
_SILENT = dict.fromkeys(
    "lexical lexical_window dense answer previous next session speaker dates when facts evidence assistant asked_assistant instruction".split(),
    0.0,
)
_LEXICAL = replace(
    _HYBRID, **{**_SILENT, "name": "lexical", "lexical": 0.75, "lexical_window": 0.25, "dense_limit": 0, "temporal_limit": 0}
)
_DENSE = replace(_HYBRID, **{**_SILENT, "name": "dense", "dense": 1.0, "lexical_limit": 0, "temporal_limit": 0})

RECIPES: Mapping[str, Recipe] = MappingProxyType(
    {
        recipe.name: recipe
        for recipe in (
            _HYBRID,
            _LEXICAL,
            _DENSE,
            replace(_HYBRID, name="graph", graph=2.0, graph_hops=3),
        )
    }
)
DEFAULT_RECIPE = "hybrid"
