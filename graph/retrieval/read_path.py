"""The read path: plan, embed the query, find candidates, score, expand over the graph, pick, explain."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from graph.errors import InvalidArgument
from graph.model import Message, Namespace, Node, Statement
from graph.retrieval.answer import Explanation, Hit, QueryEmbedder, QueryPlan, RetrievalAnswer, RetrievalRequest
from graph.retrieval.expand import Expansion, add_graph, expand
from graph.retrieval.explain import explain
from graph.retrieval.fuse import Ledger, fuse
from graph.retrieval.measures import Ceilings, Measures, ceilings, measure
from graph.retrieval.merge import merged
from graph.retrieval.pick import Pick, Scored, pick
from graph.retrieval.plan import linked, names_in, plan_query
from graph.retrieval.query_vector import QueryVectors
from graph.retrieval.rarity import rarest_terms
from graph.retrieval.recipes import RECIPES, Recipe
from graph.retrieval.together import together
from graph.store.candidates import CandidateQuery, Candidates
from graph.store.port import Store

# Candidates that take so little time (about 2 ms) that other calls may wait for it; more are ranked in a thread.
_RANKED_IN_PLACE = 4_000


@dataclass(frozen=True, slots=True)
class _Search:
    """One namespace on its way through the read path."""

    request: RetrievalRequest
    plan: QueryPlan
    query: CandidateQuery
    candidates: Candidates
    measures: Measures
    expansion: Expansion | None = None


async def retrieve(store: Store, request: RetrievalRequest, embedder: QueryEmbedder | None) -> RetrievalAnswer:
    """The memories of one namespace that fit a query best, each explained.

    Raises:
        InvalidArgument: an unknown recipe, k below 1, an empty query, or a vector of another dimension than the namespace's.
        NotFound: there is no such namespace.
    """
    return await retrieve_many(store, (request,), embedder)


async def retrieve_many(store: Store, requests: Sequence[RetrievalRequest], embedder: QueryEmbedder | None) -> RetrievalAnswer:
    """One ranking over several namespaces, as `retrieve`.

    Takes one request for each namespace, all with the same query, k and recipe. Every channel is scaled by its best over all the
    namespaces, so that scores compare. The answer's plan joins what the namespaces' speakers and entities told about the query.
    """
    recipe = _checked(requests)
    vectors = QueryVectors(embedder)
    searches = await together([_search(store, request, recipe, vectors) for request in requests])
    if recipe.graph:
        limits = ceilings([search.measures for search in searches])
        searches = await together([_expanded(store, search, limits, recipe) for search in searches])
    many = sum(len(search.candidates) for search in searches) > _RANKED_IN_PLACE
    scored, picks = await asyncio.to_thread(_ranked, searches, recipe) if many else _ranked(searches, recipe)
    hits = await _hits(store, searches, scored, picks)
    return RetrievalAnswer(tuple(hits), _joint_plan([search.plan for search in searches]))


def _checked(requests: Sequence[RetrievalRequest]) -> Recipe:
    if not requests:
        raise InvalidArgument.of("namespaces", "at least one is required")
    first = requests[0]
    if first.k < 1:
        raise InvalidArgument.of("k", "must be at least 1")
    if not first.query.strip():
        raise InvalidArgument.of("query", "is required")
    recipe = RECIPES.get(first.recipe)
    if recipe is None:
        raise InvalidArgument.of("recipe", f"must be one of {', '.join(RECIPES)}")
    return recipe


async def _search(store: Store, request: RetrievalRequest, recipe: Recipe, vectors: QueryVectors) -> _Search:
    """Plan, vector and candidates of one namespace."""
    scope = await store.query_scope(request.namespace, names_in(request.query))
    plan = plan_query(request.query, scope.speakers, request.asked_at, request.zone or _zone(scope.namespace), recipe)
    entity_ids, entities = linked(scope.entities)
    plan = replace(plan, entity_ids=entity_ids, entities=entities)
    if len(plan.terms) > recipe.max_terms:
        plan = replace(plan, terms=await rarest_terms(store, request.namespace, plan.terms, recipe.max_terms))
    vector, degraded = await _query_vector(vectors, scope.namespace, request, plan, recipe)
    query = CandidateQuery(
        terms=plan.terms,
        vector=vector,
        filter=request.filter,
        spans=plan.times,
        lexical_limit=recipe.lexical_limit if plan.terms else 0,
        dense_limit=recipe.dense_limit if vector is not None else 0,
        temporal_limit=recipe.temporal_limit if plan.times else 0,
        neighbours=recipe.neighbours,
        bm25=recipe.bm25,
    )
    candidates = await store.candidates(request.namespace, query)
    if recipe.lexical_limit and not plan.terms:
        degraded = (*degraded, "lexical: the query has no terms")
    measures = measure(candidates, plan.times, recipe)
    if vector is not None and len(candidates) and measures.is_unembedded.all():
        degraded = (*degraded, "dense: the namespace has no vectors yet")
    return _Search(request, replace(plan, degraded=degraded), query, candidates, measures)


def _zone(namespace: Namespace) -> tzinfo:
    return ZoneInfo(namespace.time_zone) if namespace.time_zone else UTC


async def _query_vector(
    vectors: QueryVectors, namespace: Namespace, request: RetrievalRequest, plan: QueryPlan, recipe: Recipe
) -> tuple[NDArray[np.float32] | None, tuple[str, ...]]:
    if not recipe.dense_limit:
        return None, ()
    return await vectors.vector(namespace.embedding, plan.dense_text, request.vector)


async def _expanded(store: Store, search: _Search, limits: Ceilings, recipe: Recipe) -> _Search:
    """The search after a walk from its best hits; what the walk found and the channels did not is measured like the rest."""
    first = fuse(search.candidates, search.measures, limits, search.plan, recipe)
    expansion = await expand(store, search.request.namespace, search.candidates, first, search.plan, recipe)
    if expansion is None:
        return search
    known = set(search.candidates.ids)
    found = tuple(id_ for id_ in expansion.best(recipe.graph_found) if id_ not in known)
    candidates, measures = search.candidates, search.measures
    if found:
        query = replace(search.query, lexical_limit=0, dense_limit=0, temporal_limit=0, include=found)
        candidates = merged(candidates, await store.candidates(search.request.namespace, query))
        measures = measure(candidates, search.plan.times, recipe)
    return replace(search, candidates=candidates, measures=measures, expansion=expansion)


def _ranked(searches: Sequence[_Search], recipe: Recipe) -> tuple[list[Scored], list[Pick]]:
    """The candidates of every namespace with their scores, and the best of all."""
    limits = ceilings([search.measures for search in searches])
    scored = [Scored.of(search.candidates, _ledger(search, limits, recipe)) for search in searches]
    return scored, pick(scored, searches[0].request.k)


def _ledger(search: _Search, limits: Ceilings, recipe: Recipe) -> Ledger:
    ledger = fuse(search.candidates, search.measures, limits, search.plan, recipe)
    if search.expansion is not None:
        add_graph(ledger, search.candidates, search.expansion, recipe)
    return ledger


async def _hits(store: Store, searches: Sequence[_Search], scored: Sequence[Scored], picks: Sequence[Pick]) -> list[Hit]:
    """The hits, without those that were deleted meanwhile."""
    ids = [searches[chosen.namespace].candidates.ids[chosen.row] for chosen in picks]

    async def nodes_of(place: int, search: _Search) -> Mapping[str, Node]:
        wanted = [id_ for id_, chosen in zip(ids, picks, strict=True) if chosen.namespace == place]
        return await store.get_nodes(search.request.namespace, wanted) if wanted else {}

    nodes = await together([nodes_of(place, search) for place, search in enumerate(searches)])
    hits: list[Hit] = []
    for id_, chosen in zip(ids, picks, strict=True):
        search, node = searches[chosen.namespace], nodes[chosen.namespace].get(id_)
        if isinstance(node, Message | Statement):
            explanation = _explained(search, scored[chosen.namespace], chosen.row, node) if search.request.explain else None
            hits.append(Hit(len(hits) + 1, search.request.namespace, node, chosen.score, explanation))
    return hits


def _explained(search: _Search, scored: Scored, row: int, node: Message | Statement) -> Explanation:
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
