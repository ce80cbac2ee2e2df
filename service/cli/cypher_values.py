"""Values of Cypher as plain data, for tables and JSON documents: each type has one shape."""

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Any


def shown(value: Any) -> Any:
    """The value as JSON.

    A node is `{"id", "labels", "properties"}`, a relationship `{"id", "type", "from", "to", "properties"}`, a path `{"nodes",
    "relationships"}`; times and durations are ISO 8601; what was left out is `{"elided", "size"}`.
    """
    from structmem import CypherDuration, CypherElided, CypherNode, CypherPath, CypherPoint, CypherRelationship, CypherTime

    match value:
        case CypherNode():
            return {"id": value.id, "labels": list(value.labels), "properties": shown(value.properties)}
        case CypherRelationship():
            ends = {"from": value.source_id, "to": value.target_id}
            return {"id": value.id, "type": value.type, **ends, "properties": shown(value.properties)}
        case CypherPath():
            return {"nodes": [shown(one) for one in value.nodes], "relationships": [shown(one) for one in value.relationships]}
        case CypherDuration():
            return _duration(value)
        case CypherTime():
            return f"{value.text}[{value.zone}]" if value.zone else value.text
        case CypherPoint():
            return {"srid": value.srid, "coordinates": list(value.coordinates)}
        case CypherElided():
            return {"elided": value.kind.value, "size": value.size}
        case datetime() | date() | time():
            return value.isoformat()
        case Mapping():
            return {key: shown(item) for key, item in value.items()}
        case list() | tuple():
            return [shown(item) for item in value]
        case _:
            return value


def _duration(value: Any) -> str:
    """In ISO 8601, such as P1M2DT3600.5S."""
    seconds = f"{value.seconds + value.nanoseconds / 1e9:f}".rstrip("0").rstrip(".")
    parts = [("M", value.months), ("D", value.days)]
    days = "".join(f"{number}{unit}" for unit, number in parts if number)
    rest = f"T{seconds}S" if seconds not in ("0", "-0") or not days else ""
    return f"P{days}{rest}"
