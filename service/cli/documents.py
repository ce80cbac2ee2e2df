"""Answers as JSON documents: names as in the Python client, times in ISO 8601 and UTC, lengths of time as "90s", enumerations as words."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any


def document(value: Any) -> Any:
    """Plain data of an answer."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case timedelta():
            # As protobuf writes a Duration.
            return f"{value.total_seconds():g}s"
        case Mapping():
            return {str(document(key)): document(item) for key, item in value.items()}
        case list() | tuple():
            return [document(item) for item in value]
        case _ if is_dataclass(value):
            return {field.name: document(getattr(value, field.name)) for field in fields(value)}
        case _:
            return value


def node_document(node: Any) -> dict[str, Any]:
    """A node, with its kind."""
    from structmem import Entity, kind_of

    plain: dict[str, Any] = document(node)
    if isinstance(node, Entity):
        return {"kind": "entity", **{("entity_kind" if key == "kind" else key): value for key, value in plain.items()}}
    return {"kind": str(kind_of(node)), **plain}


def hit_document(hit: Any) -> dict[str, Any]:
    """A hit of an answer."""
    return {
        "rank": hit.rank,
        "namespace": hit.namespace,
        "score": hit.score,
        "relevance": hit.relevance,
        "memory": node_document(hit.memory),
        "explanation": document(hit.explanation),
    }


def summary_hit_document(hit: Any) -> dict[str, Any]:
    """A summary that a query found."""
    return {
        "rank": hit.rank,
        "namespace": hit.namespace,
        "score": hit.score,
        "summary": node_document(hit.summary),
        "contributions": document(hit.contributions),
    }


def print_json(value: Any) -> None:
    """Prints one document."""
    sys.stdout.write(json.dumps(document(value), ensure_ascii=False, indent=2) + "\n")


def print_list(name: str, items: Iterable[Any]) -> None:
    """Prints one document `{name: [...]}`, an item a line. Nothing is printed before the last item is there: the next page may fail."""
    lines = [json.dumps(document(item), ensure_ascii=False) for item in items]
    inner = "\n  " + ",\n  ".join(lines) + "\n" if lines else ""
    sys.stdout.write(f'{{"{name}": [{inner}]}}\n')
