"""An extraction profile as people write it: a file of TOML or JSON."""

import json
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from service.cli.failures import fail

if TYPE_CHECKING:
    from structmem import ExtractionProfile

ProfileOption = Annotated[
    Path | None, typer.Option("--profile", help="TOML or JSON file: entity_types, relation_types and instructions of its extraction.")
]
_FIELDS = {"entity_types": {"name", "kind", "description"}, "relation_types": {"name", "description"}}


def read_profile(path: Path | None) -> "ExtractionProfile | None":
    """The profile of a file; None for none. An empty file is a profile that looks for everything."""
    if path is None:
        return None
    from structmem import EntityType, ExtractionProfile, RelationType

    data = _parsed(path)
    unknown = sorted(set(data) - {*_FIELDS, "instructions"})
    if unknown:
        fail(f"{path}: {unknown[0]} is none of entity_types, relation_types and instructions")
    instructions = data.get("instructions", "")
    if not isinstance(instructions, str):
        fail(f"{path}: instructions must be a text")
    return ExtractionProfile(
        tuple(
            EntityType(one["name"], one.get("kind", "unspecified"), one.get("description", ""))
            for one in _types(path, data, "entity_types")
        ),
        tuple(RelationType(one["name"], one.get("description", "")) for one in _types(path, data, "relation_types")),
        instructions,
    )


def _parsed(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text("utf-8")
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except UnicodeDecodeError:
        fail(f"{path}: is not UTF-8")
    except RecursionError:
        fail(f"{path}: is nested too deeply")
    except ValueError as error:
        fail(f"{path}: {error}")
    if not isinstance(data, dict):
        fail(f"{path}: must be an object")
    return data


def _types(path: Path, data: dict[str, Any], name: str) -> list[dict[str, str]]:
    types = data.get(name, [])
    if not isinstance(types, list):
        fail(f"{path}: {name} must be a list")
    for index, one in enumerate(types):
        known = _FIELDS[name]
        if not isinstance(one, dict) or "name" not in one or set(one) - known or not all(isinstance(text, str) for text in one.values()):
            fail(f"{path}: {name}[{index}] must have a name, and may have {', '.join(sorted(known - {'name'}))}; all are texts")
    return types
