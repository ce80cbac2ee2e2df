"""The candidates of every namespace in one ranking: their scores, how relevant they are, and the best of all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from graph.retrieval.finding.search import Search, ledger_of
from graph.retrieval.ranking.channel_scores import channel_maxima
from graph.retrieval.ranking.relevance import relevance
from graph.retrieval.ranking.scoring import Float64
from graph.retrieval.ranking.select_hits import ScoredCandidates, SelectedRow, select_hits
from graph.retrieval.recipes import Recipe


@dataclass(frozen=True, slots=True)
class Ranking:
    """The candidates of one answer.

    Attributes:
        scored: by namespace; `returnable` are those that are relevant enough.     relevance: by namespace, (n,) each, 0 to 1.
        selected: the hits.     best_relevance: the greatest of all that could be returned, were the least relevance 0; 0 for none.
    """

    scored: Sequence[ScoredCandidates]
    relevance: Sequence[Float64]
    selected: Sequence[SelectedRow]
    best_relevance: float


def rank(searches: Sequence[Search], recipe: Recipe) -> Ranking:
    """Ranks the candidates of searches with the same query, k and least relevance."""
    first = searches[0].request
    maxima = channel_maxima([search.channel_scores for search in searches])
    scored = [ScoredCandidates.of(search.candidates, ledger_of(search, maxima, recipe)) for search in searches]
    judged = [relevance(search.candidates, search.channel_scores, search.plan) for search in searches]
    best = max(float(values[one.returnable].max(initial=0.0)) for one, values in zip(scored, judged, strict=True))
    if first.min_relevance > 0:
        scored = [
            replace(one, returnable=one.returnable & (values >= first.min_relevance)) for one, values in zip(scored, judged, strict=True)
        ]
    return Ranking(scored, judged, select_hits(scored, first.k, first.with_covered), best)
