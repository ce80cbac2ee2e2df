"""Graphiti as it comes: graphiti-core's own bulk loading, its own indexes and its own search, on a Neo4j database.

Imported only where it is asked for: graphiti-core is in the dependency group `peers`. Extraction takes a language model there; here the
edges are given, as `add_nodes_and_edges_bulk` saves them once they were extracted, so no model is called and nothing leaves the machine.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version
from itertools import islice
from typing import Any, TypeVar
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from bench.peers.graph import PeerFact, PeerGroup, PeerMessage
from bench.report import Step
from extract.embed import Embedder

os.environ["GRAPHITI_TELEMETRY_ENABLED"] = "false"  # read by the import

import graphiti_core  # after the line above
from graphiti_core.cross_encoder import OpenAIRerankerClient
from graphiti_core.driver.neo4j_driver import Neo4jDriver
from graphiti_core.edges import EntityEdge, EpisodicEdge
from graphiti_core.embedder import EmbedderClient
from graphiti_core.llm_client import LLMConfig, OpenAIClient
from graphiti_core.nodes import EntityNode, EpisodeType, EpisodicNode
from graphiti_core.search.search_config_recipes import COMBINED_HYBRID_SEARCH_RRF
from graphiti_core.utils.bulk_utils import add_nodes_and_edges_bulk

NAME = "graphiti"
VERSION = version("graphiti-core")
# The cross-encoder recipe of the same name wants a model that Graphiti does not bring along; this one fuses by reciprocal ranks.
RECIPE = "COMBINED_HYBRID_SEARCH_RRF"
BATCH = 500
_DELETED_AT_ONCE = 5_000
_EDGES_OF_GROUP = "MATCH (:Entity|Episodic {group_id: $group})-[r]->() WITH r LIMIT $limit DELETE r RETURN count(*) AS deleted"
_NODES_OF_GROUP = "MATCH (n:Entity|Episodic {group_id: $group}) WITH n LIMIT $limit DELETE n RETURN count(*) AS deleted"
_INDEXES_WITHIN_S = 300
# Nothing listens there: whatever tried to ask a model would fail.
_NO_MODEL = LLMConfig(api_key="none", base_url="http://127.0.0.1:9/v1")

T = TypeVar("T")


class GivenEmbedder(EmbedderClient):  # type: ignore[misc] # graphiti-core is not checked, see pyproject.toml
    """Our embedder behind Graphiti's interface."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder

    async def create(self, input_data: Any) -> list[float]:
        """The vector of one query, which Graphiti hands over as a list of one."""
        text = input_data if isinstance(input_data, str) else input_data[0]
        vector: list[float] = (await self._embedder.embed_query(text)).tolist()
        return vector


