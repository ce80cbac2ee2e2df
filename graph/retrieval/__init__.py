"""Answering a query: plan, score and fuse candidates, expand over the graph, assemble, explain; and walking the graph for events.

Pure code but for the calls to the store port and to the query embedder.
"""

from graph.retrieval.answer import (
    CHARACTERS_A_TOKEN,
    ChannelRank,
    Context,
    ContextEntry,
    Contribution,
    Explanation,
    Hit,
    OmittedHit,
    PathStep,
    QueryEmbedder,
    QueryPlan,
    RetrievalAnswer,
    RetrievalRequest,
    SummaryHit,
    TokenCounter,
)
from graph.retrieval.changes.holding import standing_statements
from graph.retrieval.context.assemble import build_context
from graph.retrieval.degradation import Degradation, DegradationReason
from graph.retrieval.explaining.miss import Miss, MissReason, explain_miss
from graph.retrieval.indexes import NamespaceIndexes
from graph.retrieval.ranking.rerank import Reranker, Reranking
from graph.retrieval.read_path import retrieve, retrieve_many
from graph.retrieval.recipes import DEFAULT_RECIPE, RECIPES, Recipe
from graph.retrieval.walking.traverse import TraversedEvent, traverse_events

__all__ = [
    "CHARACTERS_A_TOKEN",
    "DEFAULT_RECIPE",
    "RECIPES",
    "ChannelRank",
    "Context",
    "ContextEntry",
    "Contribution",
    "Degradation",
    "DegradationReason",
    "Explanation",
    "Hit",
    "Miss",
    "MissReason",
    "NamespaceIndexes",
    "OmittedHit",
    "PathStep",
    "QueryEmbedder",
    "QueryPlan",
    "Recipe",
    "Reranker",
    "Reranking",
    "RetrievalAnswer",
    "RetrievalRequest",
    "SummaryHit",
    "TokenCounter",
    "TraversedEvent",
    "build_context",
    "explain_miss",
    "retrieve",
    "retrieve_many",
    "standing_statements",
    "traverse_events",
]
