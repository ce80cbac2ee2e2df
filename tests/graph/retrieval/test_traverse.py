"""Traversal against networkx: the export of the same namespace is walked by both."""

import itertools

import networkx as nx
import pytest

from graph.analysis import to_networkx
from graph.errors import InvalidArgument, NotFound
from graph.model import EdgeKind, TimeRange, from_micros
from graph.retrieval import traverse_events

EVERY = frozenset(set(EdgeKind) - {EdgeKind.IN_SESSION})


@pytest.mark.parametrize("hops", [1, 2, 3, 4])
@pytest.mark.parametrize(
    "kinds", [EVERY, frozenset({EdgeKind.MENTIONS, EdgeKind.INVOLVES}), frozenset({EdgeKind.NEXT, EdgeKind.EVIDENCED_BY})]
)
async def test_the_walk_reaches_what_networkx_reaches(extracted, hops: int, kinds: frozenset[EdgeKind]) -> None:
    graph = await to_networkx(extracted.store, "home")
    names = {kind.name.lower() for kind in kinds}
    walked = nx.Graph((a, b) for a, b, kind in graph.edges(data="kind") if kind in names)
    walked.add_nodes_from(graph)
    for start in graph:
        distances = nx.single_source_shortest_path_length(walked, start, cutoff=hops)
        expected = {id_: far for id_, far in distances.items() if graph.nodes[id_]["kind"] == "event"}
        found = await traverse_events(extracted.store.namespace("home"), [start], kinds, hops, None, 1_000)
        assert {one.event.id: one.hops for one in found} == expected
        assert [one.hops for one in found] == sorted(one.hops for one in found)
        for one in found:
            places = [start, *(step.node_id for step in one.path)]
            assert len(one.path) == one.hops
            assert places[-1] == one.event.id
            for (a, b), step in zip(itertools.pairwise(places), one.path, strict=True):
                joining = {d["kind"] for x, y in ((a, b), (b, a)) for d in (graph.get_edge_data(x, y) or {}).values()}
                assert step.edge.name.lower() in joining


async def test_a_range_and_a_limit_narrow_the_answer(extracted) -> None:
    start = extracted.messages["spring"][0]
    every = await traverse_events(extracted.store.namespace("home"), [start], (), 6, None, 100)
    assert len(every) >= 3
    assert await traverse_events(extracted.store.namespace("home"), [start], (), 6, None, 1) == every[:1]
    assert await traverse_events(extracted.store.namespace("home"), [start], (), 6, TimeRange(end=from_micros(0)), 100) == []


async def test_a_start_that_is_not_there_is_told(extracted) -> None:
    start, unknown = extracted.messages["spring"][0], "evt_01m83ydbnfexxb4pn91xbt8yqs"
    with pytest.raises(NotFound) as refused:
        await traverse_events(extracted.store.namespace("home"), [start, unknown], (), 2, None, 100)
    assert refused.value.metadata["node_id"] == unknown


@pytest.mark.parametrize(
    ("fields", "field"),
    [({"start_ids": []}, "start_ids"), ({"max_hops": 0}, "max_hops"), ({"max_hops": 7}, "max_hops"), ({"limit": 0}, "limit")],
)
async def test_bad_bounds_name_the_field(world, fields, field: str) -> None:
    given = {"start_ids": [world.messages["spring"][0]], "max_hops": 2, "limit": 5, **fields}
    with pytest.raises(InvalidArgument) as refused:
        await traverse_events(world.store.namespace("home"), given["start_ids"], (), given["max_hops"], None, given["limit"])
    assert refused.value.violations[0].field == field
