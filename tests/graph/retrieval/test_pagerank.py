"""PageRank against networkx, the oracle."""

import networkx as nx
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graph.model import EdgeKind, NodeKind
from graph.retrieval.answer import PathStep
from graph.retrieval.walking.pagerank import edge_weights, path_to, personalised_pagerank, seed_of
from graph.store.candidates import Subgraph


def subgraph(size: int, edges: list[tuple[int, int, EdgeKind]], parent: list[int] | None = None) -> Subgraph:
    degree = np.bincount([end for a, b, _ in edges for end in (a, b)], minlength=size).astype(np.int64)
    return Subgraph(
        ids=tuple(f"n{i}" for i in range(size)),
        kind=np.full(size, NodeKind.MESSAGE, dtype=np.int8),
        hops=np.zeros(size, dtype=np.int32),
        parent=np.array(parent or [-1] * size, dtype=np.int32),
        parent_edge=np.full(size, EdgeKind.NEXT, dtype=np.int8),
        degree=degree,
        edge_source=np.array([a for a, _, _ in edges], dtype=np.int32),
        edge_target=np.array([b for _, b, _ in edges], dtype=np.int32),
        edge_kind=np.array([k for _, _, k in edges], dtype=np.int8),
        truncated=False,
    )


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Subgraph, np.ndarray]:
    size = draw(st.integers(2, 12))
    pairs = st.tuples(st.integers(0, size - 1), st.integers(0, size - 1)).filter(lambda p: p[0] != p[1])
    ends = draw(st.lists(st.tuples(pairs, st.sampled_from(EdgeKind)), min_size=1, max_size=25))
    restart = draw(st.lists(st.floats(0, 1), min_size=size, max_size=size).filter(lambda r: sum(r) > 0.1))
    return subgraph(size, [(a, b, kind) for (a, b), kind in ends]), np.array(restart)


@given(graphs(), st.floats(0.3, 0.9))
def test_ranks_are_those_of_networkx(graph_and_restart: tuple[Subgraph, np.ndarray], damping: float) -> None:
    graph, restart = graph_and_restart
    weights = edge_weights(graph)
    oracle: nx.Graph = nx.Graph()
    oracle.add_nodes_from(range(len(graph.ids)))
    for source, target, weight in zip(graph.edge_source.tolist(), graph.edge_target.tolist(), weights.tolist(), strict=True):
        before = oracle.get_edge_data(source, target, {"weight": 0.0})["weight"]
        oracle.add_edge(source, target, weight=before + weight)
    expected = nx.pagerank(oracle, alpha=damping, personalization=dict(enumerate(restart.tolist())), weight="weight", max_iter=500)
    ranks = personalised_pagerank(graph, restart, damping, weights)
    np.testing.assert_allclose(ranks, [expected[i] for i in range(len(graph.ids))], atol=1e-4)
    assert abs(ranks.sum() - 1) < 1e-9


def test_a_hub_passes_on_less_than_a_rare_link() -> None:
    edges = [
        (0, 1, EdgeKind.MENTIONS),
        (0, 2, EdgeKind.MENTIONS),
        *((i, 1, EdgeKind.MENTIONS) for i in range(4, 30)),
        (3, 2, EdgeKind.MENTIONS),
    ]
    graph = subgraph(30, edges)
    weights = edge_weights(graph)
    restart = np.zeros(30)
    restart[0] = 1
    ranks = personalised_pagerank(graph, restart, 0.7, weights)
    assert weights[0] < weights[1]
    assert ranks[3] > ranks[4]


def test_a_path_leads_from_its_seed() -> None:
    graph = subgraph(4, [(0, 1, EdgeKind.NEXT), (1, 2, EdgeKind.NEXT)], parent=[-1, 0, 1, -1])
    assert path_to(graph, 2) == (PathStep(EdgeKind.NEXT, "n1"), PathStep(EdgeKind.NEXT, "n2"))
    assert path_to(graph, 0) == ()
    assert seed_of(graph, 2) == 0
