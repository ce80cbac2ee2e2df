"""Expansion over the graph: what is connected with the best hits and with the entities that the query names gets some of their score."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from graph.model import NodeKind
from graph.model.edges import WALKED_KINDS
from graph.retrieval.answer import PathStep, QueryPlan
from graph.retrieval.ranking.ledger import Ledger
from graph.retrieval.recipes import Recipe
from graph.retrieval.walking.pagerank import edge_weights, path_to, personalised_pagerank, seed_of
from graph.store.candidates import Candidates, Subgraph
from graph.store.port import Memory

# IN_SESSION would make every session one step wide; the session signal covers it. What is different from something is not reached by it.


@dataclass(frozen=True, slots=True)
class Expansion:
    """What the graph says: for every memory that it reached, the index of its node and how much score flowed to it."""

    subgraph: Subgraph
    node_of: Mapping[str, int]
    flow: Mapping[str, float]

    def path(self, id_: str) -> tuple[PathStep, ...]:
        """How the graph reached a memory."""
        node = self.node_of.get(id_)
        return path_to(self.subgraph, node) if node is not None else ()

    def seed(self, id_: str) -> str:
        """The seed from which the graph reached a memory."""
        return self.subgraph.ids[seed_of(self.subgraph, self.node_of[id_])]

    def best(self, limit: int) -> tuple[str, ...]:
        """The ids of the memories to which most score flowed."""
        return tuple(sorted(self.flow, key=lambda id_: -self.flow[id_])[:limit])


async def expand(
    memory: Memory, candidates: Candidates, ledger: Ledger, plan: QueryPlan, recipe: Recipe, before: datetime | None = None
) -> Expansion | None:
    """Walks from the seeds: the best hits so far, weighted by their score, and the entities named. None without anything to walk from.

    Args:
        before: only over what was known by then.
    """
    score = ledger.total()
    best = [row for row in np.argsort(-score, kind="stable")[: recipe.graph_seeds].tolist() if score[row] > 0]
    restart_of = {candidates.ids[row]: float(score[row]) for row in best}
    strongest = max(restart_of.values(), default=1.0)
    restart_of |= dict.fromkeys(plan.entity_ids[: recipe.graph_entities], strongest)
    if not restart_of:
        return None
    seeds, bounds = tuple(restart_of), (recipe.graph_hops, recipe.graph_nodes, recipe.graph_degree)
    subgraph = await memory.neighbourhood(seeds, WALKED_KINDS, *bounds, before)
    # In a thread: hundreds of nodes take milliseconds.
    return await asyncio.to_thread(_spread, subgraph, restart_of, recipe.damping)


def _spread(subgraph: Subgraph, restart_of: Mapping[str, float], damping: float) -> Expansion | None:
    """How much score flows from the seeds to every memory of the subgraph. None when there is nothing to flow along."""
    restart = np.array([restart_of.get(id_, 0.0) for id_ in subgraph.ids])
    if not len(subgraph.edge_kind) or not restart.any():
        return None
    rank = personalised_pagerank(subgraph, restart, damping, edge_weights(subgraph))
    # What a seed gives itself is no news: only what flows to a node from others counts.
    flow = np.maximum(rank - (1 - damping) * restart / restart.sum(), 0.0)
    memories = np.isin(subgraph.kind, (NodeKind.MESSAGE, NodeKind.FACT, NodeKind.RELATION))
    reached = np.flatnonzero(memories & (flow > 0))
    ids = [subgraph.ids[node] for node in reached]
    return Expansion(subgraph, dict(zip(ids, reached.tolist(), strict=True)), dict(zip(ids, flow[reached].tolist(), strict=True)))


def add_graph(ledger: Ledger, candidates: Candidates, expansion: Expansion, recipe: Recipe) -> None:
    """Adds the graph's signal: the flow to each memory, the greatest counting as 1."""
    raw = np.array([expansion.flow.get(id_, 0.0) for id_ in candidates.ids])
    strongest = float(raw.max(initial=0.0))
    if strongest > 0:
        ledger.add("graph", raw, raw / strongest, recipe.graph)
