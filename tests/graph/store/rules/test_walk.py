"""The order and the bounds of a walk, whichever store's edges it follows."""

from collections.abc import Mapping, Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graph.model.ids import id_of_number
from graph.store.candidates import Subgraph
from graph.store.rules.walk import Walk

Edges = Mapping[int, Sequence[tuple[int, int]]]

_graphs = st.dictionaries(st.integers(0, 9), st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), max_size=6))
_seeds = st.lists(st.integers(0, 9), unique=True, max_size=4)


def _id(node: int) -> str:
    return id_of_number("msg", node)


def _walked(edges: Edges, seeds: Sequence[int], hops: int, max_nodes: int, max_degree: int) -> tuple[Walk, Subgraph]:
    walk = Walk(seeds, max_nodes, max_degree)
    for _ in range(hops):
        walk.step((node, edges.get(node, ())) for node in walk.frontier)
    inside = [(node, kind, other) for node in walk.nodes for kind, other in edges.get(node, ())]
    return walk, walk.subgraph([_id(node) for node in walk.nodes], [len(edges.get(node, ())) for node in walk.nodes], inside)


def test_a_node_is_reached_once_by_the_first_edge_of_the_first_node() -> None:
    edges = {1: [(2, 3), (5, 2)], 2: [(6, 4)], 3: [(7, 4)]}
    walk, graph = _walked(edges, [1], 2, 10, 10)
    assert walk.nodes == [1, 3, 2, 4]
    assert graph.hops.tolist() == [0, 1, 1, 2]
    assert graph.parent.tolist() == [-1, 0, 0, 1]
    assert graph.parent_edge.tolist() == [0, 2, 5, 7]
    assert list(zip(graph.edge_source.tolist(), graph.edge_kind.tolist(), graph.edge_target.tolist(), strict=True)) == [
        *((0, 2, 1), (0, 5, 2)),
        *((1, 7, 3), (2, 6, 3)),
    ]


def test_a_hub_gives_only_so_many_edges_and_says_so() -> None:
    walk, graph = _walked({1: [(2, 2), (2, 3), (2, 4)]}, [1], 1, 10, 2)
    assert walk.nodes == [1, 2, 3]
    assert graph.truncated
    assert not _walked({1: [(2, 2), (2, 3)]}, [1], 1, 10, 2)[1].truncated


def test_seeds_alone_may_be_too_many() -> None:
    walk, graph = _walked({}, [3, 1, 2], 1, 2, 5)
    assert (walk.nodes, graph.truncated) == ([3, 1], True)


def test_a_walk_from_nowhere_is_empty() -> None:
    walk, graph = _walked({1: [(2, 2)]}, [], 3, 5, 5)
    assert (walk.nodes, len(graph.ids), graph.truncated) == ([], 0, False)


@given(_graphs, _seeds, st.integers(0, 3), st.integers(1, 10), st.integers(1, 6))
def test_every_node_is_one_hop_from_its_parent_and_no_bound_is_passed(
    edges: Edges, seeds: Sequence[int], hops: int, max_nodes: int, max_degree: int
) -> None:
    walk, graph = _walked(edges, seeds, hops, max_nodes, max_degree)
    assert len(walk.nodes) == len(set(walk.nodes)) <= max_nodes
    assert np.all(np.diff(graph.hops) >= 0)
    for index, (node, parent, kind) in enumerate(zip(walk.nodes, graph.parent.tolist(), graph.parent_edge.tolist(), strict=True)):
        if parent < 0:
            assert node in seeds
            continue
        assert (kind, node) in edges[walk.nodes[parent]][:max_degree]
        assert graph.hops[index] == graph.hops[parent] + 1 <= hops
    if not graph.truncated:
        reached = set(seeds)
        for _ in range(hops):
            reached |= {other for node in reached for _, other in edges.get(node, ())}
        assert set(walk.nodes) == reached