class Graphiti:
    """A database that Graphiti loads and searches. `connected` opens one."""

    def __init__(self, inner: Any, indexes_before: frozenset[str]) -> None:
        self._inner = inner
        self._indexes_before = indexes_before
        self._message_ids: dict[str, str] = {}
        self._groups: list[str] = []

    @classmethod
    @asynccontextmanager
    async def connected(cls, settings: Mapping[str, object], embedder: Embedder) -> AsyncIterator["Graphiti"]:
        """Builds Graphiti's indexes, and deletes them with all that was loaded when the block ends.

        `settings` are those by which our service finds the database.
        """
        address = [str(settings[f"neo4j_{name}"]) for name in ("uri", "user", "password", "database")]
        logging.getLogger("neo4j").setLevel(logging.ERROR)  # the server's notices about Graphiti's queries
        # In a thread, which has no event loop: with one it would begin to build indexes behind our back.
        driver = await asyncio.to_thread(Neo4jDriver, *address)
        inner = graphiti_core.Graphiti(
            graph_driver=driver,
            llm_client=OpenAIClient(_NO_MODEL),
            embedder=GivenEmbedder(embedder),
            cross_encoder=OpenAIRerankerClient(_NO_MODEL),
        )
        peer = cls(inner, frozenset(await _indexes(inner.driver)))
        try:
            await inner.build_indices_and_constraints()
            await inner.driver.execute_query(f"CALL db.awaitIndexes({_INDEXES_WITHIN_S})")
            yield peer
        finally:
            await peer._clear()
            await inner.close()

    async def load(self, group: PeerGroup, step: Step) -> None:
        """Saves a group: its messages as episodes, then its facts as edges, with the entities between which they lie."""
        name = group_id(group.name)
        self._groups.append(name)
        episodes = {message.id: _episode(name, message) for message in group.messages}
        self._message_ids.update((episode.uuid, id_) for id_, episode in episodes.items())
        for part in _batches(episodes.values()):
            await self._save(episodes=part)
            step.advance(len(part))
        entities = {entity: _entity(name, entity, vector) for entity, vector in group.entities.items()}
        for nodes in _batches(entities.values()):
            await self._save(nodes=nodes)
        for facts in _batches(group.facts):
            edges = [_edge(name, fact, entities, episodes) for fact in facts]
            mentions = [_mention(edge, episode, entity) for edge in edges for episode in edge.episodes for entity in _ends(edge)]
            await self._save(edges=edges, mentions=mentions)
            step.advance(len(facts))

    async def search(self, group: str, query: str, limit: int, vector: NDArray[np.float32] | None = None) -> list[tuple[str, ...]]:
        """The answer, best first, each place as the ids of the messages that it counts as.

        The recipe ranks edges and episodes apart, each by sums of reciprocal ranks, by which they are merged here. (In turns instead, an
        edge first, recall@10 is a point lower: LoCoMo, 212 questions.) Entities and communities count for nothing: they rest on no message.
        """
        config = COMBINED_HYBRID_SEARCH_RRF.model_copy(update={"limit": limit})
        given = None if vector is None else vector.tolist()
        found = await self._inner.search_(query, config=config, group_ids=[group_id(group)], query_vector=given)
        edges = [tuple(self._message_ids[id_] for id_ in edge.episodes) for edge in found.edges]
        episodes = [(self._message_ids[episode.uuid],) for episode in found.episodes]
        scores = [*found.edge_reranker_scores, *found.episode_reranker_scores]
        ranked = sorted(zip(scores, [*edges, *episodes], strict=True), key=lambda scored: -scored[0])
        return [place for _, place in ranked]

    async def _save(
        self, episodes: Sequence[Any] = (), mentions: Sequence[Any] = (), nodes: Sequence[Any] = (), edges: Sequence[Any] = ()
    ) -> None:
        await add_nodes_and_edges_bulk(self._inner.driver, list(episodes), list(mentions), list(nodes), list(edges), self._inner.embedder)

    async def _clear(self) -> None:
        # Its own deletion takes a group's nodes with all their edges at once, for which a heap of 1 GB is too small at 100,000.
        for group in self._groups:
            for statement in (_EDGES_OF_GROUP, _NODES_OF_GROUP):
                while await self._deleted(statement, group):
                    pass
        for name in await _indexes(self._inner.driver):
            if name not in self._indexes_before:
                await self._inner.driver.execute_query(f"DROP INDEX `{name}`")

    async def _deleted(self, statement: str, group: str) -> int:
        records, _, _ = await self._inner.driver.execute_query(statement, group=group, limit=_DELETED_AT_ONCE)
        return int(records[0]["deleted"])


def group_id(name: str) -> str:
    """A namespace's name as a group's: letters, digits, `-` and `_` alone."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)


def _episode(group: str, message: PeerMessage) -> Any:
    return EpisodicNode(
        name=message.id,
        group_id=group,
        source=EpisodeType.message,
        source_description="chat",
        content=message.text,
        created_at=message.sent_at,
        valid_at=message.sent_at,
    )


def _entity(group: str, name: str, vector: NDArray[np.float32]) -> Any:
    return EntityNode(name=name, group_id=group, name_embedding=vector.tolist())


def _edge(group: str, fact: PeerFact, entities: Mapping[str, Any], episodes: Mapping[str, Any]) -> Any:
    source, target = (entities[name].uuid for name in fact.between)
    return EntityEdge(
        group_id=group,
        source_node_uuid=source,
        target_node_uuid=target,
        created_at=fact.said_at,
        valid_at=fact.said_at,
        name="SAYS",
        fact=fact.text,
        fact_embedding=fact.vector.tolist(),
        episodes=[episodes[id_].uuid for id_ in fact.evidence],
    )


def _mention(edge: Any, episode: str, entity: str) -> Any:
    return EpisodicEdge(
        uuid=str(uuid4()), group_id=edge.group_id, source_node_uuid=episode, target_node_uuid=entity, created_at=edge.created_at
    )


def _ends(edge: Any) -> set[str]:
    return {edge.source_node_uuid, edge.target_node_uuid}


async def _indexes(driver: Any) -> list[str]:
    own = "SHOW INDEXES YIELD name, type, owningConstraint WHERE owningConstraint IS NULL AND type <> 'LOOKUP' RETURN name"
    records, _, _ = await driver.execute_query(own)
    return [record["name"] for record in records]


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    remaining = iter(items)
    while batch := list(islice(remaining, BATCH)):
        yield batch
