"""The memory graph as it is: GetNode, GetEvent, the listings, DecideEntityLink, RevertDecision."""

from collections.abc import Mapping, Sequence

from structmem.v1 import memory_service_pb2 as pb

from graph.errors import NotFound
from graph.model import AsOf, EdgeKind, Event, LinkVerdict, Message, NodeKind, Statement, Supersession
from graph.model.ids import MEMORY_KINDS, STATEMENT_KINDS
from graph.retrieval import standing_statements
from graph.store.port import EntityQuery, EventQuery, LinkDecision, Memory, MessageQuery, Reversal, Reverted, StatementQuery
from service import call_context
from service.answer_size import Room
from service.authorize import Action
from service.convert.edges import edge_to_proto
from service.convert.entity_kinds import entity_kinds_from_proto
from service.convert.filters import label_filter_from_proto
from service.convert.nodes import (
    entity_to_proto,
    event_to_proto,
    message_to_proto,
    node_to_proto,
    session_to_proto,
    statement_to_proto,
)
from service.convert.times import as_of_asked, range_from_proto
from service.handlers.listing import ListingHandlers
from service.handlers.resource import Context
from service.validate import enum_value, enum_values, limit_of, names, node_id, node_ids, text
from service.validate.fields import MAX_FILTER_VALUES, MAX_NAME

# Of one memory, edges are read to find what it replaced.
_MOST_CHANGES = 1_000
_ENTITY = frozenset({NodeKind.ENTITY})


