"""The candidates of every namespace in one ranking: their scores, how relevant they are, and the best of all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from graph.model import NodeKind
from graph.retrieval.changes.standing import Standing
from graph.retrieval.finding.search import Search, fit_of, ledger_of, standing_in
from graph.retrieval.planning.question import QueryIntent
from graph.retrieval.ranking.changes import add_changes, add_likely_changes
from graph.retrieval.ranking.channel_scores import ChannelMaxima, channel_maxima
from graph.retrieval.ranking.ledger import Ledger
from graph.retrieval.ranking.newest import add_newest
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
    standings = [standing_in(search) for search in searches]
    ledgers = _ledgers(searches, standings, maxima, recipe)
    scored = [_scored(*each) for each in zip(searches, ledgers, standings, strict=True)]
    judged = [relevance(search.candidates, search.channel_scores, search.plan) for search in searches]
    best = max(float(values[one.returnable].max(initial=0.0)) for one, values in zip(scored, judged, strict=True))
    if first.min_relevance > 0:
        scored = [
            replace(one, returnable=one.returnable & (values >= first.min_relevance)) for one, values in zip(scored, judged, strict=True)
        ]
    return Ranking(scored, judged, select_hits(scored, first.k, first.with_covered), best)


def _ledgers(searches: Sequence[Search], standings: Sequence[Standing | None], maxima: ChannelMaxima, recipe: Recipe) -> list[Ledger]:
    """The ledger of each namespace's candidates: what they are worth by themselves, beside each other, and after what changed."""
    ledgers = [ledger_of(search, maxima, recipe) for search in searches]
    add_newest(ledgers, [search.candidates.said_at for search in searches], searches[0].plan, recipe)
    for search, ledger, standing in zip(searches, ledgers, standings, strict=True):
        if standing is not None:
            add_likely_changes(ledger, search.candidates, standing, QueryIntent.NOW in search.plan.intents)
            add_changes(ledger, search.candidates, fit_of(search.channel_scores, maxima), standing)
    return ledgers


def _scored(search: Search, ledger: Ledger, standing: Standing | None) -> ScoredCandidates:
    scored = ScoredCandidates.of(search.candidates, ledger)
    if standing is None:
        return scored
    # A message stays, behind what replaced it: nothing that was said is hidden.
    stated = search.candidates.kind != NodeKind.MESSAGE
    return replace(scored, returnable=scored.returnable & ~(stated & (standing.replaced | standing.repeated)))
