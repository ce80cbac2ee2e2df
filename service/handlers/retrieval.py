"""Memories out by a query, and why one is not: Retrieve, BuildContext, ExplainMiss, TraverseEvents."""

from collections.abc import AsyncIterator
from dataclasses import replace

from structmem.v1 import memory_service_pb2 as pb

from graph.model import EdgeKind, NodeKind
from graph.retrieval import explain_miss, retrieve_many, traverse_events
from service.answer_size import Room, RunBounds, runs
from service.authorize import Action
from service.convert.misses import miss_to_proto
from service.convert.retrieval import answer_to_proto, context_to_proto, traversed_to_proto
from service.convert.times import as_of_asked, range_from_proto
from service.handlers.querying import QueryHandlers
from service.handlers.resource import Context
from service.validate import enum_values, limit_of, node_id, node_ids

MAX_START_IDS = 100
MAX_EVENTS = 1000
TRAVERSE_BATCH = 100
_STARTS = frozenset({NodeKind.EVENT, NodeKind.FACT, NodeKind.RELATION, NodeKind.MESSAGE, NodeKind.ENTITY})


class RetrievalHandlers(QueryHandlers):
    """Finds memories."""

    async def Retrieve(self, request: pb.RetrieveRequest, context: Context) -> pb.RetrieveResponse:
        """The memories that fit a query best."""
        with self._asking(request.query) as found:
            requests = self._requests(found, request.query)
        requests = [replace(one, explain=request.explain) for one in await self._prepared(request.query, requests)]
        with self._dependencies.usage.of(requests[0].namespace):
            answer = await retrieve_many(
                self._store,
                requests,
                self._dependencies.embedder,
                self._dependencies.reranking,
                self._max_bytes,
                self._dependencies.indexes,
            )
        return answer_to_proto(answer, Room(self._max_bytes))

    async def BuildContext(self, request: pb.BuildContextRequest, context: Context) -> pb.BuildContextResponse:
        """Memories as a text within a token budget."""
        _, built = await self._built(request)
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
                self._dependencies.indexes,
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
            as_of = as_of_asked(found, request)
        # One more than is shown tells whether there are more.
        reached = await traverse_events(memory, starts, edges, hops, range_, limit + 1, as_of)
        shown = reached[:limit]
        bounds = RunBounds(TRAVERSE_BATCH, self._page_bytes, self._max_bytes)
        for events in runs(map(traversed_to_proto, shown), bounds, lambda element: element.event.id):
            yield pb.TraverseEventsResponse(batch=pb.TraversedEventBatch(events=events))
        yield pb.TraverseEventsResponse(trailer=pb.TraverseEventsTrailer(event_count=len(shown), truncated=len(reached) > limit))
