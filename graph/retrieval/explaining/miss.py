"""Why a memory is not in an answer: the first thing that kept it out, with the measures that show it."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

from graph.model import MEMORY_KINDS, Entity, Event, MemoryFilter, Message, Node, Session, Statement, Summary
from graph.retrieval.answer import Hit, QueryEmbedder, QueryPlan, RetrievalRequest
from graph.retrieval.degradation import Degradation
from graph.retrieval.explaining.explain import explain
from graph.retrieval.explaining.shortfall import ChannelShortfall, Rival, rival_of, shortfalls, stand_ins
from graph.retrieval.finding.merge import merged
from graph.retrieval.finding.search import Search, expanded, found, search_of
from graph.retrieval.indexes import NamespaceIndexes
from graph.retrieval.offload import offload_if_many
from graph.retrieval.planning.query_vector import QueryVectors
from graph.retrieval.ranking.channel_scores import channel_maxima, score_channels
from graph.retrieval.ranking.ranking import Ranking, rank
from graph.retrieval.ranking.rerank import Reranking, reranked
from graph.retrieval.read_path import validate_requests
from graph.retrieval.recipes import Recipe
from graph.store.candidates import CandidateQuery
from graph.store.port import Store

# The hits nearest to what they outscored; more would say the same.
_RIVALS = 3


class MissReason(IntEnum):
    """What kept a memory out, in the order in which it is looked for. The numbers are those of the contract."""

    IN_ANSWER = 1
    NOT_FOUND = 2
    NOT_A_MEMORY = 3
    RETIRED = 4
    FILTERED = 5
    NOT_A_CANDIDATE = 6
    NO_SIGNAL = 7
    BELOW_MIN_RELEVANCE = 8
    STOOD_FOR = 9
    OUTSCORED = 10


@dataclass(frozen=True, slots=True)
class Miss:
    """Why a memory is not in an answer, or where it is.

    Attributes:
        hit: the memory as it was measured; its rank is the one that it has, or would have had if it had been found; 0: none.
            None where there is nothing to measure.
        filtered_by: the parts of the filter that it does not pass, each by itself.
        channels: what it reached in each channel, and what it would have taken.
        stood_for_by: better memories in the answer that say the same.
        rivals: the hits nearest to it among those that outscored it, best first.
    """

    reason: MissReason
    plan: QueryPlan
    hit: Hit | None = None
    filtered_by: tuple[str, ...] = ()
    channels: tuple[ChannelShortfall, ...] = ()
    stood_for_by: tuple[Rival, ...] = ()
    rivals: tuple[Rival, ...] = ()


async def explain_miss(
    store: Store,
    request: RetrievalRequest,
    id_: str,
    embedder: QueryEmbedder | None,
    reranking: Reranking | None = None,
    indexes: NamespaceIndexes | None = None,
) -> Miss:
    """Why the memory is not among the hits of this request. `indexes`: as `retrieve_many`.

    Raises:
        InvalidArgument, NotFound: as `retrieve`; that there is no such memory is a reason and no error.
    """
    recipe = validate_requests([request])
    search = await search_of(store, request, recipe, QueryVectors(embedder), (indexes or NamespaceIndexes()).changes)
    if recipe.graph:
        search = await expanded(search, channel_maxima([search.channel_scores]), recipe)
    node = (await search.memory.get_nodes([id_])).get(id_)
    if (without := _never_ranked(node)) is not None:
        return Miss(without, search.plan)
    assert isinstance(node, Message | Statement)
    was_found = id_ in set(search.candidates.ids)
    joined = search if was_found else await _including(search, id_, recipe)
    row = {known: row for row, known in enumerate(joined.candidates.ids)}.get(id_)
    if row is None:
        # It was deleted while this was looked for.
        return Miss(MissReason.NOT_FOUND, search.plan)
    ranking, degraded = await _complete(joined, recipe, reranking)
    joined = replace(joined, plan=replace(joined.plan, degraded=(*joined.plan.degraded, *degraded)))
    return await _judged(_Case(joined, ranking, recipe, node, row, was_found))


def _never_ranked(node: Node | None) -> MissReason | None:
    """Why a node takes no part in any answer, if it does not."""
    match node:
        case None:
            return MissReason.NOT_FOUND
        case Statement() if node.retired_at is not None:
            return MissReason.RETIRED
        case Message() | Statement():
            return None
        case Session() | Event() | Entity() | Summary():
            return MissReason.NOT_A_MEMORY


async def _including(search: Search, id_: str, recipe: Recipe) -> Search:
    """The search as if this memory had been found."""
    query = replace(search.query, lexical_limit=0, dense_limit=0, temporal_limit=0, instruction_limit=0, include=(id_,))
    included = await found(search.memory, search.request, query, besides=id_)
    candidates = await offload_if_many(len(search.candidates), merged, search.candidates, included)
    return replace(
        search,
        candidates=candidates,
        channel_scores=await offload_if_many(len(candidates), score_channels, candidates, search.plan.times, recipe),
    )


async def _complete(search: Search, recipe: Recipe, reranking: Reranking | None) -> tuple[Ranking, tuple[Degradation, ...]]:
    """The ranking to its end, of which the answer is the beginning, and why it is without the reranker where that failed."""
    endless = [replace(search, request=replace(search.request, k=max(len(search.candidates), 1)))]
    # In a thread however few they are: picking all of them takes longer than picking the best.
    ranking = await asyncio.to_thread(rank, endless, recipe)
    if reranking is None:
        return ranking, ()
    return await reranked(endless, ranking, reranking)


@dataclass(frozen=True, slots=True)
class _Case:
    """One memory in one row of a search, in a ranking that goes to its end."""

    search: Search
    ranking: Ranking
    recipe: Recipe
    node: Message | Statement
    row: int
    was_found: bool

    @property
    def rank(self) -> int:
        """Its rank, from 1; 0 where it has none."""
        return next((rank for rank, chosen in enumerate(self.ranking.selected, start=1) if chosen.row == self.row), 0)

    def hit(self) -> Hit:
        """The memory as a hit, explained."""
        scored = self.ranking.scored[0]
        why = explain(self.search.candidates, scored.ledger, scored.returnable, self.search.expansion, self.row, self.node)
        relevance = float(self.ranking.relevance[0][self.row])
        return Hit(self.rank, self.search.request.namespace, self.node, float(scored.score[self.row]), why, relevance)


def _measured(case: _Case) -> Miss:
    """What there is to say of the memory before the reason is known."""
    channels = shortfalls(case.search, case.recipe, case.ranking.scored[0], case.row)
    return Miss(MissReason.OUTSCORED, case.search.plan, case.hit(), channels=channels)


async def _judged(case: _Case) -> Miss:
    search, scored, request = case.search, case.ranking.scored[0], case.search.request
    told = await offload_if_many(len(search.candidates), _measured, case)
    if not search.candidates.eligible[case.row]:
        return replace(told, reason=MissReason.FILTERED, filtered_by=await _filtered_by(search, case.node))
    if not case.was_found:
        return replace(told, reason=MissReason.NOT_A_CANDIDATE)
    if not scored.ledger.found()[case.row]:
        return replace(told, reason=MissReason.NO_SIGNAL)
    if case.ranking.relevance[0][case.row] < request.min_relevance:
        return replace(told, reason=MissReason.BELOW_MIN_RELEVANCE)
    if 0 < case.rank <= request.k:
        return replace(told, reason=MissReason.IN_ANSWER)
    answer = case.ranking.selected[: request.k]
    stands = (
        await offload_if_many(len(search.candidates), stand_ins, search, [chosen.row for chosen in answer], case.row)
        if not case.rank
        else ()
    )
    if stands:
        return replace(told, reason=MissReason.STOOD_FOR, stood_for_by=await _rivals(case, stands))
    nearest = [(rank, chosen.row) for rank, chosen in enumerate(answer, start=1)][-_RIVALS:]
    return replace(told, rivals=await _rivals(case, nearest))


async def _rivals(case: _Case, ranked: Sequence[tuple[int, int]]) -> tuple[Rival, ...]:
    """The hits with these ranks and rows, without those that were deleted meanwhile."""
    ids = [case.search.candidates.ids[row] for _, row in ranked]
    nodes = await case.search.memory.get_nodes(ids)
    scored, relevance = case.ranking.scored[0], case.ranking.relevance[0]
    rivals: list[Rival] = []
    for id_, (its_rank, row) in zip(ids, ranked, strict=True):
        node = nodes.get(id_)
        if isinstance(node, Message | Statement):
            hit = Hit(its_rank, case.search.request.namespace, node, float(scored.score[row]), None, float(relevance[row]))
            rivals.append(rival_of(hit, scored, row, case.row))
    return tuple(rivals)


async def _filtered_by(search: Search, node: Message | Statement) -> tuple[str, ...]:
    """The parts of the filter that keep the memory out: the store is asked with each alone, so that it is the one to judge.

    What `as_asked` keeps out is `said` too late, or rests on what is.
    """
    chosen, nothing, id_ = search.request.seen, MemoryFilter(), node.id
    before = search.request.known_before
    seen = before is None or id_ in await search.memory.known_before([id_], before)
    parts = {
        "kinds": replace(nothing, kinds=chosen.kinds) if chosen.kinds != MEMORY_KINDS else nothing,
        "sessions": replace(nothing, sessions=chosen.sessions),
        "speakers": replace(nothing, speakers=chosen.speakers),
        "said": replace(nothing, said=chosen.said),
        "happened": replace(nothing, happened=chosen.happened),
        "labels": replace(nothing, labels=chosen.labels),
        "not_sessions": replace(nothing, not_sessions=chosen.not_sessions),
        "not_ids": replace(nothing, not_ids=chosen.not_ids),
    }
    failed: list[str] = []
    for name, part in parts.items():
        if part == nothing:
            continue
        query = CandidateQuery((), None, part, lexical_limit=0, dense_limit=0, neighbours=0, include=(id_,))
        candidates = await search.memory.candidates(query)
        passes = {known: bool(candidates.eligible[row]) for row, known in enumerate(candidates.ids)}
        if not passes.get(id_, True) or (name == "said" and not seen):
            failed.append(name)
    return tuple(failed)
