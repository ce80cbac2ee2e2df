"""One namespace on its way through the read path: plan, embed the query, find candidates, score them by channel, expand over the graph."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from graph.model import Entity, Namespace
from graph.retrieval.answer import QueryPlan, RetrievalRequest
from graph.retrieval.degradation import Degradation, DegradationReason
from graph.retrieval.finding.as_asked import seen_before
from graph.retrieval.finding.merge import merged
from graph.retrieval.offload import offload_if_many
from graph.retrieval.planning.plan import linked, names_in, plan_query
from graph.retrieval.planning.query_vector import QueryVectors
from graph.retrieval.planning.rare_terms import rarest_terms
from graph.retrieval.planning.running import running_text
from graph.retrieval.ranking.channel_scores import ChannelMaxima, ChannelScores, score_channels
from graph.retrieval.ranking.fuse import fuse
from graph.retrieval.ranking.ledger import Ledger
from graph.retrieval.recipes import Recipe
from graph.retrieval.walking.expand import Expansion, add_graph, expand
from graph.store.candidates import CandidateQuery, Candidates
from graph.store.port import Memory, Store
from graph.vectors import unit_vector

# Understanding a character of a query takes as long as working on so many candidates.
_CANDIDATES_A_CHARACTER = 8


@dataclass(frozen=True, slots=True)
class Search:
    """What was asked of one namespace, how it was understood, and the candidates with their scores in each channel."""

    memory: Memory
    request: RetrievalRequest
    plan: QueryPlan
    query: CandidateQuery
    candidates: Candidates
    channel_scores: ChannelScores
    expansion: Expansion | None = None


async def search_of(store: Store, request: RetrievalRequest, recipe: Recipe, vectors: QueryVectors) -> Search:
    """Plan, vector and candidates of one namespace."""
    memory = store.namespace(request.namespace, request.at_least)
    scope = await memory.query_scope(names_in(request.query))
    zone = request.zone or _zone(scope.namespace)
    plan = await offload_if_many(
        len(request.query) * _CANDIDATES_A_CHARACTER, plan_query, request.query, scope.speakers, request.asked_at, zone, recipe
    )
    entity_ids, entities = linked(await _seen_entities(memory, request, scope.entities))
    plan = replace(plan, entity_ids=entity_ids, entities=entities)
    if len(plan.terms) > recipe.max_terms:
        plan = replace(plan, terms=await rarest_terms(memory, plan.terms, recipe.max_terms))
    if recipe.running and request.session:
        plan = replace(plan, running_text=await running_text(memory, request, recipe.max_dense_words))
    vector, without_vector = await _query_vector(vectors, scope.namespace, request, plan, recipe)
    query = CandidateQuery(
        terms=plan.terms,
        vector=vector,
        filter=request.seen,
        spans=plan.times,
        lexical_limit=recipe.lexical_limit if plan.terms else 0,
        dense_limit=recipe.dense_limit if vector is not None else 0,
        temporal_limit=recipe.temporal_limit if plan.times else 0,
        instruction_limit=recipe.instruction_limit if vector is not None else 0,
        neighbours=recipe.neighbours,
        bm25=recipe.bm25,
    )
    candidates = await found(memory, request, query)
    reasons = [] if without_vector is None else [without_vector]
    if recipe.lexical_limit and not plan.terms:
        reasons.append(DegradationReason.NO_TERMS)
    channel_scores = score_channels(candidates, plan.times, recipe)
    if vector is not None and len(candidates) and channel_scores.is_unembedded.all():
        reasons.append(DegradationReason.NOT_EMBEDDED_YET)
    degraded = tuple(Degradation.of(reason, request.namespace) for reason in reasons)
    return Search(memory, request, replace(plan, degraded=degraded), query, candidates, channel_scores)


async def found(memory: Memory, request: RetrievalRequest, query: CandidateQuery, besides: str = "") -> Candidates:
    """What the store finds, as far as the request may see it, and the memory of the id `besides` whether or not."""
    candidates = await memory.candidates(query)
    return await seen_before(memory, candidates, request.asked_at, besides) if request.as_asked else candidates


async def _seen_entities(memory: Memory, request: RetrievalRequest, entities: Sequence[Entity]) -> Sequence[Entity]:
    if not request.as_asked or not entities:
        return entities
    known = await memory.known_before([entity.id for entity in entities], request.asked_at)
    return [entity for entity in entities if entity.id in known]


def _zone(namespace: Namespace) -> tzinfo:
    return ZoneInfo(namespace.time_zone) if namespace.time_zone else UTC


async def _query_vector(
    vectors: QueryVectors, namespace: Namespace, request: RetrievalRequest, plan: QueryPlan, recipe: Recipe
) -> tuple[NDArray[np.float32] | None, DegradationReason | None]:
    if not recipe.dense_limit:
        return None, None
    vector, reason = await vectors.vector(namespace.embedding, plan.dense_text, request.vector)
    if vector is None or not plan.running_text or request.vector is not None:
        return vector, reason
    running, _ = await vectors.vector(namespace.embedding, plan.running_text, None)
    return vector if running is None else unit_vector(vector + recipe.running * running), None


async def expanded(search: Search, maxima: ChannelMaxima, recipe: Recipe) -> Search:
    """The search after a walk from its best hits; what the walk found and the channels did not is measured like the rest."""
    first = fuse(search.candidates, search.channel_scores, maxima, search.plan, recipe)
    expansion = await expand(search.memory, search.candidates, first, search.plan, recipe, search.request.known_before)
    if expansion is None:
        return search
    known = set(search.candidates.ids)
    reached = tuple(id_ for id_ in expansion.best(recipe.graph_found) if id_ not in known)
    candidates, channel_scores = search.candidates, search.channel_scores
    if reached:
        query = replace(search.query, lexical_limit=0, dense_limit=0, temporal_limit=0, instruction_limit=0, include=reached)
        candidates = merged(candidates, await found(search.memory, search.request, query))
        channel_scores = score_channels(candidates, search.plan.times, recipe)
    return replace(search, candidates=candidates, channel_scores=channel_scores, expansion=expansion)


def ledger_of(search: Search, maxima: ChannelMaxima, recipe: Recipe) -> Ledger:
    """What every signal adds to every candidate, the graph's included."""
    ledger = fuse(search.candidates, search.channel_scores, maxima, search.plan, recipe)
    if search.expansion is not None:
        add_graph(ledger, search.candidates, search.expansion, recipe)
    return ledger
