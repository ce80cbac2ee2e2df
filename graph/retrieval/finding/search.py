"""One namespace on its way through the read path: plan, embed the query, find candidates, score them by channel, expand over the graph."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from graph.model import AsOf, Entity, Namespace
from graph.retrieval.answer import QueryPlan, RetrievalRequest
from graph.retrieval.changes.index import ChangeIndex, ChangeIndexes
from graph.retrieval.changes.standing import Standing, missing_successors, standing_of
from graph.retrieval.degradation import Degradation, DegradationReason
from graph.retrieval.finding.as_asked import seen_before
from graph.retrieval.finding.merge import merged
from graph.retrieval.offload import offload_if_many
from graph.retrieval.planning.plan import linked, names_in, plan_query
from graph.retrieval.planning.query_vector import QueryVectors
from graph.retrieval.planning.question import QueryIntent
from graph.retrieval.planning.rare_terms import rarest_terms
from graph.retrieval.planning.running import running_text
from graph.retrieval.ranking.channel_scores import ChannelMaxima, ChannelScores, channel_maxima, score_channels
from graph.retrieval.ranking.fuse import fuse
from graph.retrieval.ranking.ledger import Ledger
from graph.retrieval.ranking.scoring import Float64
from graph.retrieval.recipes import Recipe
from graph.retrieval.walking.expand import Expansion, add_graph, expand
from graph.store.candidates import CandidateQuery, Candidates
from graph.store.port import Memory, Store
from graph.vectors import unit_vector

# Understanding a character of a query takes as long as working on so many candidates.
_CANDIDATES_A_CHARACTER = 8


@dataclass(frozen=True, slots=True)
class Search:
    """What was asked of one namespace, how it was understood, and the candidates with their scores in each channel.

    Attributes:
        changes: what replaced what in the namespace.     as_of: which of that counts.
    """

    memory: Memory
    request: RetrievalRequest
    plan: QueryPlan
    query: CandidateQuery
    candidates: Candidates
    channel_scores: ChannelScores
    changes: ChangeIndex
    as_of: AsOf
    expansion: Expansion | None = None


async def search_of(store: Store, request: RetrievalRequest, recipe: Recipe, vectors: QueryVectors, changes: ChangeIndexes) -> Search:
    """Plan, vector and candidates of one namespace, those among them that stand in place of others included."""
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
    channel_scores = score_channels(candidates, plan.times, recipe)
    index = await changes.of(memory, scope.namespace)
    as_of = as_of_query(request, plan)
    successors = missing_successors(candidates, fit_of(channel_scores), index, as_of) if index else ()
    if successors:
        candidates = merged(candidates, await found(memory, request, _only(query, successors)))
        channel_scores = score_channels(candidates, plan.times, recipe)
    reasons = [] if without_vector is None else [without_vector]
    if recipe.lexical_limit and not plan.terms:
        reasons.append(DegradationReason.NO_TERMS)
    if vector is not None and len(candidates) and channel_scores.is_unembedded.all():
        reasons.append(DegradationReason.NOT_EMBEDDED_YET)
    degraded = tuple(Degradation.of(reason, request.namespace) for reason in reasons)
    return Search(memory, request, replace(plan, degraded=degraded), query, candidates, channel_scores, index, as_of)


def fit_of(scores: ChannelScores, maxima: ChannelMaxima | None = None) -> Float64:
    """(n,) how well each candidate fits the query by itself, in words or in meaning: 1 for the best."""
    best = maxima or channel_maxima([scores])
    lexical = np.where(scores.is_statement, scores.lexical / (best.statement or 1.0), scores.lexical / (best.message or 1.0))
    return np.maximum(lexical, scores.dense / (best.dense or 1.0))


def as_of_query(request: RetrievalRequest, plan: QueryPlan) -> AsOf:
    """As of when a query wants to know: a time that it names and that has passed, else now."""
    valid = request.valid_at
    if valid is None and plan.times:
        end = max(span.end for span in plan.times)
        valid = end if end <= request.asked_at else None
    return AsOf(valid, request.known_before)


def _only(query: CandidateQuery, ids: tuple[str, ...]) -> CandidateQuery:
    """The query for these memories alone."""
    return replace(query, lexical_limit=0, dense_limit=0, temporal_limit=0, instruction_limit=0, include=ids)


async def found(memory: Memory, request: RetrievalRequest, query: CandidateQuery, besides: str = "") -> Candidates:
    """What the store finds, as far as the request may see it, and the memory of the id `besides` whether or not."""
    candidates = await memory.candidates(query)
    moment = request.known_before
    return candidates if moment is None else await seen_before(memory, candidates, moment, besides)


async def _seen_entities(memory: Memory, request: RetrievalRequest, entities: Sequence[Entity]) -> Sequence[Entity]:
    moment = request.known_before
    if moment is None or not entities:
        return entities
    known = await memory.known_before([entity.id for entity in entities], moment)
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
        candidates = merged(candidates, await found(search.memory, search.request, _only(search.query, reached)))
        channel_scores = score_channels(candidates, search.plan.times, recipe)
    return replace(search, candidates=candidates, channel_scores=channel_scores, expansion=expansion)


def standing_in(search: Search) -> Standing | None:
    """What of the candidates no longer holds; None where nothing changed, or where the query asks for what was before as well."""
    if not search.changes or QueryIntent.HISTORY in search.plan.intents:
        return None
    return standing_of(search.candidates, search.changes, search.as_of)


def ledger_of(search: Search, maxima: ChannelMaxima, recipe: Recipe) -> Ledger:
    """What every signal of the candidates themselves adds to every one of them, the graph's included."""
    ledger = fuse(search.candidates, search.channel_scores, maxima, search.plan, recipe)
    if search.expansion is not None:
        add_graph(ledger, search.candidates, search.expansion, recipe)
    return ledger
