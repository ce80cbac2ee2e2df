"""The edges of the memory graph, and which of them a node's own fields imply."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import assert_never

from graph.model.nodes import Entity, Event, Message, Node, Session, Statement
from graph.model.summaries import Summary


class EdgeKind(IntEnum):
    """What an edge means. The numbers are stored and are those of the contract."""

    IN_SESSION = 1
    NEXT = 2
    EVIDENCED_BY = 3
    STATES = 4
    INVOLVES = 5
    MENTIONS = 6
    RELATES = 7
    BEFORE = 8
    CAUSES = 9
    SAME_AS = 10
    DIFFERENT_FROM = 11
    SUMMARIZES = 12
    SEEDED_BY = 13
    SUPERSEDES = 14
    REPEATS = 15
    MAY_SUPERSEDE = 16
    ENABLES = 17
    CONTRADICTS = 18


class LinkVerdict(IntEnum):
    """What somebody decided of two entities: whether they are the same. The numbers are those of the contract."""

    SAME = 1
    DIFFERENT = 2
    UNDECIDED = 3


# What an event is to another one, with `source` and `confidence`; `via_id` names the message that says so.
EVENT_LINKS = frozenset({EdgeKind.BEFORE, EdgeKind.CAUSES, EdgeKind.ENABLES, EdgeKind.CONTRADICTS})
SUMMARY_KINDS = frozenset({EdgeKind.SUMMARIZES, EdgeKind.SEEDED_BY})
CHANGE_KINDS = frozenset({EdgeKind.SUPERSEDES, EdgeKind.REPEATS, EdgeKind.MAY_SUPERSEDE})
# What a walk over the graph follows unless it is told otherwise: a session joins everything that was said in it, a summary what was
# consolidated together, and what somebody decided to be different is no way from the one to the other.
WALKED_KINDS = frozenset(EdgeKind) - {EdgeKind.IN_SESSION, EdgeKind.DIFFERENT_FROM} - SUMMARY_KINDS - CHANGE_KINDS
LINK_KINDS = frozenset({EdgeKind.SAME_AS, EdgeKind.DIFFERENT_FROM})


@dataclass(frozen=True, slots=True)
class Edge:
    """A directed edge. `via_id` names the node that states it (the relation behind RELATES)."""

    kind: EdgeKind
    source_id: str
    target_id: str
    via_id: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_decision(self) -> bool:
        """Whether somebody decided this link, as against an extraction that proposes it."""
        return self.kind in LINK_KINDS and "decided_at" in self.properties

    @property
    def is_reverted(self) -> bool:
        """Whether somebody took it back that the one memory replaces, may replace or repeats the other: the edge is then history alone."""
        return self.kind in CHANGE_KINDS and "reverted_at" in self.properties


def implied_edges(node: Node) -> Iterator[Edge]:
    """The edges that a node's fields imply, so that a store keeps them once, as edges, and fills the fields from them.

    IN_SESSION and NEXT follow from a message's session and seq; the store that assigns the seq writes them.
    """
    match node:
        case Event():
            for order, evidence in enumerate(node.evidence_ids):
                yield Edge(EdgeKind.EVIDENCED_BY, node.id, evidence, properties={"order": str(order)})
            for order, statement in enumerate(node.statement_ids):
                yield Edge(EdgeKind.STATES, node.id, statement, properties={"order": str(order)})
            for part in node.participants:
                yield Edge(EdgeKind.INVOLVES, node.id, part.entity_id, properties={"role": part.role})
        case Statement():
            for order, evidence in enumerate(node.evidence_ids):
                yield Edge(EdgeKind.EVIDENCED_BY, node.id, evidence, properties={"order": str(order)})
            for entity in node.entity_ids:
                yield Edge(EdgeKind.MENTIONS, node.id, entity)
        case Summary():
            for order, member in enumerate(node.member_ids):
                yield Edge(EdgeKind.SUMMARIZES, node.id, member, properties={"order": str(order)})
            for seed in node.seeds:
                yield Edge(EdgeKind.SEEDED_BY, node.id, seed.event_id, properties={"similarity": f"{seed.similarity:.4f}"})
        case Session() | Message() | Entity():
            return
        case _:
            assert_never(node)
