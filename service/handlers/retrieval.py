"""Memories out by a query, and why one is not: Retrieve, BuildContext, ExplainMiss, TraverseEvents."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace

from structmem.v1 import memory_service_pb2 as pb
from structmem.v1 import retrieval_pb2

from extract.tokens import count_tokens
from graph.model import EdgeKind, NodeKind
from graph.retrieval import NamespaceIndexes, RetrievalRequest, build_context, explain_miss, retrieve_many, traverse_events
from service.answer_size import Room, RunBounds, runs
from service.authorize import Action
from service.convert.misses import miss_to_proto
from service.convert.queries import MAX_K, MAX_NAMESPACES, check_namespaces, namespaces_of, requests_from_proto
from service.convert.retrieval import answer_to_proto, context_to_proto, traversed_to_proto
from service.convert.times import range_from_proto
from service.handlers.resource import Context, Dependencies, ResourceHandlers
from service.validate import Violations, enum_values, limit_of, node_id, node_ids, numbers, vector

MAX_START_IDS = 100
MAX_EVENTS = 1000
TRAVERSE_BATCH = 100
_STARTS = frozenset({NodeKind.EVENT, NodeKind.FACT, NodeKind.RELATION, NodeKind.MESSAGE, NodeKind.ENTITY})


class RetrievalHandlers(ResourceHandlers):
    """Finds memories."""

    def __init__(self, dependencies: Dependencies) -> None:
        super().__init__(dependencies)
        self._indexes = NamespaceIndexes()

    async def Retrieve(self, request: pb.RetrieveRequest, context: Context) -> pb.RetrieveResponse:
        """The memories that fit a query best."""
        with self._asking(request.query) as found:
            requests = self._requests(found, request.query)
        requests = [replace(one, explain=request.explain) for one in await self._prepared(request.query, requests)]
        with self._dependencies.usage.of(requests[0].namespace):
            answer = await retrieve_many(
                self._store, requests, self._dependencies.embedder, self._dependencies.reranking, self._max_bytes, self._indexes
            )
        return answer_to_proto(answer, Room(self._max_bytes))

    async def BuildContext(self, request: pb.BuildContextRequest, context: Context) -> pb.BuildContextResponse:
        """Memories as a text within a token budget."""
        with self._asking(request.query) as found:
            requests = self._requests(found, request.query, told_default_k="as many as the budget has room for")
            budget = limit_of(found, "token_budget", request.token_budget, 1500, 100_000, low=16)
        requests = await self._prepared(request.query, requests)
        embedder, at_most = self._dependencies.embedder, request.query.k or MAX_K
        with self._dependencies.usage.of(requests[0].namespace):
            built = await build_context(
                self._store,
                requests,
                embedder,
                budget,
                count_tokens,
                self._dependencies.reranking,
                at_most,
                self._indexes,
                request.profile,
            )
        return context_to_proto(built)

    async def ExplainMiss(self, request: pb.ExplainMissRequest, context: Context) -> pb.ExplainMissResponse:
        """Why a memory is not among the hits of a query."""
        with self._asking(request.query, at_most=1) as found:
            requests = self._requests(found, request.query)
            node_id(found, "node_id", request.node_id)
        [asked] = await self._prepared(request.query, requests)
        with self._dependencies.usage.of(asked.namespace):
            miss = await explain_miss(
                self._store,
                replace(asked, explain=True),
                request.node_id,
                self._dependencies.embedder,
                self._dependencies.reranking,
                self._indexes,
            )
        return miss_to_proto(miss, Room(self._max_bytes))

    async def TraverseEvents(self, request: pb.TraverseEventsRequest, context: Context) -> AsyncIterator[pb.TraverseEventsResponse]:
        """Walks the graph and streams the events on the way, nearest first."""
        with self._entering(Action.READ, request.namespace) as found:
            memory = self._reading(found, request)
            starts = node_ids(found, "start_ids", request.start_ids, _STARTS, 1, MAX_START_IDS)
            edges = enum_values(found, "edge_kinds", request.edge_kinds, EdgeKind)
            hops = limit_of(found, "max_hops", request.max_hops, 2, 6)
            range_ = range_from_proto(found, "happened", request.happened)
            limit = limit_of(found, "max_events", request.max_events, 50, MAX_EVENTS)
        # One more than is shown tells whether there are more.
        reached = await traverse_events(memory, starts, edges, hops, range_, limit + 1)
        shown = reached[:limit]
        bounds = RunBounds(TRAVERSE_BATCH, self._page_bytes, self._max_bytes)
        for events in runs(map(traversed_to_proto, shown), bounds, lambda element: element.event.id):
            yield pb.TraverseEventsResponse(batch=pb.TraversedEventBatch(events=events))
        yield pb.TraverseEventsResponse(trailer=pb.TraverseEventsTrailer(event_count=len(shown), truncated=len(reached) > limit))

    @contextmanager
    def _asking(self, query: retrieval_pb2.RetrievalQuery, at_most: int = MAX_NAMESPACES) -> Iterator[Violations]:
        """Lets a query to its namespaces pass; in the block its other fields are checked."""
        with self._entering(Action.READ, *namespaces_of(query)[: MAX_NAMESPACES + 1], field="query.namespaces") as found:
            check_namespaces(found, query, at_most)
            yield found

    def _requests(self, found: Violations, query: retrieval_pb2.RetrievalQuery, told_default_k: str = "") -> list[RetrievalRequest]:
        """What is asked of each namespace, and what it must see."""
        points = self._points(found, "query.at_least", query.at_least)
        if query.HasField("embedding"):
            numbers(found, "query.embedding.values", query.embedding.values)
        requests = requests_from_proto(found, query, self._dependencies.clock.now, told_default_k)
        return [replace(one, at_least=points.get(one.namespace)) for one in requests]

    async def _prepared(self, query: retrieval_pb2.RetrievalQuery, requests: list[RetrievalRequest]) -> list[RetrievalRequest]:
        """The requests, each with the caller's vector where its namespace takes one."""
        if not query.HasField("embedding"):
            return requests
        namespaces = [await self._store.namespace(one.namespace).settings() for one in requests]
        # The service's own model serves the others.
        served = self._dependencies.served.fingerprint
        takers = [n for n in namespaces if n.embedding.dimension and (not n.embedding.fingerprint or n.embedding.fingerprint != served)]
        with Violations() as found:
            field = "query.embedding.values"
            # Without a taker, the check against any of them says why.
            vectors = {n.name: vector(found, field, query.embedding.values, n, served) for n in takers or namespaces[:1]}
        return [replace(one, vector=vectors.get(one.namespace)) for one in requests]
