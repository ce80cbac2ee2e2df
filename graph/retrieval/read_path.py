"""The read path: plan, embed the query, find candidates, score, expand over the graph, judge how relevant they are, pick, explain."""

from collections.abc import Sequence
from dataclasses import replace

from graph.errors import InvalidArgument
from graph.gather import gather_or_cancel
from graph.model import Message, Statement
from graph.retrieval.answer import Explanation, Hit, OmittedHit, QueryEmbedder, QueryPlan, RetrievalAnswer, RetrievalRequest
from graph.retrieval.explaining.explain import explain
from graph.retrieval.finding.search import Search, expanded, search_of
from graph.retrieval.indexes import NamespaceIndexes
from graph.retrieval.offload import offload_if_many
from graph.retrieval.planning.query_vector import QueryVectors
from graph.retrieval.ranking.channel_scores import channel_maxima
from graph.retrieval.ranking.passages import best_passage
from graph.retrieval.ranking.ranking import Ranking, rank
from graph.retrieval.ranking.rerank import Reranking, reranked
from graph.retrieval.ranking.select_hits import ScoredCandidates
from graph.retrieval.recipes import RECIPES, Recipe
from graph.retrieval.summaries.find import find_summaries, profiles_of
from graph.store.port import PAGE_BYTES, NodesWithin, Store


async def retrieve(
    store: Store, request: RetrievalRequest, embedder: QueryEmbedder | None, reranking: Reranking | None = None
) -> RetrievalAnswer:
    """The memories of one namespace that fit a query best, each explained.

    Raises:
        InvalidArgument: an unknown recipe, k below 1, an empty query, or a vector of another dimension than the namespace's.
        NotFound: there is no such namespace.
    """
    return await retrieve_many(store, (request,), embedder, reranking)


async def retrieve_many(
    store: Store,
    requests: Sequence[RetrievalRequest],
    embedder: QueryEmbedder | None,
    reranking: Reranking | None = None,
    max_bytes: int = PAGE_BYTES,
    indexes: NamespaceIndexes | None = None,
    profile: bool = False,
) -> RetrievalAnswer:
    """One ranking over several namespaces, as `retrieve`. Hits that have no room in about `max_bytes` are named, and not read.

    Takes one request for each namespace, all with the same query, k, recipe and least relevance. Every channel is scaled by its best over
    all the namespaces, so that scores compare. The answer's plan joins what the namespaces' speakers and entities told about the query.

    Args:
        indexes: of what changed, and of summaries, which are kept from query to query; None: they are made for this one.
        profile: whether the namespaces' profiles come along.
    """
    recipe = validate_requests(requests)
    vectors = QueryVectors(embedder)
    indexes = indexes or NamespaceIndexes()
    searches = await gather_or_cancel([search_of(store, request, recipe, vectors, indexes.changes) for request in requests])
    if recipe.graph:
        maxima = channel_maxima([search.channel_scores for search in searches])
        searches = await gather_or_cancel([expanded(search, maxima, recipe) for search in searches])
    ranking = await offload_if_many(sum(len(search.candidates) for search in searches), rank, searches, recipe)
    ranking, degraded = await reranked(searches, ranking, reranking) if reranking else (ranking, ())
    hits, omitted = await _hits(searches, ranking, max_bytes)
    plan = _joint_plan([search.plan for search in searches])
    plan = replace(plan, degraded=(*plan.degraded, *degraded))
    nothing_relevant = not ranking.selected and requests[0].min_relevance > 0
    summaries = await find_summaries(searches, indexes.summaries) if requests[0].summaries else ()
    profiles = await profiles_of(searches) if profile else {}
    return RetrievalAnswer(tuple(hits), plan, ranking.best_relevance, nothing_relevant, tuple(omitted), summaries, profiles)


def validate_requests(requests: Sequence[RetrievalRequest]) -> Recipe:
    """The recipe of requests that can be answered. Raises InvalidArgument, as `retrieve_many` says."""
    if not requests:
        raise InvalidArgument.of("namespaces", "at least one is required")
    first = requests[0]
    if first.k < 1:
        raise InvalidArgument.of("k", "must be at least 1")
    if not first.query.strip():
        raise InvalidArgument.of("query", "is required")
    if not 0 <= first.min_relevance <= 1:
        raise InvalidArgument.of("min_relevance", "must be from 0 to 1")
    recipe = RECIPES.get(first.recipe)
    if recipe is None:
        raise InvalidArgument.of("recipe", f"must be one of {', '.join(RECIPES)}")
    if first.turns and not first.session:
        raise InvalidArgument.of("turns", "are those of a running session, and `session` names none")
    if first.summaries < 0:
        raise InvalidArgument.of("summaries", "must be at least 0")
    if first.session and len(requests) > 1:
        raise InvalidArgument.of("session", f"is a name of one namespace, and {len(requests)} are asked")
    return recipe.of_turn if first.session else recipe


async def _hits(searches: Sequence[Search], ranking: Ranking, max_bytes: int) -> tuple[list[Hit], list[OmittedHit]]:
    """The hits, without those that were deleted meanwhile, and those that have no room."""
    selected = ranking.selected
    ids = [searches[chosen.namespace].candidates.ids[chosen.row] for chosen in selected]

    async def nodes_of(namespace: int, search: Search) -> NodesWithin:
        wanted = [id_ for id_, chosen in zip(ids, selected, strict=True) if chosen.namespace == namespace]
        return await search.memory.get_nodes_within(wanted, share) if wanted else NodesWithin({})

    # Of many namespaces each gives less, so that what is read stays about as much; none gives less than an answer may hold.
    share = max(min(PAGE_BYTES, max_bytes), max_bytes // max(len({chosen.namespace for chosen in selected}), 1))

    found = await gather_or_cancel([nodes_of(number, search) for number, search in enumerate(searches)])
    without_room = [frozenset(of_one.omitted) for of_one in found]
    hits: list[Hit] = []
    omitted: list[OmittedHit] = []
    for id_, chosen in zip(ids, selected, strict=True):
        search, node = searches[chosen.namespace], found[chosen.namespace].nodes.get(id_)
        rank = len(hits) + len(omitted) + 1
        if id_ in without_room[chosen.namespace]:
            omitted.append(OmittedHit(rank, search.request.namespace, id_))
        elif isinstance(node, Message | Statement):
            explanation = _explained(search, ranking.scored[chosen.namespace], chosen.row, node) if search.request.explain else None
            relevance = float(ranking.relevance[chosen.namespace][chosen.row])
            passage = best_passage(search.candidates, chosen.row)
            hits.append(Hit(rank, search.request.namespace, node, chosen.score, explanation, relevance, passage))
    return hits, omitted


def _explained(search: Search, scored: ScoredCandidates, row: int, node: Message | Statement) -> Explanation:
    return explain(search.candidates, scored.ledger, scored.returnable, search.expansion, row, node)


def _joint_plan(plans: Sequence[QueryPlan]) -> QueryPlan:
    """The first plan with the speakers, entities and troubles of all of them."""
    if len(plans) == 1:
        return plans[0]
    return replace(
        plans[0],
        speakers=tuple(dict.fromkeys(name for plan in plans for name in plan.speakers)),
        entities=tuple(dict.fromkeys(name for plan in plans for name in plan.entities)),
        entity_ids=tuple(dict.fromkeys(id_ for plan in plans for id_ in plan.entity_ids)),
        degraded=tuple(dict.fromkeys(reason for plan in plans for reason in plan.degraded)),
    )
