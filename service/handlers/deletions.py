"""DeleteMemories, and the DeletionService: ListDeletions, ListDeletedItems, CheckDeletion."""

from dataclasses import replace

from structmem.v1 import deletion_service_pb2 as dpb
from structmem.v1 import deletion_service_pb2_grpc
from structmem.v1 import memory_service_pb2 as pb

from graph.errors import NotFound
from graph.model import NodeKind
from graph.store.port import DeletedItem, Deletion, Memory, MessageQuery, items_digest
from service import call_context
from service.authorize import Action
from service.convert.filters import label_filter_from_proto
from service.convert.times import range_from_proto
from service.deletion_receipts import items_to_proto
from service.handlers.listing import DEFAULT_PAGE, MAX_PAGE, ListingHandlers
from service.handlers.resource import Context
from service.validate import Violations, names, node_ids, text
from service.validate.fields import MAX_NAME, MAX_REQUEST_ID

_DELETABLE = frozenset({NodeKind.MESSAGE, NodeKind.EVENT, NodeKind.FACT, NodeKind.RELATION})
_MAX_RECEIPT_ID = 64
DEFAULT_ITEMS, MAX_ITEMS = 1_000, 10_000
# Of the nodes that should be gone and are there, an answer names so many.
_MAX_FOUND = 100


class DeletingHandlers(ListingHandlers):
    """Deletes memories."""

    async def DeleteMemories(self, request: pb.DeleteMemoriesRequest, context: Context) -> pb.DeleteMemoriesResponse:
        """Deletes memories and what was derived from them."""
        with self._entering(Action.WRITE, request.namespace) as found:
            deletion = _deletion(found, request)
        memory = self._memory(request.namespace)
        namespace = await memory.settings()
        receipt = await memory.delete(deletion)
        return pb.DeleteMemoriesResponse(
            receipt=self._dependencies.receipts.signed(namespace.name, receipt),
            consistency_token=self._consistency_token(namespace.name, namespace.uid, receipt.revision),
        )


class DeletionHandlers(ListingHandlers, deletion_service_pb2_grpc.DeletionServiceServicer):
    """Tells of what was deleted."""

    async def ListDeletions(self, request: dpb.ListDeletionsRequest, context: Context) -> dpb.ListDeletionsResponse:
        """Receipts, newest first."""
        with self._entering(Action.READ, request.namespace) as found:
            limit, memory = self._listing_of(found, request, DEFAULT_PAGE, MAX_PAGE)
        uid, cursor = await self._start(memory, request)
        page = await memory.deletions(cursor, limit, self._page_bytes)
        receipts = [self._dependencies.receipts.signed(request.namespace, receipt) for receipt in page.items]
        return dpb.ListDeletionsResponse(receipts=receipts, next_page_token=self._dependencies.pages.make(request, uid, page.next))

    async def ListDeletedItems(self, request: dpb.ListDeletedItemsRequest, context: Context) -> dpb.ListDeletedItemsResponse:
        """What a deletion took, and why."""
        with self._entering(Action.READ, request.namespace) as found:
            text(found, "receipt_id", request.receipt_id, _MAX_RECEIPT_ID)
            limit, memory = self._listing_of(found, request, DEFAULT_ITEMS, MAX_ITEMS)
        uid, cursor = await self._start(memory, request)
        receipt = await memory.deletion(request.receipt_id)
        page = await memory.deleted_items(receipt.id, cursor, limit)
        return dpb.ListDeletedItemsResponse(
            receipt=self._dependencies.receipts.signed(request.namespace, receipt),
            items=items_to_proto(page.items),
            next_page_token=self._dependencies.pages.make(request, uid, page.next),
        )

    async def CheckDeletion(self, request: dpb.CheckDeletionRequest, context: Context) -> dpb.CheckDeletionResponse:
        """Whether a receipt is genuine, and what it lists is still gone."""
        with self._entering(Action.READ, request.namespace) as found:
            if not request.HasField("receipt"):
                found.add("receipt", "is required")
            memory = self._reading(found, request)
        await memory.settings()
        if not self._dependencies.receipts.is_authentic(request.namespace, request.receipt):
            return dpb.CheckDeletionResponse()
        try:
            items = await _all_items(memory, request.receipt.id)
        except NotFound:
            return dpb.CheckDeletionResponse(authentic=True, item_count=sum(count.count for count in request.receipt.counts))
        found_ids: list[str] = []
        for start in range(0, len(items), DEFAULT_ITEMS):
            ids = [item.id for item in items[start : start + DEFAULT_ITEMS]]
            found_ids += (await memory.get_nodes_within(ids, self._page_bytes)).nodes
        kept = items_digest(items) == request.receipt.items_digest
        return dpb.CheckDeletionResponse(authentic=True, kept=kept, item_count=len(items), found_ids=found_ids[:_MAX_FOUND])


async def _all_items(memory: Memory, receipt_id: str) -> list[DeletedItem]:
    items: list[DeletedItem] = []
    page = await memory.deleted_items(receipt_id, None, MAX_ITEMS)
    items += page.items
    while page.next is not None:
        page = await memory.deleted_items(receipt_id, page.next, MAX_ITEMS)
        items += page.items
    return items


def _deletion(found: Violations, request: pb.DeleteMemoriesRequest) -> Deletion:
    request_id = text(found, "request_id", request.request_id, MAX_REQUEST_ID, required=False)
    deleted_by = call_context.current().principal.name
    return replace(_selected(found, request), dry_run=request.dry_run, deleted_by=deleted_by, request_id=request_id)


def _selected(found: Violations, request: pb.DeleteMemoriesRequest) -> Deletion:
    match request.WhichOneof("selector"):
        case "memories":
            return Deletion(memory_ids=node_ids(found, "memories.ids", request.memories.ids, _DELETABLE, 1, 1000))
        case "session":
            return Deletion(session=text(found, "session", request.session, MAX_NAME))
        case "messages":
            return Deletion(messages=_messages(found, request.messages))
        case _:
            found.add("selector", "say what to delete: memories, a session, or which messages")
            return Deletion()


def _messages(found: Violations, selector: pb.MessageSelector) -> MessageQuery:
    query = MessageQuery(
        sessions=names(found, "messages.sessions", selector.sessions),
        speakers=names(found, "messages.speakers", selector.speakers),
        said=range_from_proto(found, "messages.said", selector.said),
        labels=label_filter_from_proto(found, "messages.labels", selector.labels),
    )
    if query == MessageQuery() and not found:
        found.add("messages", "say which: by sessions, speakers, said or labels; a namespace is deleted as a whole by DeleteNamespace")
    return query
