"""What a consolidator is given of a namespace, read from its graph: windows with their seeds, threads with their windows."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import numpy as np

from extract.consolidate.composing import source_of_event
from extract.consolidate.port import Source, SourceGroup
from extract.consolidate.window_plan import PlannedWindow
from graph.model import STATEMENT_KINDS, EdgeKind, Event, MemoryFilter, Namespace, Seed, Statement, Summary, SummaryLevel, TimeRange
from graph.retrieval.offload import offload_if_many
from graph.store.candidates import CandidateQuery, Candidates
from graph.store.port import Float16Vector, Memory, SummaryQuery

# Statements that are looked at for the seeds of a window: several are of one event.
_STATEMENTS_A_SEED = 4
_PAGE = 500
_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class WindowMaterial:
    """What one window is written from."""

    planned: PlannedWindow
    group: SourceGroup
    seeds: tuple[Seed, ...]


async def window_material(memory: Memory, namespace: Namespace, planned: Sequence[PlannedWindow], seeds: int) -> list[WindowMaterial]:
    """Each window's events with their statements, and the `seeds` earlier events that are most like it, each as a whole.

    A window of which nothing is left is left out.
    """
    members = [id_ for one in planned if one.summary is not None for id_ in one.summary.member_ids]
    stored = {id_: node for id_, node in (await memory.get_nodes(members)).items() if isinstance(node, Event)} if members else {}
    events = {event.id: event for one in planned for event in one.events} | stored
    replaced = await _replaced(memory)
    statements = await _statements(memory, events.values(), replaced)
    vectors = await memory.first_vectors(list(statements))
    zones = {name: await _zone(memory, namespace, name) for name in {one.session for one in planned}}
    found = []
    for one in planned:
        ids = [*(one.summary.member_ids if one.summary is not None else ()), *(event.id for event in one.events)]
        own = sorted((events[id_] for id_ in ids if id_ in events), key=lambda event: (event.said_at, event.id))
        if not own:
            continue
        chosen, context = await _seeds(memory, own, vectors, seeds, replaced)
        sources = tuple(_source(event, statements, vectors) for event in own)
        found.append(WindowMaterial(one, SourceGroup(sources, context, zones[one.session]), chosen))
    return found


async def summaries_of(memory: Memory, level: SummaryLevel, sessions: Sequence[str] = ()) -> list[Summary]:
    """All summaries of a level, of these sessions or of all."""
    found: list[Summary] = []
    cursor = None
    while True:
        page = await memory.list_summaries(SummaryQuery(frozenset({level}), tuple(sessions)), cursor, _PAGE)
        found += page.items
        cursor = page.next
        if cursor is None:
            return found


async def vectors_of(memory: Memory, ids: Sequence[str]) -> dict[str, Float16Vector]:
    """The vectors that these nodes have, read some at a time."""
    found: dict[str, Float16Vector] = {}
    for start in range(0, len(ids), _AT_ONCE):
        found |= await memory.first_vectors(ids[start : start + _AT_ONCE])
    return found


async def _zone(memory: Memory, namespace: Namespace, session: str) -> tzinfo:
    found = await memory.get_session(session)
    name = (found.time_zone if found is not None else "") or namespace.time_zone
    return ZoneInfo(name) if name else UTC


async def _replaced(memory: Memory) -> frozenset[str]:
    """The statements that hold no more, and of which nothing is told."""
    found = await memory.supersessions(-1)
    return frozenset(edge.older_id for edge in found.edges if edge.kind is EdgeKind.SUPERSEDES) if found is not None else frozenset()


async def _statements(memory: Memory, events: Iterable[Event], replaced: frozenset[str]) -> dict[str, Statement]:
    ids = [id_ for event in events for id_ in event.statement_ids if id_ not in replaced]
    nodes = await memory.get_nodes(ids) if ids else {}
    return {id_: node for id_, node in nodes.items() if isinstance(node, Statement)}


def _source(event: Event, statements: Mapping[str, Statement], vectors: Mapping[str, Float16Vector]) -> Source:
    return source_of_event(event, [statements[id_] for id_ in event.statement_ids if id_ in statements], vectors)


async def _seeds(
    memory: Memory, own: Sequence[Event], vectors: Mapping[str, Float16Vector], count: int, replaced: frozenset[str]
) -> tuple[tuple[Seed, ...], tuple[Source, ...]]:
    """Earlier events, most like the window's first, and they as sources; none where the window has no vectors."""
    rows = [vectors[id_] for event in own for id_ in event.statement_ids if id_ in vectors]
    if not rows or not count:
        return (), ()
    middle = np.mean(np.asarray(rows, dtype=np.float32), axis=0)
    length = float(np.linalg.norm(middle))
    if length == 0:
        return (), ()
    said = TimeRange(end=own[0].said_at)
    only = MemoryFilter(kinds=STATEMENT_KINDS, said=said)
    query = CandidateQuery(
        (), (middle / length).astype(np.float32), only, lexical_limit=0, dense_limit=_STATEMENTS_A_SEED * count, neighbours=0
    )
    candidates = await memory.candidates(query)
    nearest = await offload_if_many(len(candidates.ids), _by_similarity, candidates)
    nodes = await memory.get_nodes(list(nearest)) if nearest else {}
    similarity: dict[str, float] = {}
    for id_, value in nearest.items():
        node = nodes.get(id_)
        if isinstance(node, Statement) and node.event_id and node.said_at < own[0].said_at:
            similarity.setdefault(node.event_id, value)
    chosen = tuple(Seed(id_, value) for id_, value in list(similarity.items())[:count])
    found = await memory.get_nodes([seed.event_id for seed in chosen]) if chosen else {}
    events = sorted((node for node in found.values() if isinstance(node, Event)), key=lambda event: (event.said_at, event.id))
    statements = await _statements(memory, events, replaced)
    return tuple(seed for seed in chosen if seed.event_id in found), tuple(_source(event, statements, {}) for event in events)


def _by_similarity(candidates: Candidates) -> dict[str, float]:
    """The eligible statements with the greatest cosine of their passages, greatest first."""
    best = np.full(len(candidates.ids), -np.inf, dtype=np.float32)
    np.maximum.at(best, candidates.passage_row, np.nan_to_num(candidates.similarity, nan=-np.inf))
    order = [row for row in np.argsort(-best, kind="stable").tolist() if candidates.eligible[row] and np.isfinite(best[row])]
    return {candidates.ids[row]: float(best[row]) for row in order}
