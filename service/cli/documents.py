"""Answers as JSON documents: field names as in the Python client, times in ISO 8601 and UTC, enumerations as words."""

import json
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any


def document(value: Any) -> Any:
    """Plain data of an answer."""
    match value:
        case Enum():
            return value.value
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
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


def print_json(value: Any) -> None:
    """Prints one document."""
    json.dump(document(value), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")


class JsonList:
    """Prints one document `{name: [...]}` item by item, so that a long listing does not wait for its end."""

    def __init__(self, name: str) -> None:
        self._count = 0
        sys.stdout.write(f'{{"{name}": [')

    def add(self, item: Any) -> None:
        """Prints the next item."""
        sys.stdout.write("\n  " if self._count == 0 else ",\n  ")
        json.dump(document(item), sys.stdout, ensure_ascii=False)
        self._count += 1

    def end(self) -> None:
        """Ends the document."""
        sys.stdout.write("\n]}\n" if self._count else "]}\n")
