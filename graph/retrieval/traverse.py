"""Walking the graph from some nodes and collecting the events on the way."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from graph.model import EdgeKind, Event, TimeRange
from graph.retrieval.answer import PathStep
from graph.store.port import Store


@dataclass(frozen=True, slots=True)
class TraversedEvent:
    """An event that a walk reached: the fewest hops from a start, and a shortest path from it."""

    event: Event
    hops: int
    path: tuple[PathStep, ...]


async def traverse_events(
    store: Store,
    namespace: str,
    start_ids: Sequence[str],
    edges: Collection[EdgeKind],
    max_hops: int,
    range: TimeRange | None,
    limit: int,
) -> list[TraversedEvent]:
    """Events within `max_hops` of the starts, nearest first; at most `limit`."""
    raise NotImplementedError
