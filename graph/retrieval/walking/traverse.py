"""Walking the graph from some nodes and collecting the events on the way."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from graph.errors import InvalidArgument, NotFound
from graph.model import AsOf, EdgeKind, Event, NodeKind, TimeRange
from graph.model.edges import WALKED_KINDS
from graph.retrieval.answer import PathStep
from graph.retrieval.changes.holding import events_that_hold
from graph.retrieval.walking.pagerank import path_to
from graph.store.port import Memory

MAX_HOPS = 6
# Bounds of one walk: a memory of 100,000 nodes still answers within a second, and a hub does not fill the walk alone.
MAX_NODES = 20_000
MAX_DEGREE = 1_000


@dataclass(frozen=True, slots=True)
class TraversedEvent:
    """An event that a walk reached: the fewest hops from a start, and a shortest path from it (empty for a start)."""

    event: Event
    hops: int
    path: tuple[PathStep, ...]


async def traverse_events(
    memory: Memory,
    start_ids: Sequence[str],
    edges: Collection[EdgeKind],
    max_hops: int,
    range: TimeRange | None,
    limit: int,
    as_of: AsOf | None = None,
) -> list[TraversedEvent]:
    """Events within `max_hops` of the starts over edges of these kinds in both directions, nearest first, then by when they happened.

    Args:
        edges: empty for all but IN_SESSION and DIFFERENT_FROM.
        range: only events that happened (or, where that is not known, were said) in it.
        as_of: nothing that was said later is entered or returned; of the rest only events that state something that held then, or nothing.

    Raises:
        InvalidArgument: no start, or hops or limit out of bounds.
        NotFound: there is no such namespace, or no node of one of the ids.
    """
    if not start_ids:
        raise InvalidArgument.of("start_ids", "at least one is required")
    if not 1 <= max_hops <= MAX_HOPS:
        raise InvalidArgument.of("max_hops", f"must be from 1 to {MAX_HOPS}")
    if limit < 1:
        raise InvalidArgument.of("limit", "must be at least 1")
    subgraph = await memory.neighbourhood(
        tuple(start_ids), edges or WALKED_KINDS, max_hops, MAX_NODES, MAX_DEGREE, None if as_of is None else as_of.known
    )
    await _check_starts(memory, start_ids, subgraph.ids)
    reached = np.flatnonzero(subgraph.kind == NodeKind.EVENT)
    nodes = await memory.get_nodes([subgraph.ids[node] for node in reached])
    found: list[TraversedEvent] = []
    for node in reached.tolist():
        event = nodes.get(subgraph.ids[node])
        if isinstance(event, Event) and event.retired_at is None and (range is None or _within(event, range)):
            found.append(TraversedEvent(event, int(subgraph.hops[node]), path_to(subgraph, node)))
    found.sort(key=lambda one: (one.hops, one.event.time.start if one.event.time else one.event.said_at, one.event.id))
    return found[:limit] if as_of is None else await _holding(memory, found, limit, as_of)


async def _holding(memory: Memory, found: Sequence[TraversedEvent], limit: int, as_of: AsOf) -> list[TraversedEvent]:
    """The first of these that hold; looked at a run at a time, since most do."""
    held: list[TraversedEvent] = []
    for start in range(0, len(found), limit):
        some = found[start : start + limit]
        holding = {event.id for event in await events_that_hold(memory, [one.event for one in some], as_of)}
        held += [one for one in some if one.event.id in holding]
        if len(held) >= limit:
            break
    return held[:limit]


async def _check_starts(memory: Memory, start_ids: Sequence[str], reached: Sequence[str]) -> None:
    """Refuses starts that are not there. A start that was retired is there, and leads nowhere."""
    missed = [id_ for id_ in start_ids if id_ not in set(reached)]
    there = await memory.get_nodes(missed) if missed else {}
    for id_ in missed:
        if id_ not in there:
            raise NotFound(f"there is no node {id_} in the namespace to start from", metadata={"node_id": id_})


def _within(event: Event, range: TimeRange) -> bool:
    """Whether an event happened, at least in part, in the range; one of unknown time is judged by when it was said."""
    if event.time is None:
        return range.start <= event.said_at < range.end
    return event.time.start < range.end and (event.time.end > range.start or event.time.start >= range.start)
