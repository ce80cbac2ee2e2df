"""The engine, kglite (https://pypi.org/project/kglite), and what its answers look like: dictionaries, told apart by their keys."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import kglite

from graph.cypher.values import CypherDuration, CypherNode, CypherPath, CypherRelationship, CypherValue

_NODE = {"id", "labels", "properties"}
_RELATIONSHIP = {"id", "start", "end", "type", "properties"}
_PATH = {"nodes", "relationships"}
_DURATION = {"months", "days", "seconds"}
# Of what the engine, or a regular expression in it, refuses before memory ends.
_TOO_LARGE = ("safety limit", "exceeds size limit")
# The engine shows a caption and a label as if they were properties; of our nodes only events have a title of their own.
_VIRTUAL = {"title", "type"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query found: the names of the columns, and rows, converted one by one as they are read."""

    columns: list[str]
    rows: Iterator[list[CypherValue]]
    count: int


class QueryFailed(Exception):
    """A query that cannot be understood, or failed. The text speaks of the query alone."""


class QueryTooLarge(Exception):
    """A query makes more than the engine holds at once. The engine notices some of it before memory ends."""


class QueryTimedOut(Exception):
    """The engine noticed that the time is over."""


class Engine:
    """A graph in memory."""

    def __init__(self) -> None:
        kglite.set_query_warning_policy("silent")
        self._graph = kglite.KnowledgeGraph()
        self._ids: dict[int, str] = {}

    def add_nodes(self, label: str, rows: Sequence[Mapping[str, CypherValue]]) -> None:
        """Adds nodes with this label, which is one of ours."""
        self._graph.cypher(f"UNWIND $rows AS row CREATE (n:{label}) SET n = row", params={"rows": list(rows)})

    def add_edges(self, type_: str, source: str, target: str, rows: Sequence[Mapping[str, CypherValue]]) -> None:
        """Adds relationships of a type between nodes of two labels: `source`, `target` (ids) and `properties` of each."""
        self._graph.cypher(
            f"UNWIND $rows AS row MATCH (a:{source} {{id: row.source}}), (b:{target} {{id: row.target}}) "
            f"CREATE (a)-[r:{type_}]->(b) SET r = row.properties",
            params={"rows": list(rows)},
        )

    def complete(self) -> None:
        """Learns which of the engine's numbers is which node: relationships name their ends by them."""
        found: Any = self._graph.cypher("MATCH (n) RETURN elementId(n) AS number, n.id AS id")
        self._ids = {int(row["number"]): row["id"] for row in found}

    def answer(self, query: str, parameters: Mapping[str, CypherValue], rows: int, seconds: float) -> Answer:
        """Runs a query; of its rows only so many are kept.

        Raises:
            QueryFailed, QueryTooLarge, QueryTimedOut.
        """
        try:
            found: Any = self._graph.cypher(
                query, params=dict(parameters), row_limit=rows, timeout_ms=max(1, int(seconds * 1000)), hide_structural_keys=True
            )
        except (kglite.CypherSyntaxError, kglite.SchemaError) as error:
            # They speak of the query only, and point to the place.
            raise QueryFailed(str(error)) from error
        except kglite.CypherTimeoutError as error:
            raise QueryTimedOut from error
        except kglite.KgError as error:
            if any(sign in str(error) for sign in _TOO_LARGE):
                raise QueryTooLarge from error
            # Texts of other errors may show values.
            raise QueryFailed(_failure(error)) from error
        return Answer(list(found.columns), ([self._value(row[name]) for name in found.columns] for row in found), len(found))

    def _value(self, value: Any) -> CypherValue:
        if isinstance(value, dict):
            return self._structure(value)
        if isinstance(value, list | tuple):
            return [self._value(item) for item in value]
        return value  # type: ignore[no-any-return]  # None, bool, int, float, str, date, time, datetime

    def _structure(self, value: dict[str, Any]) -> CypherValue:
        keys = value.keys()
        if keys == _NODE and isinstance(value["id"], int) and self._ids.get(value["id"]) == value["properties"].get("id"):
            return self._node(value)
        if keys == _RELATIONSHIP and {value["start"], value["end"]} <= self._ids.keys():
            return self._relationship(value)
        if keys == _PATH:
            return CypherPath(tuple(map(self._node, value["nodes"])), tuple(map(self._relationship, value["relationships"])))
        if keys - {"nanoseconds"} == _DURATION:
            return CypherDuration(value["months"], value["days"], value["seconds"], value.get("nanoseconds", 0))
        return {key: self._value(item) for key, item in value.items()}

    def _node(self, value: dict[str, Any]) -> CypherNode:
        hidden = _VIRTUAL - {"title"} if "Event" in value["labels"] else _VIRTUAL
        properties = {key: self._value(item) for key, item in value["properties"].items() if key not in hidden}
        return CypherNode(self._ids[value["id"]], tuple(value["labels"]), properties)

    def _relationship(self, value: dict[str, Any]) -> CypherRelationship:
        properties = {key: self._value(item) for key, item in value["properties"].items()}
        return CypherRelationship(str(value["id"]), value["type"], self._ids[value["start"]], self._ids[value["end"]], properties)


def _failure(error: kglite.KgError) -> str:
    if "division by zero" in str(error).lower():
        return "a number is divided by zero"
    return "the query failed as it ran: does every function get values of the types that it takes?"
