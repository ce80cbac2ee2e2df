"""The prompts: one file each in `prompts/`, filled in with what a namespace's profile says and with what was said."""

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from graph.model import ExtractionMode, ExtractionProfile

# Raised with any change of what a prompt means. The fingerprint of the extractor follows the texts as well.
PROMPT_VERSION = 2


@cache
def prompt(name: str) -> str:
    """The text of a prompt's file."""
    return files("extract.llm").joinpath("prompts", f"{name}.md").read_text("utf-8").strip()


def system_prompt(mode: ExtractionMode, profile: ExtractionProfile, compressed: bool = False) -> str:
    """What the model is to do. It is the same for every segment of a namespace, so that providers can keep it cached.

    `compressed`: whether words are left out of the texts.
    """
    parts = [prompt("flat" if mode is ExtractionMode.FLAT else "event")]
    if mode is ExtractionMode.EVENT:
        parts += _types("Entity types", [(one.name, one.description) for one in profile.entity_types])
        parts += _types("Relation predicates", [(one.name, one.description) for one in profile.relation_types])
    if compressed:
        parts.append(prompt("compressed"))
    if profile.instructions:
        parts.append(f"## What matters here\n\n{profile.instructions}")
    return "\n\n".join(parts)


def schema_in_words(schema: Mapping[str, Any]) -> str:
    """What follows the system prompt where the server takes no schema."""
    return f"\n\n{prompt('json')}\n\n{json.dumps(schema, ensure_ascii=False, separators=(',', ':'))}"


def _types(title: str, types: list[tuple[str, str]]) -> list[str]:
    if not types:
        return []
    lines = [f"- {name}: {' '.join(description.split())}" if description else f"- {name}" for name, description in types]
    return [f"## {title}: only these\n\n" + "\n".join(lines)]
