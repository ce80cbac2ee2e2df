"""Memories out by a query, and why one is not: Retrieve, BuildContext, ExplainMiss, TraverseEvents."""

from collections.abc import AsyncIterator
from dataclasses import replace

from structmem.v1 import memory_service_pb2 as pb

from extract.tokens import count_tokens
from graph.model import EdgeKind, Namespace, NodeKind
from graph.retrieval import DEFAULT_RECIPE, RECIPES, RetrievalRequest, build_context, explain_miss, retrieve_many, traverse_events
from service.authorize import Action
from service.convert.filters import memory_filter_from_proto
from service.convert.misses import miss_to_proto
from service.convert.retrieval import answer_to_proto, context_to_proto, traversed_to_proto
from service.convert.times import range_from_proto
from service.handlers.resource import Context, Resource
from service.validate import Violations, enum_values, instant, limit_of, node_id, node_ids, share, text, vector, zone_name, zone_of

MAX_NAMESPACES = 16
MAX_QUERY = 100_000
MAX_K = 1000
DEFAULT_K = 10
MAX_START_IDS = 100
TRAVERSE_BATCH = 100
_STARTS = frozenset({NodeKind.EVENT, NodeKind.FACT, NodeKind.RELATION, NodeKind.MESSAGE, NodeKind.ENTITY})
_FOLLOWED = frozenset(EdgeKind) - {EdgeKind.IN_SESSION, EdgeKind.DIFFERENT_FROM}


class RetrievalHandlers(Resource):
    """Finds memories."""

    async def Retrieve(self, request: pb.RetrieveRequest, context: Context) -> pb.RetrieveResponse:
        """The memories that fit a query best."""
        requests = await self._requests(request)
        k = _k_of(request)
        requests = [replace(one, k=k, explain=request.explain) for one in requests]
        with self._parts.usage.of(requests[0].namespace):
            answer = await retrieve_many(self._store, requests, self._parts.embedder, self._parts.reranking)
        return answer_to_proto(answer)

    async def BuildContext(self, request: pb.BuildContextRequest, context: Context) -> pb.BuildContextResponse:
        """Memories as a text within a token budget."""
        requests = await self._requests(request)
        with Violations() as found:
            budget = limit_of(found, "token_budget", request.token_budget, 1500, 100_000, low=16)
        with self._parts.usage.of(requests[0].namespace):
            built = await build_context(self._store, requests, self._parts.embedder, budget, count_tokens, self._parts.reranking)
        return context_to_proto(built)

    async def ExplainMiss(self, request: pb.ExplainMissRequest, context: Context) -> pb.ExplainMissResponse:
        """Why a memory is not among the hits of a query."""
        self._enter(Action.READ, request.namespace)
        with Violations() as found:
            node_id(found, "node_id", request.node_id)
        [asked] = await self._requests(_as_retrieve(request))
        asked = replace(asked, k=_k_of(request), explain=True)
        with self._parts.usage.of(asked.namespace):
            miss = await explain_miss(self._store, asked, request.node_id, self._parts.embedder, self._parts.reranking)
        return miss_to_proto(miss)

    async def TraverseEvents(self, request: pb.TraverseEventsRequest, context: Context) -> AsyncIterator[pb.TraverseEventsResponse]:
        """Walks the graph and streams the events on the way, nearest first."""
        self._enter(Action.READ, request.namespace)
        with Violations() as found:
            starts = node_ids(found, "start_ids", request.start_ids, _STARTS, 1, MAX_START_IDS)
            edges = enum_values(found, "edge_kinds", request.edge_kinds, EdgeKind) or _FOLLOWED
            hops = limit_of(found, "max_hops", request.max_hops, 2, 6)
            range_ = range_from_proto(found, "happened", request.happened)
            limit = limit_of(found, "max_events", request.max_events, 50, 1000)
        reached = await traverse_events(self._store, request.namespace, starts, edges, hops, range_, limit)
        for start in range(0, len(reached), TRAVERSE_BATCH):
            yield pb.TraverseEventsResponse(events=[traversed_to_proto(event) for event in reached[start : start + TRAVERSE_BATCH]])

    async def _requests(self, request: pb.RetrieveRequest | pb.BuildContextRequest) -> list[RetrievalRequest]:
        names = list(dict.fromkeys(request.namespaces))
        with Violations() as found:
            if not 1 <= len(names) <= MAX_NAMESPACES:
                found.add("namespaces", f"must name 1 to {MAX_NAMESPACES} namespaces; it names {len(names):,}")
        self._enter(Action.READ, *names, field="namespaces")
        with Violations() as found:
            recipe = request.recipe or DEFAULT_RECIPE
            if recipe not in RECIPES:
                found.add("recipe", f"must be one of {', '.join(sorted(RECIPES))}")
            plain = RetrievalRequest(
                namespace="",
                query=text(found, "query", request.query, MAX_QUERY),
                k=DEFAULT_K,
                recipe=recipe,
                filter=memory_filter_from_proto(found, "filter", request.filter),
                asked_at=instant(found, "asked_at", request.asked_at) if request.HasField("asked_at") else self._parts.clock.now(),
                zone=zone_of(zone_name(found, "time_zone", request.time_zone)),
                explain=False,
                min_relevance=share(found, "min_relevance", request.min_relevance),
            )
        requests = [replace(plain, namespace=name) for name in names]
        if not request.at_least and not request.HasField("embedding"):
            return requests
        await self._parts.consistency.reach(request.at_least, names, self._store)
        namespaces = [await self._store.get_namespace(name) for name in names]
        self._parts.consistency.require(request.at_least, namespaces)
        return self._with_vector(request, namespaces, requests) if request.HasField("embedding") else requests

    def _with_vector(
        self, request: pb.RetrieveRequest | pb.BuildContextRequest, namespaces: list[Namespace], requests: list[RetrievalRequest]
    ) -> list[RetrievalRequest]:
        """The caller's vector for each namespace that takes one; the service's own model serves the others."""
        served = self._parts.served.fingerprint
        takers = [n for n in namespaces if n.embedding.dimension and (not n.embedding.fingerprint or n.embedding.fingerprint != served)]
        with Violations() as found:
            field = "embedding.values"
            # Without a taker, the check against any of them says why.
            vectors = {n.name: vector(found, field, request.embedding.values, n, served) for n in takers or namespaces[:1]}
        return [replace(one, vector=vectors.get(one.namespace)) for one in requests]


def _k_of(request: pb.RetrieveRequest | pb.ExplainMissRequest) -> int:
    k = request.k if request.HasField("k") else DEFAULT_K
    with Violations() as found:
        if not 1 <= k <= MAX_K:
            found.add("k", f"must be from 1 to {MAX_K:,}; leave it out for {DEFAULT_K}")
    return k


def _as_retrieve(request: pb.ExplainMissRequest) -> pb.RetrieveRequest:
    """The query in which the memory was expected."""
    asked = pb.RetrieveRequest(
        namespaces=[request.namespace],
        query=request.query,
        recipe=request.recipe,
        filter=request.filter,
        at_least=request.at_least,
        time_zone=request.time_zone,
        min_relevance=request.min_relevance,
    )
    # A field that is set to nothing is not one that is left out.
    if request.HasField("asked_at"):
        asked.asked_at.CopyFrom(request.asked_at)
    if request.HasField("embedding"):
        asked.embedding.CopyFrom(request.embedding)
    return asked
