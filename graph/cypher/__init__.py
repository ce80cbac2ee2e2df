"""Cypher to look into the memory: the values of answers, which queries may run, and the engine that runs them on a snapshot of a namespace.

`child` is the process that holds the engine: it is started, fed and killed by `snapshots`.
"""

from graph.cypher.port import CypherHeader, CypherLimits, CypherPart, CypherQuery, CypherRunner, CypherSummary, SpeaksCypher
from graph.cypher.values import (
    CypherDuration,
    CypherElided,
    CypherNode,
    CypherPath,
    CypherPoint,
    CypherRelationship,
    CypherTime,
    CypherValue,
)

__all__ = [
    "CypherDuration",
    "CypherElided",
    "CypherHeader",
    "CypherLimits",
    "CypherNode",
    "CypherPart",
    "CypherPath",
    "CypherPoint",
    "CypherQuery",
    "CypherRelationship",
    "CypherRunner",
    "CypherSummary",
    "CypherTime",
    "CypherValue",
    "SpeaksCypher",
]
