"""Walking the graph breadth first, bounded in nodes and degree: which nodes are reached, in which order, and by which edges."""

from collections.abc import Iterable, Sequence

import numpy as np

from graph.model import kind_of
from graph.store.candidates import Subgraph

# A node with its edges as (kind, node at the other end), in the order in which they are walked.
NodeEdges = tuple[int, Iterable[tuple[int, int]]]


class Walk:
    """A walk under way. Nodes are whatever numbers a store knows them by.

    Attributes:
        nodes: in the order in which they were reached.
        index: of each node among them.
        frontier: the nodes that are new since the last step.
    """

    def __init__(self, seeds: Sequence[int], max_nodes: int, max_degree: int) -> None:
        """Starts at the first `max_nodes` of the seeds; follows `max_degree` edges of each node."""
        self.nodes = list(dict.fromkeys(seeds))[:max_nodes]
        self.index = {node: index for index, node in enumerate(self.nodes)}
        self.frontier = list(self.nodes)
        self._max_nodes = max_nodes
        self._max_degree = max_degree
        self._hops = [0] * len(self.nodes)
        self._parent = [-1] * len(self.nodes)
        self._parent_edge = [0] * len(self.nodes)
        self._truncated = len(seeds) > max_nodes

    def step(self, frontier: Iterable[NodeEdges]) -> None:
        """Goes one hop further along the edges of the frontier's nodes, which come in the order in which they were reached."""
        before = len(self.nodes)
        hop = self._hops[-1] + 1 if self._hops else 0
        for node, edges in frontier:
            if not self._follow(node, edges, hop):
                break
        self.frontier = self.nodes[before:]

    def _follow(self, node: int, edges: Iterable[tuple[int, int]], hop: int) -> bool:
        """Reaches what the edges of a node lead to; whether there is room for more nodes."""
        for count, (kind, other) in enumerate(edges):
            if count == self._max_degree:
                self._truncated = True
                return True
            if other in self.index:
                continue
            if len(self.nodes) >= self._max_nodes:
                self._truncated = True
                return False
            self.index[other] = len(self.nodes)
            self.nodes.append(other)
            self._hops.append(hop)
            self._parent.append(self.index[node])
            self._parent_edge.append(kind)
        return True

    def subgraph(self, ids: Sequence[str], degrees: Sequence[int], edges: Iterable[tuple[int, int, int]]) -> Subgraph:
        """What was reached.

        Args:
            ids: of `nodes`.
            degrees: of `nodes`, in the whole graph.
            edges: (source, kind, target) of the edges whose source was reached, in order; those to other nodes are left out.
        """
        index = self.index
        inside = list(dict.fromkeys((index[source], kind, index[target]) for source, kind, target in edges if target in index))
        columns = np.array(inside, dtype=np.int32).reshape(-1, 3)
        return Subgraph(
            ids=tuple(ids),
            kind=np.array([kind_of(id_) for id_ in ids], dtype=np.int8),
            hops=np.array(self._hops, dtype=np.int32),
            parent=np.array(self._parent, dtype=np.int32),
            parent_edge=np.array(self._parent_edge, dtype=np.int8),
            degree=np.array(degrees, dtype=np.int64),
            edge_source=columns[:, 0],
            edge_target=columns[:, 2],
            edge_kind=columns[:, 1].astype(np.int8),
            truncated=self._truncated,
        )
