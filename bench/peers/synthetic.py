"""A synthetic namespace, spooled for our own import, as a peer is given it: the same texts, vectors and entities."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from structmem.v1 import node_pb2

from bench.peers.graph import PeerFact, PeerGroup, PeerMessage, subject_of
from bench.scale.spool import records
from bench.scale.vectors import DIMENSION


def group_of_spool(name: str, directory: Path) -> PeerGroup:
    """All messages of a spooled namespace, and of its facts and relations as many as there are messages: the first ones.

    A fact lies between its speaker and whom it names, else the word it is about: most synthetic facts name nobody but their speaker, and
    Graphiti's `MERGE` looks through all edges that two ends have between them. Names of entities have random vectors, since the spool has
    none of them.
    """
    names = {node.entity.id: node.entity.name for node in _nodes(directory, "entity")}
    messages = tuple(_message(node.message) for node in _nodes(directory, "message"))
    statements = [node.statement for node in _nodes(directory, "statement")][: len(messages)]
    vectors = _vectors(directory, {statement.id for statement in statements})
    facts = tuple(_fact(statement, vectors[statement.id], names) for statement in statements)
    random = np.random.default_rng(1)
    ends = dict.fromkeys([*names.values(), *(end for fact in facts for end in fact.between)])
    entities = {entity: random.standard_normal(DIMENSION, dtype=np.float32) for entity in ends}
    return PeerGroup(name, messages, facts, entities)


def _nodes(directory: Path, kind: str) -> list[node_pb2.Node]:
    return [record.node for record in records(directory, kind)]


def _vectors(directory: Path, owners: set[str]) -> dict[str, NDArray[np.float32]]:
    spooled = (record.vector for record in records(directory, "vector") if record.vector.owner_id in owners)
    return {vector.owner_id: np.frombuffer(vector.float16_values, dtype="<f2").astype(np.float32) for vector in spooled}


def _message(message: node_pb2.Message) -> PeerMessage:
    return PeerMessage(message.id, f"{message.speaker}: {message.text}", message.sent_at.ToDatetime())


def _fact(statement: node_pb2.Statement, vector: NDArray[np.float32], names: dict[str, str]) -> PeerFact:
    speaker, named = names[statement.entity_ids[0]], names[statement.entity_ids[-1]]
    ends = speaker, named if named != speaker else subject_of(statement.text, speaker)
    return PeerFact(statement.text, vector, ends, tuple(statement.evidence_ids), statement.said_at.ToDatetime())
