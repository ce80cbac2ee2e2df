"""The blocking form of `_async_listings.py`, made from it by `make_sync_client.py`; change that one."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from structmem import _calls as calls
from structmem import _deletion_calls as deletion_calls
from structmem import _service_calls as service_calls
from structmem._answers import DeletedItem, DeletionReceipt, Job, Namespace, TraversedEvent
from structmem._inputs import AsOf, ConsistencyTokens, LabelFilter, TimeRange
from structmem._kinds import EdgeKind, EntityKind, JobKind, JobState, NodeKind
from structmem._nodes import Entity, Event, Message, Session, Statement
from structmem._transport import Transport


class Listings:
    """What comes one by one: iterators that fetch pages as they are needed."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_events(
        self,
        namespace: str,
        *,
        happened: TimeRange | None = None,
        sessions: Sequence[str] = (),
        entity_ids: Sequence[str] = (),
        as_of: AsOf | datetime | None = None,
        at_least: ConsistencyTokens = (),
        page_size: int | None = None,
        timeout: float | None = None,
    ) -> Iterator[Event]:
        """Events in order of when they happened, or were said where that is not known; fetches pages as they are needed.

        `as_of`: only what had been said by then, and what states something that held then.
        """
        token = ""
        while True:
            call = calls.list_events(namespace, happened, sessions, entity_ids, as_of, at_least, page_size, token)
            found, token = self._transport.unary(call, timeout)
            yield from found
            if not token:
                return

    def list_statements(
        self,
        namespace: str,
        *,
        kinds: Sequence[NodeKind | str] = (),
        said: TimeRange | None = None,
        sessions: Sequence[str] = (),
        speakers: Sequence[str] = (),
        entity_ids: Sequence[str] = (),
        include_retired: bool = False,
        as_of: AsOf | datetime | None = None,
        at_least: ConsistencyTokens = (),
        page_size: int | None = None,
        timeout: float | None = None,
    ) -> Iterator[Statement]:
        """Facts and relations in order of when they were said; fetches pages as they are needed.

        `as_of`: only what had been said by then, and what nothing had replaced; `AsOf()` for now. None: replaced ones, too, which
        `superseded_by` marks.
        """
        token = ""
        while True:
            call = calls.list_statements(
                namespace, kinds, said, sessions, speakers, entity_ids, include_retired, as_of, at_least, page_size, token
            )
            found, token = self._transport.unary(call, timeout)
            yield from found
            if not token:
                return

    def list_messages(
        self,
        namespace: str,
        *,
        sessions: Sequence[str] = (),
        speakers: Sequence[str] = (),
        said: TimeRange | None = None,
        labels: LabelFilter | None = None,
        as_of: AsOf | datetime | None = None,
        at_least: ConsistencyTokens = (),
        page_size: int | None = None,
        timeout: float | None = None,
    ) -> Iterator[Message]:
        """Messages: of one session in their order, of several by when they were said; fetches pages as they are needed."""
        token = ""
        while True:
            call = calls.list_messages(namespace, sessions, speakers, said, labels, as_of, at_least, page_size, token)
            found, token = self._transport.unary(call, timeout)
            yield from found
            if not token:
                return

    def list_sessions(
        self, namespace: str, *, at_least: ConsistencyTokens = (), page_size: int | None = None, timeout: float | None = None
    ) -> Iterator[Session]:
        """Sessions in the order in which they were created; fetches pages as they are needed."""
        token = ""
        while True:
            found, token = self._transport.unary(calls.list_sessions(namespace, at_least, page_size, token), timeout)
            yield from found
            if not token:
                return

    def list_entities(
        self,
        namespace: str,
        *,
        kinds: Sequence[EntityKind | str] = (),
        name: str = "",
        at_least: ConsistencyTokens = (),
        page_size: int | None = None,
        timeout: float | None = None,
    ) -> Iterator[Entity]:
        """Entities in the order in which they were first seen; fetches pages as they are needed."""
        token = ""
        while True:
            call = calls.list_entities(namespace, kinds, name, at_least, page_size, token)
            found, token = self._transport.unary(call, timeout)
            yield from found
            if not token:
                return

    def traverse_events(
        self,
        namespace: str,
        start_ids: Sequence[str],
        *,
        edge_kinds: Sequence[EdgeKind | str] = (),
        max_hops: int | None = None,
        happened: TimeRange | None = None,
        max_events: int | None = None,
        as_of: AsOf | datetime | None = None,
        at_least: ConsistencyTokens = (),
        timeout: float | None = None,
    ) -> Iterator[TraversedEvent]:
        """Walks the graph from some nodes, at most `max_hops` (2), and gives the events on the way, nearest first."""
        call = calls.traverse_events(namespace, start_ids, edge_kinds, max_hops, happened, max_events, as_of, at_least)
        for batch in self._transport.stream(call, timeout):
            yield from batch

    def list_jobs(
        self,
        namespace: str,
        *,
        states: Sequence[JobState | str] = (),
        kinds: Sequence[JobKind | str] = (),
        at_least: ConsistencyTokens = (),
        page_size: int | None = None,
        timeout: float | None = None,
    ) -> Iterator[Job]:
        """Jobs, newest first; fetches pages as they are needed."""
        token = ""
        while True:
            found, token = self._transport.unary(calls.list_jobs(namespace, states, kinds, at_least, page_size, token), timeout)
            yield from found
            if not token:
                return

    def list_namespaces(
        self, prefix: str = "", *, at_least: ConsistencyTokens = (), page_size: int | None = None, timeout: float | None = None
    ) -> Iterator[Namespace]:
        """The namespaces that this client may read, by name; fetches pages as they are needed."""
        token = ""
        while True:
            found, token = self._transport.unary(service_calls.list_namespaces(prefix, at_least, page_size, token), timeout)
            yield from found
            if not token:
                return

    def list_deletions(
        self, namespace: str, *, at_least: ConsistencyTokens = (), page_size: int | None = None, timeout: float | None = None
    ) -> Iterator[DeletionReceipt]:
        """Receipts of deletions, newest first; fetches pages as they are needed."""
        token = ""
        while True:
            found, token = self._transport.unary(deletion_calls.list_deletions(namespace, at_least, page_size, token), timeout)
            yield from found
            if not token:
                return

    def list_deleted_items(
        self,
        namespace: str,
        receipt_id: str,
        *,
        at_least: ConsistencyTokens = (),
        page_size: int | None = None,
        timeout: float | None = None,
    ) -> Iterator[DeletedItem]:
        """What a deletion took, and why; fetches pages as they are needed."""
        token = ""
        while True:
            call = deletion_calls.list_deleted_items(namespace, receipt_id, at_least, page_size, token)
            found, token = self._transport.unary(call, timeout)
            yield from found
            if not token:
                return
