"""Which plans of Neo4j may run: those that only read the graph, told by their operators and not by the query's words.

What is not on the list is refused: procedures, LOAD CSV, SHOW, TERMINATE, everything that writes, and whatever a later server brings.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from graph.errors import CypherRefused

READS = "r"
_READ_OPERATORS = frozenset(
    # https://neo4j.com/docs/cypher-manual/current/planning-and-tuning/operators/operators-detail/, those that read nothing but the graph.
    """AllNodesScan Anti AntiSemiApply Apply Argument ArgumentTracker AssertSameNode AssertSameRelationship BFSPruningVarExpand
    BidirectionalRepeat CacheProperties CartesianProduct Distinct Eager EagerAggregation EmptyResult EmptyRow ExhaustiveLimit Expand
    Filter IntersectionNodeByLabelsScan LetAntiSemiApply LetSelectOrAntiSemiApply LetSelectOrSemiApply LetSemiApply Limit
    MultiNodeIndexSeek NodeByElementIdSeek NodeByIdSeek NodeByLabelScan NodeCountFromCountStore NodeFulltextIndexSearch NodeHashJoin
    NodeIndexContainsScan NodeIndexEndsWithScan NodeIndexScan NodeIndexSeek NodeIndexSeekByRange NodeLeftOuterHashJoin
    NodeRightOuterHashJoin NodeUniqueIndexSeek NodeUniqueIndexSeekByRange NodeVectorIndexSearch Optional OptionalExpand
    OrderedAggregation OrderedDistinct OrderedUnion PartialSort PartialTop PathPropagatingBFS ProduceResults ProjectEndpoints
    Projection PruningVarExpand RelationshipCountFromCountStore Repeat RollUpApply SelectOrAntiSemiApply SelectOrSemiApply SemiApply
    ShortestPath Skip Sort StatefulShortestPath SubtractionNodeByLabelsScan Top Top1WithTies TriadicBuild TriadicFilter
    TriadicSelection Union UnionNodeByLabelsScan Unwind ValueHashJoin ValueMergeJoin VarLengthExpand""".split()  # noqa: SIM905 - a list of names, as the manual has it
)
_RELATIONSHIP_READS = re.compile(
    r"(Directed|Undirected)(AllRelationshipsScan|UnionRelationshipTypesScan"
    r"|Relationship(TypeScan|FulltextIndexSearch|VectorIndexSearch"
    r"|ByElementIdSeek|ByIdSeek|IndexScan|IndexSeek|IndexSeekByRange|IndexContainsScan|IndexEndsWithScan"
    r"|UniqueIndexSeek|UniqueIndexSeekByRange))"
)


def check_plan(query_type: str | None, plan: Mapping[str, Any] | None) -> None:
    """Raises CypherRefused unless the plan reads, and does nothing else."""
    for operator in _operators(plan) if plan else ():
        if operator not in _READ_OPERATORS and not _RELATIONSHIP_READS.fullmatch(operator):
            raise CypherRefused(f"the query is refused: it would run {operator}", metadata={"clause": operator})
    if query_type != READS or not plan:
        raise CypherRefused("the query is refused: it does not only read", metadata={"clause": "QUERY TYPE"})


def _operators(plan: Mapping[str, Any]) -> Iterator[str]:
    """The operators of a plan, "Expand" of "Expand(All)@neo4j"."""
    yield str(plan["operatorType"]).partition("@")[0].partition("(")[0]
    for child in plan.get("children", ()):
        yield from _operators(child)
