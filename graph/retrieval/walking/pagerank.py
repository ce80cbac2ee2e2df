"""Personalised PageRank on the part of a graph that a bounded walk reached, and the paths of that walk.

Score spreads from the seeds over edges in both directions. An edge counts for less the more edges its busier end has: what half the
namespace names says little about any two memories that name it.
"""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from graph.model import EdgeKind
from graph.retrieval.answer import PathStep
from graph.store.candidates import Subgraph

Float64 = NDArray[np.float64]

# How much of a memory's relevance an edge carries over. A statement is all but its evidence; the next message often is about another thing.
# Set by judgement: no measurement chose them, as the recipe that walks the graph is not the default.
EDGE_WEIGHTS: Mapping[EdgeKind, float] = MappingProxyType(
    {
        EdgeKind.EVIDENCED_BY: 1.0,
        EdgeKind.STATES: 1.0,
        EdgeKind.MENTIONS: 1.0,
        EdgeKind.INVOLVES: 0.5,
        EdgeKind.CAUSES: 1.0,
        EdgeKind.ENABLES: 1.0,
        EdgeKind.CONTRADICTS: 0.5,
        EdgeKind.BEFORE: 0.3,
        EdgeKind.RELATES: 0.5,
        EdgeKind.SAME_AS: 0.5,
        EdgeKind.NEXT: 0.3,
        EdgeKind.IN_SESSION: 0.1,
    }
)
# networkx's own: the iteration stops when the ranks move by less than this on average.
TOLERANCE = 1e-6
MAX_ITERATIONS = 100


def edge_weights(subgraph: Subgraph, weights: Mapping[EdgeKind, float] = EDGE_WEIGHTS) -> Float64:
    """(e,) the weight of every edge: that of its kind, divided by the binary logarithm of 1 + the degree of its busier end."""
    by_kind = np.zeros(max(EdgeKind) + 1)
    for kind, weight in weights.items():
        by_kind[kind] = weight
    busier = np.maximum(subgraph.degree[subgraph.edge_source], subgraph.degree[subgraph.edge_target])
    return np.asarray(by_kind[subgraph.edge_kind] / np.log2(1 + np.maximum(busier, 1)), dtype=np.float64)


def personalised_pagerank(subgraph: Subgraph, restart: Float64, damping: float, weights: Float64) -> Float64:
    """(m,) the ranks of the nodes; they sum to 1.

    Args:
        restart: (m,) not negative, not all zero: where the walk begins anew with probability 1 - damping.
        weights: (e,) edge weights; parallel edges add up.

    Ranks of nodes without an edge go back to the restart, as in `networkx.pagerank`, which is this function's oracle.
    """
    from scipy import sparse  # here, because it takes longer to import than the rest of retrieval, and few recipes walk the graph

    size = len(subgraph.ids)
    restart = restart / restart.sum()
    rows = np.r_[subgraph.edge_source, subgraph.edge_target]
    columns = np.r_[subgraph.edge_target, subgraph.edge_source]
    adjacency = sparse.csr_array((np.r_[weights, weights], (rows, columns)), shape=(size, size))
    strength = np.asarray(adjacency.sum(axis=1)).ravel()
    scale = np.divide(1.0, strength, out=np.zeros(size), where=strength > 0)
    incoming = adjacency.T.tocsr()
    dangling = strength == 0
    rank = restart.copy()
    for _ in range(MAX_ITERATIONS):
        previous = rank
        rank = damping * (incoming @ (previous * scale) + previous[dangling].sum() * restart) + (1 - damping) * restart
        if np.abs(rank - previous).sum() < size * TOLERANCE:
            break
    return rank


def path_to(subgraph: Subgraph, node: int) -> tuple[PathStep, ...]:
    """The steps from a seed by which the walk first reached a node (its index); empty for a seed."""
    steps: list[PathStep] = []
    while subgraph.parent[node] >= 0:
        steps.append(PathStep(EdgeKind(int(subgraph.parent_edge[node])), subgraph.ids[node]))
        node = int(subgraph.parent[node])
    return tuple(reversed(steps))


def seed_of(subgraph: Subgraph, node: int) -> int:
    """The index of the seed from which the walk reached a node."""
    while subgraph.parent[node] >= 0:
        node = int(subgraph.parent[node])
    return node
