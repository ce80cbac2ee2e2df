"""Listings in pages: what every one of them checks, where it starts, and what its answer has room for."""

from collections.abc import Callable
from typing import TypeVar

from google.protobuf.message import Message as ProtoMessage
from structmem.v1 import deletion_service_pb2 as dpb
from structmem.v1 import memory_service_pb2 as pb
from structmem.v1 import summary_service_pb2 as spb

from graph.model import Entity, Event, Message, Session, Statement, Summary
from graph.store.port import Cursor, Memory, Page
from service.answer_size import Room
from service.handlers.resource import ResourceHandlers
from service.validate import Violations, limit_of

DEFAULT_PAGE = 50
MAX_PAGE = 500
N = TypeVar("N", Session, Message, Event, Statement, Entity, Summary)
P = TypeVar("P", bound=ProtoMessage)
Listing = (
    pb.ListEventsRequest
    | pb.ListStatementsRequest
    | pb.ListMessagesRequest
    | pb.ListSessionsRequest
    | pb.ListEntitiesRequest
    | spb.ListSummariesRequest
    | dpb.ListDeletionsRequest
    | dpb.ListDeletedItemsRequest
)


class ListingHandlers(ResourceHandlers):
    """Handlers that list things in pages."""

    def _shown(self, request: Listing, uid: str, page: Page[N], to_proto: Callable[[N], P]) -> tuple[list[P], str]:
        """The elements of a page and the token of the next one. Raises ElementTooLarge, with that token, where one alone is too large."""
        token = self._dependencies.pages.make(request, uid, page.next)
        room = Room(self._max_bytes)
        return [room.need(to_proto(item), item.id, token) for item in page.items], token

    def _listing(self, found: Violations, request: Listing) -> tuple[int, Memory]:
        """How many elements the page has at most, and the namespace that they are from."""
        return self._listing_of(found, request, DEFAULT_PAGE, MAX_PAGE)

    def _listing_of(self, found: Violations, request: Listing, default: int, most: int) -> tuple[int, Memory]:
        """The same for pages of another size."""
        with found.gathering():
            self._dependencies.pages.check(request)
        return limit_of(found, "page_size", request.page_size, default, most), self._reading(found, request)

    async def _start(self, memory: Memory, request: Listing) -> tuple[str, Cursor | None]:
        """The namespace's uid, and where the page starts."""
        uid = (await memory.settings()).uid
        return uid, self._dependencies.pages.read(request, uid)