class GraphHandlers(ListingHandlers):
    """Shows, lists and links nodes."""

    async def GetNode(self, request: pb.GetNodeRequest, context: Context) -> pb.GetNodeResponse:
        """Any node with its edges."""
        with self._entering(Action.READ, request.namespace) as found:
            node_id(found, "node_id", request.node_id)
            limit = limit_of(found, "max_edges", request.max_edges, 100, 1000)
            memory = self._reading(found, request)
        around = await memory.get_node_edges(request.node_id, limit)
        room = Room(self._max_bytes)
        node = room.need(node_to_proto(around.node, whole=True), request.node_id)
        edges, cut = room.fill(map(edge_to_proto, around.edges))
        others = dict.fromkeys(end for edge in around.edges for end in (edge.source_id, edge.target_id) if end != request.node_id)
        nodes = await memory.get_nodes_within(list(others), room.left)
        neighbors, left_out = room.fill(map(node_to_proto, nodes.nodes.values()))
        return pb.GetNodeResponse(
            node=node,
            edges=edges,
            neighbors=neighbors,
            edges_truncated=around.truncated or cut,
            neighbors_truncated=left_out or bool(nodes.omitted),
        )

    async def GetEvent(self, request: pb.GetEventRequest, context: Context) -> pb.GetEventResponse:
        """An event with its statements and evidence."""
        with self._entering(Action.READ, request.namespace) as found:
            node_id(found, "event_id", request.event_id, {NodeKind.EVENT})
            as_of = as_of_asked(found, request)
            memory = self._reading(found, request)
        event = (await memory.get_nodes([request.event_id])).get(request.event_id)
        if not isinstance(event, Event):
            raise NotFound("there is no such event", metadata={"node_id": request.event_id})
        if as_of is not None and as_of.known is not None and not await memory.known_before([event.id], as_of.known):
            raise NotFound("nothing or not all of the event had been said by then", metadata={"node_id": request.event_id})
        statement_ids = event.statement_ids if as_of is None else await standing_statements(memory, event.statement_ids, as_of)
        room = Room(self._max_bytes)
        shown = room.need(event_to_proto(event), event.id)
        bound = await memory.get_nodes_within([*statement_ids, *event.evidence_ids], room.left)
        superseded = await _superseded(memory, statement_ids, as_of)
        statements, cut = room.fill(
            statement_to_proto(node, superseded.get(node.id)) for node in bound.nodes.values() if isinstance(node, Statement)
        )
        evidence, left_out = room.fill(message_to_proto(node) for node in bound.nodes.values() if isinstance(node, Message))
        return pb.GetEventResponse(event=shown, statements=statements, evidence=evidence, truncated=cut or left_out or bool(bound.omitted))

    async def ListEvents(self, request: pb.ListEventsRequest, context: Context) -> pb.ListEventsResponse:
        """Events in time."""
        with self._entering(Action.READ, request.namespace) as found:
            limit, memory = self._listing(found, request)
            query = EventQuery(
                range=range_from_proto(found, "happened", request.happened),
                sessions=names(found, "sessions", request.sessions),
                entity_ids=node_ids(found, "entity_ids", request.entity_ids, _ENTITY, 0, MAX_FILTER_VALUES),
                as_of=as_of_asked(found, request),
            )
        uid, cursor = await self._start(memory, request)
        page = await memory.list_events(query, cursor, limit, self._page_bytes)
        events, token = self._shown(request, uid, page, event_to_proto)
        return pb.ListEventsResponse(events=events, next_page_token=token)

    async def ListStatements(self, request: pb.ListStatementsRequest, context: Context) -> pb.ListStatementsResponse:
        """Facts and relations."""
        with self._entering(Action.READ, request.namespace) as found:
            limit, memory = self._listing(found, request)
            query = StatementQuery(
                kinds=enum_values(found, "kinds", request.kinds, NodeKind, STATEMENT_KINDS) or STATEMENT_KINDS,
                said=range_from_proto(found, "said", request.said),
                sessions=names(found, "sessions", request.sessions),
                speakers=names(found, "speakers", request.speakers),
                entity_ids=node_ids(found, "entity_ids", request.entity_ids, _ENTITY, 0, MAX_FILTER_VALUES),
                include_retired=request.include_retired,
                as_of=as_of_asked(found, request),
            )
        uid, cursor = await self._start(memory, request)
        page = await memory.list_statements(query, cursor, limit, self._page_bytes)
        superseded = await _superseded(memory, [statement.id for statement in page.items], query.as_of)
        statements, token = self._shown(request, uid, page, lambda it: statement_to_proto(it, superseded.get(it.id)))
        return pb.ListStatementsResponse(statements=statements, next_page_token=token)

    async def ListMessages(self, request: pb.ListMessagesRequest, context: Context) -> pb.ListMessagesResponse:
        """Messages, verbatim."""
        with self._entering(Action.READ, request.namespace) as found:
            limit, memory = self._listing(found, request)
            query = MessageQuery(
                sessions=names(found, "sessions", request.sessions),
                speakers=names(found, "speakers", request.speakers),
                said=range_from_proto(found, "said", request.said),
                labels=label_filter_from_proto(found, "labels", request.labels),
                as_of=as_of_asked(found, request),
            )
        uid, cursor = await self._start(memory, request)
        page = await memory.list_messages(query, cursor, limit, self._page_bytes)
        messages, token = self._shown(request, uid, page, message_to_proto)
        return pb.ListMessagesResponse(messages=messages, next_page_token=token)

    async def ListSessions(self, request: pb.ListSessionsRequest, context: Context) -> pb.ListSessionsResponse:
        """Sessions in the order of their creation."""
        with self._entering(Action.READ, request.namespace) as found:
            limit, memory = self._listing(found, request)
        uid, cursor = await self._start(memory, request)
        page = await memory.list_sessions(cursor, limit, self._page_bytes)
        sessions, token = self._shown(request, uid, page, session_to_proto)
        return pb.ListSessionsResponse(sessions=sessions, next_page_token=token)

    async def ListEntities(self, request: pb.ListEntitiesRequest, context: Context) -> pb.ListEntitiesResponse:
        """Entities in the order in which they were first seen."""
        with self._entering(Action.READ, request.namespace) as found:
            limit, memory = self._listing(found, request)
            query = EntityQuery(
                kinds=entity_kinds_from_proto(found, "kinds", request.kinds),
                name=text(found, "name", request.name, MAX_NAME, required=False),
            )
        uid, cursor = await self._start(memory, request)
        page = await memory.list_entities(query, cursor, limit, self._page_bytes)
        entities, token = self._shown(request, uid, page, entity_to_proto)
        return pb.ListEntitiesResponse(entities=entities, next_page_token=token)

    async def DecideEntityLink(self, request: pb.DecideEntityLinkRequest, context: Context) -> pb.DecideEntityLinkResponse:
        """Whether two entities are the same, from now on."""
        with self._entering(Action.WRITE, request.namespace) as found:
            node_id(found, "entity_id", request.entity_id, _ENTITY)
            node_id(found, "other_id", request.other_id, _ENTITY)
            verdict = enum_value(found, "verdict", request.verdict, LinkVerdict)
            if not request.verdict:
                found.add("verdict", "is required")
        assert verdict is not None
        memory = self._memory(request.namespace)
        namespace = await memory.settings()
        decision = LinkDecision(request.entity_id, request.other_id, verdict, call_context.current().principal.name)
        decided = await memory.decide_link(decision)
        return pb.DecideEntityLinkResponse(
            edges=[edge_to_proto(edge) for edge in decided.edges],
            consistency_token=self._consistency_token(namespace.name, namespace.uid, decided.revision),
        )

    async def RevertDecision(self, request: pb.RevertDecisionRequest, context: Context) -> pb.RevertDecisionResponse:
        """Whether one memory replaces, or repeats, another one, from now on."""
        with self._entering(Action.WRITE, request.namespace) as found:
            node_id(found, "newer_id", request.newer_id, MEMORY_KINDS)
            node_id(found, "older_id", request.older_id, MEMORY_KINDS)
        memory = self._memory(request.namespace)
        namespace = await memory.settings()
        decided_by = call_context.current().principal.name
        reverted = await memory.revert(Reversal(request.newer_id, request.older_id, decided_by, request.restore))
        for same in await _replaced_alike(memory, request.newer_id, request.older_id):
            also = await memory.revert(Reversal(request.newer_id, same, decided_by, request.restore))
            reverted = Reverted((*reverted.edges, *also.edges), also.revision)
        return pb.RevertDecisionResponse(
            edges=[edge_to_proto(edge) for edge in reverted.edges],
            consistency_token=self._consistency_token(namespace.name, namespace.uid, reverted.revision),
        )


async def _superseded(memory: Memory, ids: Sequence[str], as_of: AsOf | None) -> Mapping[str, Supersession]:
    """What first replaced each of these, as far as that had been said by then, whether or not it had come about."""
    known = AsOf(known=as_of.known if as_of else None)
    changes = await memory.replaced(ids) if ids else {}
    seen = {id_: [change for change in of_one if known.sees(change)] for id_, of_one in changes.items()}
    return {id_: of_one[0] for id_, of_one in seen.items() if of_one}


async def _replaced_alike(memory: Memory, newer_id: str, older_id: str) -> list[str]:
    """What says the same as a memory, and was replaced by the same one with it."""
    around = await memory.get_node_edges(newer_id, _MOST_CHANGES)
    ids = [edge.target_id for edge in around.edges if edge.source_id == newer_id and edge.kind is EdgeKind.SUPERSEDES]
    nodes = await memory.get_nodes(list(dict.fromkeys([older_id, *ids])))
    older = nodes.get(older_id)
    if not isinstance(older, Statement):
        return []
    return [id_ for id_, node in nodes.items() if id_ != older_id and isinstance(node, Statement) and node.says_the_same_as(older)]
