"""Nodes, edges and listings."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from graph.model import (
    AsOf,
    Edge,
    Entity,
    EntityKind,
    Event,
    LabelFilter,
    Message,
    Node,
    NodeKind,
    Session,
    Statement,
    TimeRange,
)
from graph.model.filters import NO_LABELS

# A position in a listing: JSON scalars that only the store that made it understands. The service signs it into a page token.
Cursor = tuple[int | str, ...]


T = TypeVar("T")
# What a page holds unless its reader says otherwise: clients of most languages take answers of 4 MB.
PAGE_BYTES = 3_000_000


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a listing, and where the next one starts; None on the last page.

    A page ends with its limit of items or before it would have more bytes than it may (`node_bytes`), but never empty while there are more:
    a single item that is larger comes alone.
    """

    items: tuple[T, ...]
    next: Cursor | None


def count_within(sizes: Iterable[int], max_bytes: int) -> int:
    """How many, from the first on, are together not larger than this; 1 where the first one alone is."""
    count = 0
    for size in sizes:
        max_bytes -= size
        if max_bytes < 0 and count:
            break
        count += 1
    return count


@dataclass(frozen=True, slots=True)
class EventQuery:
    """Which events to list, by when they happened or, where unknown, were said.

    `as_of`: only those of which all was said before `known`, and that state something that held then, or nothing at all.
    """

    range: TimeRange | None = None
    sessions: tuple[str, ...] = ()
    entity_ids: tuple[str, ...] = ()
    as_of: AsOf | None = None


@dataclass(frozen=True, slots=True)
class StatementQuery:
    """Which facts and relations to list, by when they were said.

    `as_of`: only those of which all that they rest on was said before `known`, and that nothing had replaced by then. None: replaced ones,
    too.
    """

    kinds: frozenset[NodeKind] = frozenset({NodeKind.FACT, NodeKind.RELATION})
    said: TimeRange | None = None
    sessions: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    entity_ids: tuple[str, ...] = ()
    include_retired: bool = False
    as_of: AsOf | None = None


@dataclass(frozen=True, slots=True)
class MessageQuery:
    """Which messages to list: of one session by seq, else by when they were said.

    `as_of`: only those sent before `known`. `recorded_before`: only what was stored before then.
    """

    sessions: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    said: TimeRange | None = None
    labels: LabelFilter = NO_LABELS
    as_of: AsOf | None = None
    recorded_before: datetime | None = None


@dataclass(frozen=True, slots=True)
class EntityQuery:
    """Which entities to list. `name` matches names and aliases, case-folded."""

    kinds: frozenset[EntityKind] = frozenset()
    name: str = ""


@dataclass(frozen=True, slots=True)
class NodesWithin:
    """As many nodes as have room in so many bytes, and the ids of those that exist and have none, both in the order asked for."""

    nodes: Mapping[str, Node]
    omitted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeEdges:
    """A node with its edges in both directions; `truncated` when there are more than were asked for."""

    node: Node
    edges: tuple[Edge, ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class GraphDescription:
    """Counts of a namespace's graph. `retired` counts nodes no longer believed, which `nodes` leaves out."""

    nodes: Mapping[NodeKind, int]
    retired: Mapping[NodeKind, int]
    edges: Mapping[int, int]
    vectors: int
    vectors_pending: int
    first_sent_at: datetime | None
    last_sent_at: datetime | None
    revision: int
    bytes: int


class Reads(Protocol):
    """Nodes, edges and listings."""

    async def get_nodes(self, ids: Sequence[str]) -> Mapping[str, Node]:
        """The nodes that exist among these ids, retired ones too."""
        ...

    async def get_nodes_within(self, ids: Sequence[str], max_bytes: int) -> NodesWithin:
        """As `get_nodes`, in their order, as many as have room in about so many bytes: what is left out is not read.

        One that has no room is left out; smaller ones after it are not.
        """
        ...

    async def get_node_edges(self, node_id: str, limit: int) -> NodeEdges:
        """A node with at most `limit` edges in each direction."""
        ...

    async def get_session(self, name: str) -> Session | None:
        """The session of this name, or None: its writer may be about to create it."""
        ...

    async def last_messages(self, session: str, before: datetime, limit: int) -> tuple[Message, ...]:
        """The last `limit` messages of a session that were sent before this, in their order; none of a session that is not there."""
        ...

    async def list_sessions(self, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Session]:
        """Sessions in the order of their creation."""
        ...

    async def list_messages(self, query: MessageQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Message]:
        """Messages."""
        ...

    async def list_events(self, query: EventQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Event]:
        """Current events in order of when they happened or were said."""
        ...

    async def list_statements(
        self, query: StatementQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES
    ) -> Page[Statement]:
        """Facts and relations in order of when they were said."""
        ...

    async def list_entities(self, query: EntityQuery, cursor: Cursor | None, limit: int, max_bytes: int = PAGE_BYTES) -> Page[Entity]:
        """Entities in the order in which they were first seen."""
        ...

    async def describe(self) -> GraphDescription:
        """Counts."""
        ...
