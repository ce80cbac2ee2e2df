"""The SummaryService: ListSummaries, GetSummary, ConsolidateSummaries, GetProfile."""

from structmem.v1 import node_pb2, summary_service_pb2_grpc
from structmem.v1 import summary_service_pb2 as pb

from graph.errors import NotFound
from graph.model import Event, Node, NodeKind, Statement, Summary, SummaryLevel
from graph.store.port import Memory, SummaryQuery
from service.answer_size import Room
from service.authorize import Action
from service.convert.jobs import job_to_proto
from service.convert.nodes import node_to_proto, summary_to_proto
from service.convert.times import as_of_asked, range_from_proto
from service.handlers.listing import ListingHandlers
from service.handlers.resource import Context
from service.validate import Violations, enum_values, limit_of, names, node_id

# From a profile through threads, windows, events and statements to messages.
MAX_DEPTH = 5
_SUMMARY = frozenset({NodeKind.SUMMARY})


class SummaryHandlers(ListingHandlers, summary_service_pb2_grpc.SummaryServiceServicer):
    """Shows summaries, and has them written."""

    async def ListSummaries(self, request: pb.ListSummariesRequest, context: Context) -> pb.ListSummariesResponse:
        """Summaries in time."""
        with self._entering(Action.READ, request.namespace) as found:
            limit, memory = self._listing(found, request)
            query = SummaryQuery(
                levels=enum_values(found, "levels", request.levels, SummaryLevel),
                sessions=names(found, "sessions", request.sessions),
                happened=range_from_proto(found, "happened", request.happened),
                stale=request.stale if request.HasField("stale") else None,
                as_of=as_of_asked(found, request),
            )
        uid, cursor = await self._start(memory, request)
        page = await memory.list_summaries(query, cursor, limit, self._page_bytes)
        summaries, token = self._shown(request, uid, page, summary_to_proto)
        return pb.ListSummariesResponse(summaries=summaries, next_page_token=token)

    async def GetSummary(self, request: pb.GetSummaryRequest, context: Context) -> pb.GetSummaryResponse:
        """A summary with what lies below it."""
        with self._entering(Action.READ, request.namespace) as found:
            node_id(found, "summary_id", request.summary_id, _SUMMARY)
            depth = limit_of(found, "depth", request.depth, MAX_DEPTH, MAX_DEPTH)
            memory = self._reading(found, request)
        summary = (await memory.get_nodes([request.summary_id])).get(request.summary_id)
        if not isinstance(summary, Summary):
            raise NotFound("there is no such summary", metadata={"node_id": request.summary_id})
        room = Room(self._max_bytes)
        shown = room.need(summary_to_proto(summary), summary.id)
        below, truncated = await _below(memory, summary, depth, room)
        return pb.GetSummaryResponse(summary=shown, below=below, truncated=truncated)

    async def ConsolidateSummaries(self, request: pb.ConsolidateSummariesRequest, context: Context) -> pb.ConsolidateSummariesResponse:
        """Has summaries written of what waits for them."""
        with self._entering(Action.WRITE, request.namespace) as found:
            self._require_consolidator(found)
        memory = self._memory(request.namespace)
        job = job_to_proto(await memory.queue_consolidation(request.anew))
        return pb.ConsolidateSummariesResponse(job=job, consistency_token=await self._token_now(memory, request.namespace))

    async def GetProfile(self, request: pb.GetProfileRequest, context: Context) -> pb.GetProfileResponse:
        """Who the namespace is about."""
        with self._entering(Action.READ, request.namespace) as found:
            as_of = as_of_asked(found, request)
            memory = self._reading(found, request)
        page = await memory.list_summaries(SummaryQuery(frozenset({SummaryLevel.PROFILE}), as_of=as_of), None, 1)
        if not page.items:
            return pb.GetProfileResponse()
        room = Room(self._max_bytes)
        return pb.GetProfileResponse(profile=room.need(summary_to_proto(page.items[0]), page.items[0].id))

    def _require_consolidator(self, found: Violations) -> None:
        if self._dependencies.consolidator is None:
            found.add("namespace", "is of a service whose setting `consolidator` is none: nobody would write summaries")


async def _below(memory: Memory, summary: Summary, depth: int, room: Room) -> tuple[list[node_pb2.Node], bool]:
    """What lies below, nearest first, each node once, as far as there is room; whether something was left out."""
    shown: list[node_pb2.Node] = []
    seen: set[str] = {summary.id}
    level: list[Node] = [summary]
    for _ in range(depth):
        ids = list(dict.fromkeys(id_ for node in level for id_ in _rests_on(node) if id_ not in seen))
        if not ids:
            break
        seen.update(ids)
        nodes = await memory.get_nodes_within(ids, room.left)
        level = list(nodes.nodes.values())
        added, cut = room.fill(map(node_to_proto, level))
        shown += added
        if cut or nodes.omitted:
            return shown, True
    return shown, False


def _rests_on(node: Node) -> tuple[str, ...]:
    match node:
        case Summary():
            return node.member_ids
        case Event():
            return node.statement_ids or node.evidence_ids
        case Statement():
            return node.evidence_ids
        case _:
            return ()
